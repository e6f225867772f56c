"""How long the server listens to who has nothing to say."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import uvicorn
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp

from imageplane.http import listener


@asynccontextmanager
async def listening(app: ASGIApp) -> AsyncIterator[int]:
    config = uvicorn.Config(app, port=0, http=listener.Connection, ws="none", log_config=None, lifespan="off")
    server = listener.Listener(config)
    running = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    try:
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = True
        await running


async def said_until_closed(port: int, *pieces: bytes, gap_in_s: float = 0.0) -> bytes:
    """Say something, and give all that came until the server hung up."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for piece in pieces:
        writer.write(piece)
        await asyncio.sleep(gap_in_s)
    try:
        async with asyncio.timeout(30):
            return await reader.read()
    finally:
        writer.close()


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listener, "_LONGEST_HEAD_IN_S", 0.2)


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize(
    "pieces", [(), (b"GET / HT",), (b"GET / HTTP/1.1\r\nA: b\r\n", b"C: d\r\n")], ids=["silence", "a word", "a header"]
)
def test_who_never_ends_its_head_is_left(pieces: tuple[bytes, ...]) -> None:
    async def story() -> bytes:
        async with listening(PlainTextResponse("here")) as port:
            return await said_until_closed(port, *pieces)

    assert asyncio.run(story()) == b""


@pytest.mark.usefixtures("impatient")
def test_the_second_request_of_a_connection_is_not_waited_for_either() -> None:
    whole = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"

    async def story() -> bytes:
        async with listening(PlainTextResponse("here")) as port:
            return await said_until_closed(port, whole, whole[:-2], gap_in_s=0.05)

    assert asyncio.run(story()).count(b"here") == 1


@pytest.mark.usefixtures("impatient")
def test_who_has_said_all_is_answered_however_long_it_takes() -> None:
    async def slowly(scope: Any, receive: Any, send: Any) -> None:
        await asyncio.sleep(0.5)
        await PlainTextResponse("here", headers={"Connection": "close"})(scope, receive, send)

    async def story() -> list[bytes]:
        whole, begun = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"GET / HT"
        async with listening(slowly) as port:
            return [await said_until_closed(port, whole), await said_until_closed(port, whole, begun)]

    assert all(b"here" in answer for answer in asyncio.run(story()))
