"""A receiver of webhooks that fails often, checks every signature, and counts each message once."""

import asyncio
import contextlib
import random
import time
from collections import Counter, defaultdict
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Final, Self

from aiohttp import web

from imageplane.jobs.webhook import ID_HEADER, refusal_of

_FAILS: Final = 0.3
_STALLS: Final = 0.05
_LONGER_BY_IN_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class Message:
    """What was accepted for one webhook-id, and when, by the monotonic clock."""

    number: int
    body: bytes = field(repr=False)
    at: float


@dataclass
class Receiver:
    """Answers 500 to three of ten requests, and to one of twenty later than anybody waits.

    Takes: the secrets of organizations by name; `timeout_in_s`, how long the sender waits. What is answered too late is
    accepted all the same, so that it comes again.
    Gives: `accepted`, by webhook-id; `ids`, by the number of the order; `counts`, by what was done; `faults`, what may
    never come.
    """

    secrets: dict[str, list[str]]
    timeout_in_s: float
    port: int = 0
    accepted: dict[str, Message] = field(default_factory=dict)
    ids: dict[int, set[str]] = field(default_factory=lambda: defaultdict(set))
    counts: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    _chance: random.Random = field(default_factory=lambda: random.Random(6))  # noqa: S311 - no secret

    def url(self, owner: str, number: int) -> str:
        """Give the webhook_url of an order."""
        return f"http://127.0.0.1:{self.port}/{owner}/{number}?token=not-for-logs"

    @property
    def delivered(self) -> int:
        """Of how many orders something was accepted."""
        return len({message.number for message in self.accepted.values()})

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[Self]:
        """Receive for a block."""
        runner = web.ServerRunner(web.Server(self._receive, access_log=None), shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self.port = runner.addresses[0][1]
        try:
            yield self
        finally:
            await runner.cleanup()

    async def _receive(self, request: web.BaseRequest) -> web.StreamResponse:
        _, owner, number = request.path.split("/")
        try:
            body = await request.content.read()
        except (OSError, web.RequestPayloadError):
            self.counts["broken off by the sender"] += 1
            return web.Response(status=400)
        self.counts["requests"] += 1
        refusal = refusal_of(request.headers, body, self.secrets[owner], time.time())
        if refusal is not None or request.method != "POST":
            self.faults[f"a message that should not be believed: {refusal}"] += 1
            return web.Response(status=400)
        self.ids[int(number)].add(request.headers[ID_HEADER])
        chance = self._chance.random()
        if chance < _FAILS:
            self.counts["answered 500"] += 1
            return web.Response(status=500)
        self._accept(request.headers[ID_HEADER], int(number), body)
        if chance < _FAILS + _STALLS:
            self.counts["answered too late"] += 1
            await asyncio.sleep(self.timeout_in_s + _LONGER_BY_IN_S)
        else:
            self.counts["answered 200"] += 1
        return web.Response()

    def _accept(self, message_id: str, number: int, body: bytes) -> None:
        known = self.accepted.setdefault(message_id, Message(number, body, time.monotonic()))
        if known.body is body:
            return
        self.counts["duplicates"] += 1
        # Links are signed anew for every attempt.
        is_link = b'"buffer":' not in body and b'"url":' in body
        if known.number != number or (known.body != body and not is_link):
            self.faults["one webhook-id with two bodies"] += 1
