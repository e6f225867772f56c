"""Servers of all tempers on the loopback interface, name resolution as a test wants it, and throwaway certificates."""

import asyncio
import shutil
import ssl
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from imageplane.settings import SourcesSettings
from imageplane.sources.location import Location
from imageplane.sources.url import Fetcher

Talk = Callable[[bytes, asyncio.StreamWriter], Awaitable[None]]


@dataclass
class Server:
    """What a server on loopback has seen so far."""

    port: int
    connections: int = 0
    requests: list[bytes] = field(default_factory=list)

    @property
    def paths(self) -> list[str]:
        return [request.split(b" ")[1].decode() for request in self.requests]

    def url(self, path: str = "/file.png", host: str = "127.0.0.1", scheme: str = "http") -> Location:
        return Location.parse(f"{scheme}://{host}:{self.port}{path}")


@asynccontextmanager
async def serving(
    talk: Talk,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    tls: ssl.SSLContext | None = None,
    greeting: bytes = b"",
) -> AsyncIterator[Server]:
    """Run a server that has `talk` answer every request, and may say something before it is asked."""
    seen = Server(0)
    open_tasks: set[asyncio.Task[Any]] = set()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        open_tasks.add(task)
        task.add_done_callback(open_tasks.discard)
        seen.connections += 1
        writer.write(greeting)
        try:
            with suppress(asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
                while True:
                    request = await reader.readuntil(b"\r\n\r\n")
                    seen.requests.append(request)
                    await talk(request, writer)
                    await writer.drain()
        finally:
            writer.transport.abort()

    server = await asyncio.start_server(connected, host, port, ssl=tls)
    seen.port = server.sockets[0].getsockname()[1]
    try:
        yield seen
    finally:
        server.close()
        for task in tuple(open_tasks):
            task.cancel()
        await asyncio.gather(*open_tasks, return_exceptions=True)
        await server.wait_closed()


def answer(body: bytes = b"picture", status: str = "200 OK", **headers: str) -> bytes:
    """Give the bytes of an answer."""
    named = {"content_length": str(len(body)), **headers}
    lines = [f"{name.replace('_', '-')}: {value}" for name, value in named.items()]
    return "\r\n".join([f"HTTP/1.1 {status}", *lines, "", ""]).encode("latin-1") + body


def saying(*pieces: bytes, gap_in_s: float = 0.0, then_close: bool = False) -> Talk:
    """Give a talk that says the same to everyone."""

    async def talk(_request: bytes, writer: asyncio.StreamWriter) -> None:
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(gap_in_s)
        if then_close:
            writer.close()

    return talk


def by_path(talks: dict[str, bytes]) -> Talk:
    """Give a talk that answers each path in its own way."""

    async def talk(request: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(talks[request.split(b" ")[1].decode()])

    return talk


class Names:
    """A name service: for each name the answers to give one after the other, the last one for good."""

    def __init__(self, answers: Mapping[str, Sequence[Sequence[str]]] | None = None) -> None:
        self._answers = {name: list(rounds) for name, rounds in (answers or {}).items()}
        self.asked: list[str] = []

    async def __call__(self, host: str) -> Sequence[str]:
        self.asked.append(host)
        rounds = self._answers.get(host)
        if not rounds:
            raise OSError("no such name")
        return rounds.pop(0) if len(rounds) > 1 else rounds[0]


def fetcher(*, max_size_in_bytes: int = 1_000_000, look_up: Any = None, trust: Any = None, **settings: Any) -> Fetcher:
    """Give a fetcher with the settings of a development setup, unless told otherwise."""
    asked = {"allow_http": True, "allow_private_networks": True, **settings}
    return Fetcher(SourcesSettings(**asked), max_size_in_bytes, look_up=look_up, trust=trust)


def make_certificate(folder: Path, name: str) -> ssl.SSLContext:
    """Make a self-signed certificate for a name, and give what a server needs to show it."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("the openssl program is not here; install it to run this test")
    certificate, key = folder / f"{name}.pem", folder / f"{name}.key"
    if not certificate.exists():
        words = f"req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN={name}"
        places = ["-addext", f"subjectAltName=DNS:{name}", "-keyout", str(key), "-out", str(certificate)]
        subprocess.run([openssl, *words.split(), *places], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context


def trusting(folder: Path, name: str) -> ssl.SSLContext:
    """Give a client's context that trusts the certificate made for a name, and no other."""
    context = ssl.create_default_context(cafile=str(folder / f"{name}.pem"))
    assert context.check_hostname
    return context
