"""Processes that are killed while they work lose no job: each is done, told and charged once."""

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from banking import PATIENCE_IN_S, balance_of, new_key
from picture_server import PictureServer
from postgres import Postgres
from receivers import Receiver, beside
from server import Server, serving

from imageplane.accounts.audit import verify

JOBS = 12
OPEN = {
    "SOURCES__ALLOW_HTTP": "true",
    "SOURCES__ALLOW_PRIVATE_NETWORKS": "true",
    "JOBS__CONCURRENCY": "4",
    "JOBS__LEASE_IN_S": "3",
}
LONGEST_IN_S = 60


@pytest.fixture
def pictures() -> Iterator[PictureServer]:
    """Give a server of pictures that says nothing before it may."""
    with closing(PictureServer()) as pictures:
        yield pictures


def handed_in(server: Server, key: str, pictures: PictureServer, receiver: Receiver) -> list[str]:
    """Hand in jobs that can't end yet."""
    found = []
    for number in range(JOBS):
        body = {
            # Each is a download of its own.
            "file": {"url": f"{pictures.url}/slow/photo.png?{number}"},
            "operations": [{"type": "flip"}],
            "webhook_url": receiver.url(f"/{number}"),
        }
        reply = server.post(body, key=key)
        assert reply.status == 201, reply.body
        found.append(reply.json["job_id"])
    return found


def listed(server: Server, key: str) -> dict[str, dict[str, Any]]:
    jobs = server.get("/v1/jobs?limit=100", key=key).json["data"]["jobs"]
    return {job["id"]: job for job in jobs}


def standings(server: Server, key: str) -> Counter[str]:
    return Counter(job["status"] for job in listed(server, key).values())


def wait_for(server: Server, key: str, **wanted: int) -> None:
    until = time.monotonic() + LONGEST_IN_S
    while time.monotonic() < until:
        found = standings(server, key)
        if all(found[status] == count for status, count in wanted.items()):
            return
        time.sleep(0.05)
    raise AssertionError(f"{found}\n{server.output[-3000:]}")


def begun_so_often(server: Server, key: str, times: int) -> None:
    until = time.monotonic() + LONGEST_IN_S
    while (found := sum(job["attempts"] for job in listed(server, key).values())) != times:
        assert time.monotonic() < until, f"{found} attempts"
        time.sleep(0.05)


def assert_each_is_done_once(server: Server, key: str, ids: list[str], receiver: Receiver) -> None:
    """Look into the books: a killed process may have done things twice, but nothing of it may show."""
    wait_for(server, key, succeeded=JOBS)
    assert sorted(listed(server, key)) == sorted(ids)
    for number, job_id in enumerate(ids):
        messages = receiver.waited_for(f"/{number}")
        assert {message.id for message in messages} == {messages[0].id}
        told = json.loads(messages[0].body)
        assert (told["success"], told["data"]["mime_type"]) == (True, "image/png")
        (delivery,) = server.get(f"/v1/jobs/{job_id}/deliveries", key=key).json["data"]["deliveries"]
        assert delivery["id"] == messages[0].id
    assert len(set(receiver.ids)) == JOBS
    with server.books() as books:
        account = books.keys.ask(key).result(PATIENCE_IN_S)
        words = "SELECT kind, count(*) FROM ledger_entries WHERE key_id = :id GROUP BY kind"
        kinds = books.database.rows(words, {"id": account.key_id})
        assert dict(tuple(row) for row in kinds) == {"hold": JOBS, "settle": JOBS}
        assert balance_of(books, account) == (100 - JOBS) * 1000
        assert verify(books.database) == []


def new_customer(server: Server) -> str:
    with server.books() as books:
        return new_key(books, 100)


def test_a_server_that_is_killed_does_everything_after_its_start(tmp_path: Path, pictures: PictureServer) -> None:
    with beside(Receiver()) as receiver, serving(tmp_path, **OPEN) as server:
        key = new_customer(server)
        ids = handed_in(server, key, pictures, receiver)
        for number in (1, 2):
            begun_so_often(server, key, 4 * number)
            server.kill()
            server.start()
        pictures.may_go_on.set()
        assert_each_is_done_once(server, key, ids, receiver)
        # What was at work at a kill was begun once more.
        begun_so_often(server, key, JOBS + 8)


def test_a_server_that_is_stopped_leaves_no_trace_of_what_it_began(tmp_path: Path, pictures: PictureServer) -> None:
    with beside(Receiver()) as receiver, serving(tmp_path, **OPEN) as server:
        key = new_customer(server)
        ids = handed_in(server, key, pictures, receiver)
        wait_for(server, key, running=4)
        assert server.stop() == 0
        pictures.may_go_on.set()
        server.start()
        assert_each_is_done_once(server, key, ids, receiver)
        assert {job["attempts"] for job in listed(server, key).values()} == {1}


@contextmanager
def worker(server: Server, folder: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """Run `imageplane worker` with a data folder of its own, as on another machine."""
    folder.mkdir()
    own = {"IMAGEPLANE_DATA_DIR": str(folder / "data"), "IMAGEPLANE_JOBS__CONCURRENCY": "4"}
    command = [sys.executable, "-m", "imageplane.cli", "worker"]
    with (folder / "output.log").open("ab") as log:
        process = subprocess.Popen(command, env=server.environment | own, stdout=log, stderr=log, cwd=folder)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM], ids=["killed", "stopped"])
def test_another_worker_does_what_one_leaves(
    tmp_path: Path, postgres: Postgres, pictures: PictureServer, number: signal.Signals
) -> None:
    settings = {
        **OPEN,
        "DATABASE__URL": postgres.new_database(),
        "BLOBS__URL": (tmp_path / "shared").as_uri(),
        "JOBS__CONCURRENCY": "0",
    }
    with beside(Receiver()) as receiver, serving(tmp_path / "server", **settings) as server:
        key = new_customer(server)
        ids = handed_in(server, key, pictures, receiver)
        with worker(server, tmp_path / "one") as one:
            wait_for(server, key, running=4, queued=JOBS - 4)
            with worker(server, tmp_path / "other") as other:
                wait_for(server, key, running=8, queued=JOBS - 8)
                os.kill(one.pid, number)
                assert one.wait(LONGEST_IN_S) == (0 if number == signal.SIGTERM else -signal.SIGKILL)
                wait_for(server, key, running=4, queued=JOBS - 4)
                pictures.may_go_on.set()
                assert_each_is_done_once(server, key, ids, receiver)
                other.send_signal(signal.SIGTERM)
                assert other.wait(LONGEST_IN_S) == 0
        attempts = Counter(job["attempts"] for job in listed(server, key).values())
        # What is given back in good order was not begun.
        assert attempts == ({1: 12} if number == signal.SIGTERM else {1: 8, 2: 4})
