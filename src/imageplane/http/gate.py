"""The first stop of every request: its id, the size of its body, its line in the log and its place in the metrics."""

import asyncio
import contextlib

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from imageplane.accounts.recent import Noted, Recent
from imageplane.database.stamps import now_in_ms
from imageplane.errors import InternalError, TooLarge
from imageplane.http.failures import failure
from imageplane.http.metrics import Metrics
from imageplane.http.tracing import Tracing
from imageplane.http.visit import Visit, enter

# Many callers look for the reply only when they have sent everything; this much they are let send in vain.
_MOST_DRAINED_IN_BYTES = 500_000_000
_LONGEST_DRAIN_IN_S = 10.0

_log = structlog.get_logger("imageplane.http")


class Gate:
    """The outermost application: whatever is inside, a reply has the shape of the contract.

    Takes: `max_body_in_bytes`; a body that says or proves to be larger is refused when it is read; where requests of
    organizations are noted for their people, if anywhere.
    """

    def __init__(
        self, app: ASGIApp, max_body_in_bytes: int, metrics: Metrics, tracing: Tracing, recent: Recent | None = None
    ) -> None:
        self._app = app
        self._recent = recent
        self._tracing = tracing
        self._max_body_in_bytes = max_body_in_bytes
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        visit = Visit.of_headers(headers)
        enter(scope, visit)
        body = _CountedBody(receive, headers, self._max_body_in_bytes)
        reply = _WatchedReply(send, visit, body)
        with self._metrics.in_progress.track_inprogress():
            await self._answer(scope, body, reply, visit)
        self._tell(scope, visit, body, reply)

    async def _answer(self, scope: Scope, body: "_CountedBody", reply: "_WatchedReply", visit: Visit) -> None:
        try:
            await self._app(scope, body.receive, reply.send)
        except Exception as error:
            # What reaches this place was answered with 500, or could not be answered at all.
            _log.exception("failed", request_id=visit.request_id, error=type(error).__name__)
            if not reply.status:
                await failure(InternalError("Something went wrong here."), visit)(scope, body.receive, reply.send)

    def _tell(self, scope: Scope, visit: Visit, body: "_CountedBody", reply: "_WatchedReply") -> None:
        route = getattr(scope.get("route"), "path", "none")
        self._metrics.record(route, reply.status, visit)
        self._tracing.record(scope, route, reply.status, visit)
        # A look that goes well is not worth a line.
        if self._recent is not None and "key_id" in visit.facts and (scope["method"] != "GET" or reply.status >= 400):
            self._recent.note(_noted(f"{scope['method']} {route}", reply.status, visit))
        level = _log.debug if route.startswith("/health") or route == "/metrics" else _log.info
        level(
            "request",
            request_id=visit.request_id,
            method=scope["method"],
            path=scope["path"][:200],
            status=reply.status,
            code=visit.error_code,
            duration_in_ms=visit.elapsed_in_ms,
            received_in_bytes=body.size_in_bytes,
            sent_in_bytes=reply.size_in_bytes,
            integration=Headers(scope=scope).get("x-iterationlayer-integration", "")[:40] or None,
            **visit.facts,
        )


def _noted(route: str, status: int, visit: Visit) -> Noted:
    return Noted(
        visit.facts["organization_id"],
        visit.facts["key_id"],
        now_in_ms(),
        route,
        status,
        visit.error_code,
        visit.error_message,
        visit.elapsed_in_ms,
        visit.millicredits_charged,
        visit.request_id,
    )


class _CountedBody:
    def __init__(self, receive: Receive, headers: Headers, most: int) -> None:
        declared = headers.get("content-length", "")
        self.size_in_bytes = 0
        self._receive = receive
        self._declared = int(declared) if declared.isdecimal() else 0
        self._most = most
        self.is_over = not self._declared and "transfer-encoding" not in headers
        self._is_asked_for = headers.get("expect", "").lower() != "100-continue"

    @property
    def is_endless(self) -> bool:
        """Whether more than the limit may still come."""
        return not self.is_over and not 0 < self._declared <= self._most

    async def receive(self) -> Message:
        if not self.is_over and self._declared > self._most:
            raise self._too_large()
        self._is_asked_for = True
        message = await self._counted()
        if self.size_in_bytes > self._most:
            raise self._too_large()
        return message

    async def drain(self) -> None:
        """Take in the rest, so that a caller who reads only after sending gets the reply and no broken pipe."""
        # Who asked first whether to send at all will not, now that the answer is known.
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_LONGEST_DRAIN_IN_S if self._is_asked_for else 0):
                while not self.is_over and self.size_in_bytes < _MOST_DRAINED_IN_BYTES:
                    await self._counted()

    async def _counted(self) -> Message:
        message = await self._receive()
        self.is_over = message["type"] != "http.request" or not message.get("more_body", False)
        self.size_in_bytes += len(message.get("body", b""))
        return message

    def _too_large(self) -> TooLarge:
        return TooLarge(f"The body of the request is larger than the limit of {self._most:,} bytes.")


class _WatchedReply:
    def __init__(self, send: Send, visit: Visit, body: _CountedBody) -> None:
        self.status = 0
        self.size_in_bytes = 0
        self._send = send
        self._visit = visit
        self._body = body

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = MutableHeaders(scope=message)
            headers["X-Request-Id"] = self._visit.request_id
            headers["X-Content-Type-Options"] = "nosniff"
            headers.update(self._visit.headers)
            if self._body.is_endless:
                headers["Connection"] = "close"
        self.size_in_bytes += len(message.get("body", b""))
        if message["type"] == "http.response.body" and not message.get("more_body", False) and not self._body.is_over:
            # The whole reply is on its way before the connection may be closed.
            await self._send({**message, "more_body": True})
            await self._body.drain()
            message = {"type": "http.response.body"}
        await self._send(message)
