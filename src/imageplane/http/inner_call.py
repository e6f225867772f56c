"""A call of an ASGI application from inside the server, as a request over the network would be."""

from collections.abc import Sequence
from typing import Any, Final

from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope

from imageplane.http.presence import CLIENT_CLOSED_REQUEST

Headers = Sequence[tuple[bytes, bytes]]

_KEPT: Final = ("type", "asgi", "http_version", "scheme", "server", "client", "root_path", "extensions")


def inner_scope(scope: Scope, path: str, headers: Headers) -> Scope:
    """Give the scope of a POST to a path of the same server, from the same caller, with headers of its own."""
    outer = {name: scope[name] for name in _KEPT if name in scope}
    named = {"method": "POST", "path": path, "raw_path": path.encode(), "query_string": b"", "headers": list(headers)}
    return {**outer, **named, "state": {}}


async def call(app: ASGIApp, scope: Scope, body: bytes, receive: Receive) -> Response:
    """Give what an application answers.

    Takes: `body` of the request, whole; `receive` of the caller who waits, which tells that he has left.
    """
    unread, start, pieces = [body], dict[str, Any](), list[bytes]()

    async def take() -> Message:
        if unread:
            return {"type": "http.request", "body": unread.pop(), "more_body": False}
        return await receive()

    async def keep(message: Message) -> None:
        if message["type"] == "http.response.start":
            start.update(message)
        else:
            pieces.append(message.get("body", b""))

    await app(scope, take, keep)
    reply = Response(b"".join(pieces), start.get("status", CLIENT_CLOSED_REQUEST))
    reply.raw_headers = list(start.get("headers", ()))
    return reply
