"""From the first start to the end: the welcome, the goodbye, and a death in the middle of work."""

import base64
import contextlib
import http.client
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from picture_server import PICTURES, PictureServer
from server import Reply, Server, free_port, serving
from sqlalchemy import text

from imageplane.accounts.audit import verify
from imageplane.models import CARDS

OPENED = {"SOURCES__ALLOW_HTTP": "true", "SOURCES__ALLOW_PRIVATE_NETWORKS": "true"}
GOOD = {"file": {"base64": base64.b64encode(PICTURES["photo.png"]).decode()}, "operations": []}


@pytest.fixture
def slow() -> Iterator[PictureServer]:
    with contextlib.closing(PictureServer()) as server:
        yield server


class Asking(threading.Thread):
    """A request that is under way: its picture is being fetched, until the server of pictures lets it go on."""

    def __init__(self, server: Server, slow: PictureServer, **headers: str) -> None:
        super().__init__()
        self.reply: Reply | None = None
        self.error: Exception | None = None
        self._server = server
        self._headers = headers
        self._body = {"file": {"url": f"{slow.url}/slow/photo.png"}, "operations": []}
        self.start()
        while not slow.paths:
            time.sleep(0.01)

    def run(self) -> None:
        try:
            self.reply = self._server.post(self._body, headers=self._headers)
        except (OSError, http.client.HTTPException) as error:
            self.error = error


def command(server: Server, *words: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "imageplane.cli", *words],
        env=server.environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_the_first_start_says_all_one_needs_and_the_second_keeps_silent(tmp_path: Path) -> None:
    with serving(tmp_path, TRIAL_CREDITS="1234") as server:
        welcome = server.output
        assert "1,234 trial credits" in welcome
        assert welcome.count(server.key) == 2
        assert f"Imageplane listens on {server.url}" in welcome
        assert server.get("/v1/me").json["data"]["credits"] == 1234
        _run_the_line_as_printed(welcome, tmp_path)
        assert server.get("/v1/me").json["data"]["credits"] == 1233
        assert server.get("/v1/me", key=_key_from_the_command_line(server)).json["data"]["credits"] == 7
    server.start()
    try:
        assert "ip_live_" not in server.last_output
        assert "curl" not in server.last_output
        assert server.get("/v1/me").json["data"]["credits"] == 1233
    finally:
        assert server.process is not None
        server.process.send_signal(signal.SIGINT)
        assert server.wait() == 0


def _run_the_line_as_printed(welcome: str, folder: Path) -> None:
    if shutil.which("curl") is None or shutil.which("bash") is None:
        pytest.skip("the programs curl and bash are not here; with them the line that is printed is run as well")
    (line,) = [line.strip() for line in welcome.splitlines() if line.strip().startswith("curl ")]
    done = subprocess.run(["bash", "-c", line], cwd=folder, capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    picture = (folder / "avatar.webp").read_bytes()
    assert picture[:4] + picture[8:12] == b"RIFFWEBP"


def _key_from_the_command_line(server: Server) -> str:
    done = command(server, "keys", "create", "--name", "another", "--credits", "7")
    assert done.returncode == 0
    return done.stdout.splitlines()[-1]


def test_what_was_accepted_is_finished_before_the_end(tmp_path: Path, slow: PictureServer) -> None:
    with serving(tmp_path, **OPENED, HTTP__DEADLINE_IN_S="6") as server, contextlib.closing(PictureServer()) as never:
        assert server.process is not None
        asking, hopeless = Asking(server, slow), Asking(server, never)
        idle = socket.create_connection(("127.0.0.1", server.port), timeout=60)
        server.process.send_signal(signal.SIGTERM)
        assert idle.recv(1) == b""
        idle.close()
        with pytest.raises(ConnectionError):
            server.get("/v1/me")
        slow.may_go_on.set()
        for thread, status in ((asking, 200), (hopeless, 504)):
            thread.join()
            assert thread.reply is not None
            assert thread.reply.status == status
        assert server.wait() == 0
        with server.books() as books:
            assert verify(books.database) == []
            assert books.database.rows("SELECT COUNT(*) FROM holds") == [(0,)]


def test_a_death_in_the_middle_of_work_costs_no_credit(tmp_path: Path, slow: PictureServer) -> None:
    with serving(tmp_path, **OPENED, HTTP__DEADLINE_IN_S="5", TRIAL_CREDITS="3") as server:
        assert server.post(GOOD).status == 200
        asking = Asking(server, slow, **{"Idempotency-Key": "a-death"})
        assert server.get("/v1/me").json["data"]["credits"] == 1
        server.kill()
        asking.join()
        assert asking.error is not None
        with server.books() as books:
            assert verify(books.database) == []
            ((expires_at_in_ms,),) = books.database.rows("SELECT expires_at_in_ms FROM holds")
            assert expires_at_in_ms < (time.time() + 60) * 1000
            # Time passes.
            with books.database.writing() as connection:
                connection.execute(text("UPDATE holds SET expires_at_in_ms = 1"))
                connection.execute(text("UPDATE idempotency_keys SET expires_at_in_ms = 1"))
        server.start()
        _until_credits_are(server, 2)
        slow.may_go_on.set()
        again = {"file": {"url": f"{slow.url}/slow/photo.png"}, "operations": []}
        assert server.post(again, headers={"Idempotency-Key": "a-death"}).status == 200
        assert server.get("/v1/me").json["data"]["credits"] == 1
        with server.books() as books:
            assert verify(books.database) == []


def _until_credits_are(server: Server, wanted: int) -> None:
    until = time.monotonic() + 30
    while server.get("/v1/me").json["data"]["credits"] != wanted:
        assert time.monotonic() < until
        time.sleep(0.05)


def test_a_port_that_is_taken_is_told(tmp_path: Path) -> None:
    port = free_port()
    with socket.create_server(("127.0.0.1", port)):
        done = command(Server(tmp_path), "serve", "--port", str(port))
    assert done.returncode not in (0, -signal.SIGKILL)
    assert "address already in use" in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr


def test_a_wrong_setting_is_told(tmp_path: Path) -> None:
    done = command(Server(tmp_path, {"ENGINE__COUNT": "many"}), "serve", "--port", "1")
    assert done.returncode == 2
    assert "IMAGEPLANE_ENGINE__COUNT" in done.stderr
    assert "Traceback" not in done.stdout + done.stderr


def test_open_sources_are_warned_of(open_server: Server) -> None:
    assert "Warning: IMAGEPLANE_SOURCES__ALLOW_HTTP is on" in open_server.output
    assert "Warning: IMAGEPLANE_SOURCES__ALLOW_PRIVATE_NETWORKS is on" in open_server.output


def test_missing_networks_and_what_brings_them_are_told_in_one_line(server: Server) -> None:
    (line,) = [line for line in server.output.splitlines() if "networks are missing" in line]
    assert line.startswith("Warning: ")
    assert all(f"{card.name} ({card.purpose})" in line for card in CARDS)
    assert line.endswith("`imageplane models pull` fetches them.")


def test_with_all_networks_nothing_is_said_of_them(seeing_server: Server) -> None:
    assert "networks" not in seeing_server.output
