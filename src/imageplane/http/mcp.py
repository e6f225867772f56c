"""The door for models that call tools: /mcp, the Model Context Protocol over HTTP, where every request is whole.

Its library takes a third of a second and 30 MB to load, so it is loaded with the first request and not with the server.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Final

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp

from imageplane.errors import Busy, RequestError, TooLarge
from imageplane.http.auth import account_of
from imageplane.http.inner_call import call
from imageplane.http.presence import CLIENT_CLOSED_REQUEST
from imageplane.http.reading import declared_size_in_bytes
from imageplane.http.services import services_of
from imageplane.sources.room import Room

MCP_PATH: Final = "/mcp"
# A model writes every letter of what it sends; files of any size come by URL.
_MOST_IN_BYTES: Final = 10_000_000
# What anyone may send: enough to ask what there is, and for every transform of a file by URL.
_MOST_WITHOUT_A_KEY_IN_BYTES: Final = 65_536
# As bytes, as text, parsed, and written anew for the transform route.
_COPIES: Final = 4
_MEMORY_IN_BYTES: Final = 120_000_000
_PATIENCE_IN_S: Final = 30.0


def is_installed() -> bool:
    """Tell whether the extra `mcp` is there."""
    return find_spec("mcp") is not None


class McpDoor:
    """The route of /mcp.

    Takes: `app`, the whole server, which its tool asks as any caller would.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._room = Room(_MEMORY_IN_BYTES)

    async def answer(self, request: Request) -> Response:
        """Answer one message of the Model Context Protocol. Errors: invalid_api_key, too_large, busy."""
        try:
            async with self._entered(request):
                body = await _body(request)
                tool = await asyncio.to_thread(_tool)
                limits = services_of(request).settings.limits
                reply: Response = await call(tool.speaker(self._app, limits), request.scope, body, request.receive)
                return reply
        except ClientDisconnect:
            return Response(status_code=CLIENT_CLOSED_REQUEST)

    @contextlib.asynccontextmanager
    async def _entered(self, request: Request) -> AsyncIterator[None]:
        """Wait for room for a body that is worth counting; its sender has to have a key."""
        declared = declared_size_in_bytes(request.headers)
        size_in_bytes = _MOST_IN_BYTES if declared is None else declared
        if size_in_bytes <= _MOST_WITHOUT_A_KEY_IN_BYTES:
            yield
            return
        account = await account_of(request)
        if size_in_bytes > _MOST_IN_BYTES:
            raise _too_large()
        async with contextlib.AsyncExitStack() as stack:
            try:
                async with asyncio.timeout(_PATIENCE_IN_S):
                    share = self._room.reserved(_COPIES * size_in_bytes, account.organization_id)
                    await stack.enter_async_context(share)
            except TimeoutError:
                raise Busy(
                    "There is no room for a message of this size; send the file by URL.", retry_after_in_s=5
                ) from None
            yield


async def _body(request: Request) -> bytes:
    pieces, size_in_bytes = [], 0
    try:
        async with asyncio.timeout(_PATIENCE_IN_S):
            async for piece in request.stream():
                size_in_bytes += len(piece)
                if size_in_bytes > _MOST_IN_BYTES:
                    raise _too_large()
                pieces.append(piece)
    except TimeoutError:
        raise RequestError("The body of the request came too slowly.") from None
    return b"".join(pieces)


def _tool() -> Any:
    return import_module("imageplane.http.mcp_tool")


def _too_large() -> TooLarge:
    return TooLarge(f"A message of more than {_MOST_IN_BYTES:,} bytes is not taken here; send the file by URL.")
