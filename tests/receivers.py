"""A receiver of webhooks on the loopback interface that answers as a test wants, and keeps what it was sent."""

import asyncio
import contextlib
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from typing import Self

from aiohttp import web


@dataclass(frozen=True)
class Message:
    """What came in one request."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]


Answer = Callable[[Message], Awaitable[web.StreamResponse]]


@dataclass
class Receiver:
    """A server that keeps what it was sent.

    Takes: `answer`, for each message in the order of their coming; 200 for everything without one.
    Gives: `messages`; `most_at_once`, of the requests that were open at the same time.
    """

    answer: Answer | None = None
    port: int = 0
    messages: list[Message] = field(default_factory=list)
    most_at_once: int = 0
    _open: int = 0

    def url(self, path: str = "/hook") -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    @property
    def ids(self) -> list[str]:
        return [message.id for message in self.messages]

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[Self]:
        server = web.Server(self._receive, access_log=None)
        runner = web.ServerRunner(server, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        self.port = runner.addresses[0][1]
        try:
            yield self
        finally:
            await runner.cleanup()

    def waited_for(self, path: str, count: int = 1, patience_in_s: float = 60) -> list[Message]:
        """Give what came to a path once it is so much, for tests that run beside it."""
        until = time.monotonic() + patience_in_s
        while time.monotonic() < until:
            found = [message for message in list(self.messages) if message.path == path]
            if len(found) >= count:
                return found
            time.sleep(0.02)
        raise AssertionError(f"{path} was not sent {count} messages")

    async def _receive(self, request: web.BaseRequest) -> web.StreamResponse:
        assert request.method == "POST"
        headers = {name.lower(): value for name, value in request.headers.items()}
        self._open += 1
        self.most_at_once = max(self.most_at_once, self._open)
        try:
            message = Message(request.raw_path, headers, await request.content.read())
            self.messages.append(message)
            return await self.answer(message) if self.answer else web.Response()
        finally:
            self._open -= 1


@contextlib.contextmanager
def beside(receiver: Receiver) -> Iterator[Receiver]:
    """Run a receiver in a thread of its own, for tests that have no event loop."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    running = receiver.running()
    try:
        asyncio.run_coroutine_threadsafe(running.__aenter__(), loop).result(30)
        try:
            yield receiver
        finally:
            asyncio.run_coroutine_threadsafe(running.__aexit__(None, None, None), loop).result(30)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def one_after_the_other(*answers: web.Response) -> Answer:
    """Give an answer that is the first for the first message, and so on; the last one for all that follow."""
    left = list(answers)

    async def answer(_message: Message) -> web.StreamResponse:
        # A response can be sent once only.
        found = left.pop(0) if len(left) > 1 else left[0]
        return web.Response(status=found.status, headers=found.headers)

    return answer


def never(until: asyncio.Event) -> Answer:
    """Give an answer that does not come before an event."""

    async def answer(_message: Message) -> web.StreamResponse:
        await until.wait()
        return web.Response()

    return answer
