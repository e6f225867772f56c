"""Servers that play a script, for clients: what each attempt gets, and what each one sent."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import httpx
from imageplane_client import AsyncImageplane, Imageplane

URL: Final = "https://images.example.com"
KEY: Final = "ip_live_a_key_of_nobody"
REQUEST: Final[dict[str, Any]] = {
    "file": {"type": "url", "url": "https://cdn.example.com/1.jpg", "name": "1.jpg"},
    "operations": [{"type": "flip"}],
}
PICTURE: Final = {"success": True, "data": {"buffer": "QUJD", "mime_type": "image/png"}}


class Broken(httpx.SyncByteStream, httpx.AsyncByteStream):
    """A body whose connection breaks in its midst."""

    def __iter__(self) -> Iterator[bytes]:
        yield b'{"success": tr'
        raise httpx.ReadError("reset")

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for part in self:
            yield part


Step = httpx.Response | Exception | Broken


def said(status: int, code: str | None = None, **headers: str) -> httpx.Response:
    """Give a failure as Imageplane tells it, or one of somebody on the way when it has no code."""
    if code is None:
        return httpx.Response(status, text="<html>Bad luck</html>", headers=headers)
    body = {"success": False, "error": "A sentence.", "code": code, "details": [], "request_id": "req_1"}
    return httpx.Response(status, json=body, headers=headers)


def good(body: Any = None) -> httpx.Response:
    return httpx.Response(200, json=PICTURE if body is None else body)


@dataclass
class Script:
    """Answers with one step after the other; the last one goes on for ever.

    Gives: `requests`, as they came; `pauses_in_s`, for which a client would have slept.
    """

    steps: list[Step]
    requests: list[httpx.Request] = field(default_factory=list)
    pauses_in_s: list[float] = field(default_factory=list)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        step = self.steps[0] if len(self.steps) == 1 else self.steps.pop(0)
        if isinstance(step, Exception):
            raise step
        if isinstance(step, Broken):
            return httpx.Response(200, stream=step)
        return httpx.Response(step.status_code, content=step.content, headers=step.headers)

    @property
    def json(self) -> Any:
        return json.loads(self.requests[-1].content)


Do = Callable[[Any], Any]
# Does something with a client that is made with these options, before a server that plays this script.
Played = Callable[..., Any]


def transform(client: Any) -> Any:
    """Make the one call that is as good as any other."""
    return client.transform(REQUEST)


def played_sync(script: Script, do: Do, **options: Any) -> Any:
    with httpx.Client(transport=httpx.MockTransport(script)) as http:
        return do(Imageplane(KEY, base_url=URL, http_client=http, **options))


def played_async(script: Script, do: Callable[[Any], Awaitable[Any]], **options: Any) -> Any:
    async def play() -> Any:
        async with httpx.AsyncClient(transport=httpx.MockTransport(script)) as http:
            return await do(AsyncImageplane(KEY, base_url=URL, http_client=http, **options))

    return asyncio.run(play())
