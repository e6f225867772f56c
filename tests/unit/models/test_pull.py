"""Weights arrive whole and checked or not at all, whatever becomes of the connection."""

import asyncio
import fcntl
import os
import resource
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from loopback import Server, Talk, answer, make_certificate, saying, serving, trusting
from small_networks import card_of

from imageplane.deadline import Deadline
from imageplane.errors import ModelUnavailable
from imageplane.models.card import Weights
from imageplane.models.pull import Origin, pull

CONTENT = os.urandom(300_007)
FIRST = 120_011


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "*")


class Place:
    """A folder to fetch to, and a server that is believed."""

    def __init__(self, folder: Path, certificates: Path) -> None:
        self.folder, self._certificates = folder, certificates
        self.told: list[int] = []
        self.requests: list[bytes] = []

    @property
    def file(self) -> Path:
        return self.folder / "small.onnx"

    @property
    def part(self) -> Path:
        return self.folder / "small.onnx.part"

    def pull(self, *talks: Talk, deadline: Deadline | None = None, mirror: bool = False) -> None:
        """Fetch from as many servers as there are talks, the first one asked first."""
        asyncio.run(self._pull(talks, deadline or Deadline(), mirror))

    async def _pull(self, talks: tuple[Talk, ...], deadline: Deadline, mirror: bool) -> None:
        tls = make_certificate(self._certificates, "localhost")
        servers: list[Server] = []

        async def with_servers(rest: tuple[Talk, ...]) -> None:
            if rest:
                async with serving(rest[0], tls=tls) as server:
                    servers.append(server)
                    await with_servers(rest[1:])
                return
            urls = tuple(f"https://localhost:{server.port}/small.onnx" for server in servers)
            own = urls[0].removesuffix("small.onnx") if mirror else None
            origin = Origin(own, trusting(self._certificates, "localhost"))
            weights = card_of(CONTENT, urls=urls[1:] if mirror else urls).weights[0]
            await asyncio.to_thread(pull, weights, self.folder, deadline, origin, self.told.append)

        try:
            await with_servers(talks)
        finally:
            self.requests = [request for server in servers for request in server.requests]


@pytest.fixture
def place(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Place:
    return Place(tmp_path / "models", tmp_path_factory.mktemp("certificates"))


def with_ranges(*cuts: int) -> Talk:
    """Give a talk that knows ranges, and breaks off at these places of the file, once each."""
    waiting = list(cuts)

    async def talk(request: bytes, writer: Any) -> None:
        start = int(request.split(b"bytes=")[1].split(b"-")[0]) if b"bytes=" in request else 0
        whole = answer(CONTENT[start:], "206 Partial Content" if start else "200 OK")
        head = whole[: len(whole) - len(CONTENT[start:])]
        if waiting:
            writer.write(head + CONTENT[start : waiting.pop(0)])
            await writer.drain()
            writer.close()
        else:
            writer.write(whole)

    return talk


def test_a_file_arrives_whole(place: Place) -> None:
    place.pull(with_ranges())
    assert place.file.read_bytes() == CONTENT
    assert not place.part.exists()
    assert place.told == sorted(place.told)
    assert place.told[-1] == len(CONTENT)
    assert b"Range" not in place.requests[0]


def test_a_broken_connection_is_taken_up_where_it_broke(place: Place) -> None:
    place.pull(with_ranges(FIRST, 2 * FIRST))
    assert place.file.read_bytes() == CONTENT
    assert len(place.requests) == 3
    assert b"Range: bytes=120011-" in place.requests[1]
    assert b"Range: bytes=240022-" in place.requests[2]


def test_a_call_goes_on_where_the_last_one_stopped(place: Place) -> None:
    place.folder.mkdir()
    place.part.write_bytes(CONTENT[:FIRST])
    place.pull(with_ranges())
    assert place.file.read_bytes() == CONTENT
    assert b"Range: bytes=120011-" in place.requests[0]


def test_a_server_that_knows_no_ranges_sends_all_again(place: Place) -> None:
    place.folder.mkdir()
    place.part.write_bytes(CONTENT[:FIRST])
    place.pull(saying(answer(CONTENT)))
    assert place.file.read_bytes() == CONTENT


def test_what_was_left_of_another_file_is_thrown_away(place: Place) -> None:
    place.folder.mkdir()
    place.part.write_bytes(bytes(FIRST))
    with pytest.raises(ModelUnavailable, match="another checksum"):
        place.pull(with_ranges())
    assert not place.part.exists()
    place.pull(with_ranges())
    assert place.file.read_bytes() == CONTENT


def test_a_file_of_another_checksum_never_gets_its_name(place: Place) -> None:
    with pytest.raises(ModelUnavailable, match=r"small.onnx can't be fetched \(localhost: .*another checksum"):
        place.pull(saying(answer(CONTENT[::-1])))
    assert list(place.folder.iterdir()) == []


def test_the_next_address_is_asked_when_the_first_one_fails(place: Place) -> None:
    place.pull(saying(answer(b"gone", "404 Not Found")), saying(answer(CONTENT[::-1])), with_ranges())
    assert place.file.read_bytes() == CONTENT


def test_a_mirror_is_asked_first(place: Place) -> None:
    place.pull(with_ranges(), saying(answer(b"", "500 Never")), mirror=True)
    assert place.file.read_bytes() == CONTENT
    assert len(place.requests) == 1


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (answer(b"gone", "404 Not Found"), "answers 404"),
        (answer(b"", "302 Found", location="http://localhost/small.onnx"), "http"),
        (answer(CONTENT + b"!"), "larger"),
        (b"HTTP/1.1 nonsense\r\n\r\n", "proper answer"),
    ],
)
def test_failures_are_told_in_a_sentence(place: Place, said: bytes, why: str) -> None:
    with pytest.raises(ModelUnavailable, match=why) as caught:
        place.pull(saying(said, then_close=True))
    assert caught.value.status == 503
    assert not place.file.exists()


def test_a_server_that_always_breaks_off_is_given_up(place: Place) -> None:
    with pytest.raises(ModelUnavailable, match=r"broke off|closed|reset"):
        place.pull(saying(then_close=True))
    assert len(place.requests) == 3


def test_a_server_without_a_certificate_to_trust_is_not_asked(place: Place, tmp_path: Path) -> None:
    async def run() -> None:
        async with serving(with_ranges(), tls=make_certificate(tmp_path, "localhost")) as server:
            weights = card_of(CONTENT, urls=(f"https://localhost:{server.port}/small.onnx",)).weights[0]
            await asyncio.to_thread(pull, weights, place.folder, Deadline(), Origin())
            assert not server.requests

    with pytest.raises(ModelUnavailable, match="certificate"):
        asyncio.run(run())


def test_an_address_without_https_is_not_asked(place: Place) -> None:
    weights = card_of(CONTENT, urls=("http://localhost:9/small.onnx",)).weights[0]
    with pytest.raises(ModelUnavailable, match="http"):
        pull(weights, place.folder, Deadline(), Origin())


def test_time_is_up_while_a_server_dawdles_and_the_rest_comes_later(place: Place) -> None:
    whole = answer(CONTENT)
    pieces = [whole[:FIRST], *(whole[at : at + 1] for at in range(FIRST, FIRST + 200))]
    with pytest.raises(ModelUnavailable, match="time is over"):
        place.pull(saying(*pieces, gap_in_s=0.05), deadline=Deadline.after(0.5))
    assert not place.file.exists()
    assert place.part.stat().st_size > FIRST // 2
    place.pull(with_ranges())
    assert place.file.read_bytes() == CONTENT


@contextmanager
def _files_at_most(size_in_bytes: int) -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_in_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_disk_without_room_is_told(place: Place) -> None:
    with _files_at_most(200_000), pytest.raises(ModelUnavailable, match="can't be written: file too large"):
        place.pull(with_ranges())
    assert not place.file.exists()


def test_a_folder_that_cannot_be_made_is_told(place: Place) -> None:
    place.folder.parent.mkdir(exist_ok=True)
    place.folder.write_bytes(b"a file")
    with pytest.raises(ModelUnavailable, match="can't be written"):
        pull(card_of(CONTENT).weights[0], place.folder, Deadline(), Origin())


def test_two_processes_do_not_fetch_the_same_file(place: Place) -> None:
    place.folder.mkdir()
    with place.part.open("ab") as part:
        fcntl.flock(part, fcntl.LOCK_EX)
        with pytest.raises(ModelUnavailable, match="another process"):
            pull(card_of(CONTENT).weights[0], place.folder, Deadline(), Origin())


def test_a_file_without_an_address_cannot_be_fetched(place: Place) -> None:
    weights: Weights = card_of(CONTENT).weights[0]
    said: list[int] = []
    tell: Callable[[int], None] = said.append
    with pytest.raises(ModelUnavailable, match=r"small\.onnx can't be fetched"):
        pull(weights, place.folder, Deadline(), Origin(), tell)
    assert said == []
