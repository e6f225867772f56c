"""A client that costs little: bodies go from files to sockets in the kernel, connections are used again."""

import asyncio
import contextlib
import socket
import time
from dataclasses import dataclass, field
from typing import Self

import httptools

from benchmarks.load.pictures import Body

# Servers close connections that are idle for long; nothing may be on its way then.
_LONGEST_IDLE_IN_S = 10.0
_GLANCE_IN_BYTES = 262_144


@dataclass(slots=True)
class Reply:
    """What came back; header names are in lower case."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytearray = field(default_factory=bytearray)
    is_whole: bool = False

    @property
    def may_follow(self) -> bool:
        """Whether the connection may be used again."""
        return self.is_whole and self.headers.get("connection", "").lower() != "close"


class _Reading:
    """What the parser is told to call, in its own words."""

    def __init__(self) -> None:
        self.reply = Reply()
        self.parser = httptools.HttpResponseParser(self)

    def on_header(self, name: bytes, value: bytes) -> None:
        self.reply.headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        self.reply.status = self.parser.get_status_code()

    def on_body(self, data: bytes) -> None:
        self.reply.body += data

    def on_message_complete(self) -> None:
        self.reply.is_whole = True


class Connection:
    """One connection to a server on loopback."""

    def __init__(self, talk: socket.socket) -> None:
        self._socket = talk
        self._is_sent = True
        self.is_reusable = True
        self.used_at = time.monotonic()

    @classmethod
    async def open(cls, port: int) -> Self:
        """Connect."""
        talk = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        try:
            talk.setblocking(False)
            talk.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            await asyncio.get_running_loop().sock_connect(talk, ("127.0.0.1", port))
        except BaseException:
            talk.close()
            raise
        return cls(talk)

    async def exchange(self, message: Body) -> Reply:
        """Send one request and give the reply. Errors: OSError, when there is no whole reply."""
        self._is_sent = False
        receiving = asyncio.create_task(self._receive())
        try:
            with contextlib.suppress(ConnectionError):
                await self.send(message)
                self._is_sent = True
            reply = await receiving
        finally:
            if not receiving.done():
                # Nothing may wait for a socket any more when it is closed.
                receiving.cancel()
                await asyncio.wait({receiving})
            self.used_at = time.monotonic()
        self.is_reusable = self._is_sent and reply.may_follow
        return reply

    async def send(self, message: Body) -> None:
        """Send bytes and files."""
        loop = asyncio.get_running_loop()
        for part in message:
            if isinstance(part, bytes):
                await loop.sock_sendall(self._socket, part)
            else:
                await loop.sock_sendfile(self._socket, part.file, 0, part.size_in_bytes, fallback=False)

    async def _receive(self) -> Reply:
        loop, reading = asyncio.get_running_loop(), _Reading()
        while not reading.reply.is_whole:
            data = await loop.sock_recv(self._socket, _GLANCE_IN_BYTES)
            if not data:
                raise ConnectionError("the connection ended before the reply did")
            try:
                reading.parser.feed_data(data)
            except httptools.HttpParserError as error:
                raise ConnectionError("the reply can't be read") from error
        if not self._is_sent:
            # Answered before all was sent: whoever sends must not wait for a server that listens no more.
            with contextlib.suppress(OSError):
                self._socket.shutdown(socket.SHUT_WR)
        return reading.reply

    def close(self) -> None:
        """Hang up."""
        self._socket.close()


class Connections:
    """Connections to one server, kept for the next request.

    Gives: `turns`, of which whoever wants to `exchange` takes one first.
    """

    def __init__(self, port: int, most: int) -> None:
        self.port = port
        self.turns = asyncio.Semaphore(most)
        self._idle: list[Connection] = []

    async def exchange(self, message: Body, patience_in_s: float) -> Reply:
        """Send one request and give the reply. Errors: OSError; TimeoutError."""
        connection = None
        try:
            async with asyncio.timeout(patience_in_s):
                connection = self._free() or await Connection.open(self.port)
                connection.is_reusable = False
                return await connection.exchange(message)
        finally:
            if connection is not None and connection.is_reusable:
                self._idle.append(connection)
            elif connection is not None:
                connection.close()

    def close(self) -> None:
        """Hang up everywhere."""
        while self._idle:
            self._idle.pop().close()

    def _free(self) -> Connection | None:
        while self._idle:
            connection = self._idle.pop()
            if time.monotonic() - connection.used_at < _LONGEST_IDLE_IN_S:
                return connection
            connection.close()
        return None
