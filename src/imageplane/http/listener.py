"""The listening end: uvicorn, held to the contract where no application is asked."""

import asyncio
import contextlib
import sys
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any, Final

import httptools
import uvicorn
from starlette.types import ASGIApp, Scope
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from imageplane.errors import ImageplaneError, RequestError, TooLarge
from imageplane.http.failures import failure
from imageplane.http.visit import Visit
from imageplane.http.whole_body import WholeBody

_MOST_HEAD_IN_BYTES: Final = 65_536
_LONGEST_HEAD_IN_S = 30.0
_LISTENS_IN_VAIN_FOR_IN_S: Final = 2.0
# How much of a body is taken in before anyone has asked for it, and once someone has who wants all of it.
_UNASKED_IN_BYTES: Final = 65_536
_AHEAD_IN_BYTES: Final = 8_388_608
_WANTS_ALL: Final = "imageplane.wants_all"
_CONNECTION: Final = "imageplane.connection"


def want_all(scope: Scope, most_in_bytes: int) -> None:
    """Have the connection of a request put its body together before it hands it over: each piece costs a wake-up.

    Takes: `most_in_bytes`; no memory is set aside for a body that says it is larger.
    """
    scope[_WANTS_ALL] = True
    connection = scope.get(_CONNECTION)
    if connection is not None:
        connection.take_whole_body(scope, most_in_bytes)


def listen(app: ASGIApp, host: str, port: int, *, grace_in_s: float) -> None:
    """Serve until the process is asked to end; what was accepted by then has `grace_in_s` to be finished."""
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        http=Connection,
        ws="none",
        access_log=False,
        log_config=None,
        server_header=False,
        # Longer than load balancers keep a connection, so that it is never closed under a request on its way.
        timeout_keep_alive=75,
        timeout_graceful_shutdown=int(grace_in_s),
    )
    Listener(config).run()


class Listener(uvicorn.Server):
    """A server whose process ends with exit code 0 when it was asked to end and has finished its work."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        with super().capture_signals():
            yield
            if not self.force_exit:
                # uvicorn would send them to itself again, and die of them.
                self._captured_signals.clear()


class Connection(HttpToolsProtocol):
    """One connection; what is no request that can be read is refused in the shape of the contract too.

    The head of a request, which the parser waits for and keeps in memory however long it is, has limits here. An offer
    to speak another protocol, which clients such as Java's make with every request, is passed over.
    """

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._is_in_head = True
        self._head_in_bytes = 0
        self._data = b""
        self._is_refused = False
        self._patience: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._wait_for_a_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._wait_no_longer()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._is_refused:
            return
        if self._is_in_head:
            if self._patience is None:
                self._wait_for_a_head()
            self._head_in_bytes += len(data)
        self._data = data
        super().data_received(data)
        self._data = b""
        if self._is_in_head and self._head_in_bytes > _MOST_HEAD_IN_BYTES and not self._is_refused:
            self._refuse(TooLarge(f"The head of the request is larger than {_MOST_HEAD_IN_BYTES:,} bytes."))

    def on_headers_complete(self) -> None:
        self._is_in_head = False
        self._wait_no_longer()
        if not self._is_offered_another_protocol:
            super().on_headers_complete()
            self.scope[_CONNECTION] = self  # type: ignore[typeddict-unknown-key]

    def take_whole_body(self, scope: Scope, most_in_bytes: int) -> None:
        """Read the rest of a body that is coming past the parser, where its size is known and worth it."""
        if scope is not self.cycle.scope:
            # It has come, and the next request has begun to.
            return
        size_in_bytes = int(dict(self.headers).get(b"content-length", 0))
        come = self.cycle.body
        is_worth_it = _UNASKED_IN_BYTES < size_in_bytes - len(come) <= most_in_bytes
        if not is_worth_it or self.transport.is_closing():
            return
        body = WholeBody(come.pieces if isinstance(come, _Pieces) else (), size_in_bytes, self, self._end_body)
        self.cycle.body = body  # type: ignore[assignment]
        # It tells of what had come by now.
        self.cycle.message_event.clear()
        # What reads is chosen when reading begins; it does when the body is asked for.
        self.flow.pause_reading()
        self.transport.set_protocol(body)

    def _end_body(self) -> None:
        self.flow.pause_reading()
        self.transport.set_protocol(self)
        # The one that read the head still waits for the body.
        self.parser = httptools.HttpRequestParser(self)
        self.on_message_complete()

    def on_body(self, body: bytes) -> None:
        cycle = self.cycle
        if self._is_offered_another_protocol or cycle.response_complete:
            return
        # It is a fresh one after each time that it was handed over.
        pieces = cycle.body if isinstance(cycle.body, _Pieces) else _Pieces()
        pieces.add(body)
        cycle.body = pieces
        wants_all = _WANTS_ALL in cycle.scope
        is_enough = len(pieces) > (_AHEAD_IN_BYTES if wants_all else _UNASKED_IN_BYTES)
        if is_enough:
            self.flow.pause_reading()
        if is_enough or not wants_all:
            cycle.message_event.set()

    def on_message_complete(self) -> None:
        self._is_in_head, self._head_in_bytes = True, 0
        if not self._is_offered_another_protocol:
            super().on_message_complete()

    @property
    def _is_offered_another_protocol(self) -> bool:
        return bool(self.parser.should_upgrade()) and self.parser.get_method() != b"CONNECT"

    def _unsupported_upgrade_warning(self) -> None:
        # The parser has read the head and stopped; a fresh one that never saw the offer reads on from there.
        stop = sys.exc_info()[1]
        rest = self._data[stop.args[0] if stop is not None else 0 :]
        method, version = self.parser.get_method(), self.parser.get_http_version().encode()
        fields = [(name, value) for name, value in self.headers if name != b"upgrade"]
        head = b"".join(b"%s: %s\r\n" % field for field in fields)
        self.parser = httptools.HttpRequestParser(self)
        self.data_received(b"%s %s HTTP/%s\r\n%s\r\n%s" % (method, self.url, version, head, rest))

    def _wait_for_a_head(self) -> None:
        self._patience = self.loop.call_later(_LONGEST_HEAD_IN_S, self._lose_patience)

    def _wait_no_longer(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None

    def _lose_patience(self) -> None:
        if self.cycle is None or self.cycle.response_complete:
            self.transport.close()
        else:
            # Another request of this connection is still being answered.
            self._wait_for_a_head()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - uvicorn's words are the same for everything
        self._refuse(RequestError("That is no HTTP request that can be read."))

    def _refuse(self, error: ImageplaneError) -> None:
        self._is_refused = True
        cycle = self.cycle
        if cycle is not None and not cycle.response_complete:
            cycle.disconnected = True
            cycle.message_event.set()
            if cycle.response_started:
                # It can't be followed by another reply; the caller sees it break off.
                self.transport.close()
                return
        self.transport.write(_refusal(error, self.server_state.default_headers))
        # Closed at once, with words of the caller unread, the connection would be reset and the reply lost.
        self.transport.write_eof()
        self.loop.call_later(_LISTENS_IN_VAIN_FOR_IN_S, self.transport.close)


class _Pieces(bytearray):
    """A body as it came: put together once, when it is handed over, and not with every piece."""

    def __init__(self) -> None:
        super().__init__()
        self.pieces: list[bytes] = []
        self._size_in_bytes = 0

    def add(self, piece: bytes) -> None:
        self.pieces.append(piece)
        self._size_in_bytes += len(piece)

    def __len__(self) -> int:
        return self._size_in_bytes

    def __bytes__(self) -> bytes:
        return self.pieces[0] if len(self.pieces) == 1 else b"".join(self.pieces)


def _refusal(error: ImageplaneError, default_headers: list[tuple[bytes, bytes]]) -> bytes:
    visit = Visit.of_headers({})
    reply = failure(error, visit)
    reply.headers.update({"X-Request-Id": visit.request_id, "X-Content-Type-Options": "nosniff", "Connection": "close"})
    fields = [*default_headers, *reply.raw_headers]
    head = b"".join(b"%s: %s\r\n" % field for field in fields)
    return STATUS_LINE[HTTPStatus(error.status)] + head + b"\r\n" + bytes(reply.body)
