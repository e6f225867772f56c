"""The storm: good clients whose every request has to be answered right, and all evils at the same time."""

import asyncio
import itertools
import random
import re
import time
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from typing import Final

import msgspec

from benchmarks.load.asking import LAUNCH, WAYS, Request, multipart, new_idempotency_key, post
from benchmarks.load.client import Connections, Reply
from benchmarks.load.judging import Bench
from benchmarks.load.observer import Seen
from benchmarks.load.patience import COME_AGAIN, Outcome, Patience, insist
from benchmarks.load.pictures import Body, Picture
from benchmarks.load.server import Server
from benchmarks.load.stage import Stage

GOOD, FAULTY, GONE, RETURNING = ORGANIZATIONS = ("good", "faulty", "gone", "returning")
GOOD_CLIENTS: Final = "good clients"
CREDIT: Final = 1_000_000
PATIENCE: Final = Patience(for_a_reply_in_s=150.0, in_all_in_s=900.0)
_LARGE, _SMALL = 6, 18
_ONE_KEPT_IN: Final = 4
# What a caller has no business to know.
_INTERNALS: Final = re.compile(r"Traceback|/(?:proc|tmp|usr|home|root|var)/|\.py\b|0x[0-9a-f]{6}")


@dataclass(slots=True)
class Storm:
    """What the storm is about, and what came of it.

    Gives: `counts`, by who asked and what came; `faults`, what may never happen; `answered`, pictures by
    organization.
    """

    stage: Stage
    server: Server
    keys: dict[str, str]
    until: float = 0.0
    bench: Bench = field(default_factory=Bench)
    seen: Seen = field(default_factory=Seen)
    counts: dict[str, Counter[str]] = field(default_factory=dict)
    faults: Counter[str] = field(default_factory=Counter)
    answered: Counter[str] = field(default_factory=Counter)
    waits_in_s: list[float] = field(default_factory=list)
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    def number(self) -> int:
        """Give a number that no other upload has."""
        return next(self._numbers)

    @property
    def is_over(self) -> bool:
        return time.monotonic() >= self.until

    async def rest(self, seconds: float) -> None:
        """Wait, but not beyond the end."""
        await asyncio.sleep(max(0.0, min(seconds, self.until - time.monotonic())))

    def count(self, who: str, what: str) -> None:
        """Count what came of something."""
        self.counts.setdefault(who, Counter())[what] += 1

    def pictures(self) -> list[Picture]:
        """Give the pictures of good clients."""
        return [*self.stage.large[:_LARGE], *self.stage.small[:_SMALL]]

    def good_request(self, organization: str, chance: random.Random, temper: str = "good") -> Request:
        """Give a request that has to be answered with a picture; other tempers than "good" come by URL."""
        picture, number = chance.choice(self.pictures()), self.number()
        way = chance.choice(WAYS) if temper == "good" else "url"
        url = self.stage.picture_server.url(picture, number, temper)
        kept = new_idempotency_key() if chance.randrange(_ONE_KEPT_IN) == 0 else None
        return Request(picture, number, chance.choice(LAUNCH), way, self.keys[organization], kept, url)

    async def models(self) -> None:
        """Ask in quiet for everything that good clients will ask for."""
        connections = Connections(self.server.port, 2)
        for picture, wish in itertools.product(self.pictures(), LAUNCH):
            request = Request(picture, self.number(), wish, "multipart", self.keys[GOOD])
            self.note(GOOD, "models", await insist(connections, request, PATIENCE), is_model=True)
        connections.close()

    def note(self, organization: str, who: str, outcome: Outcome, *, is_model: bool = False) -> None:
        """Take in what came of a good request: a picture, or a fault."""
        self.bench.add(outcome, is_model=is_model)
        for attempt in outcome.attempts[:-1]:
            self.count(who, f"told to come again: {attempt.status}")
        self.count(who, "answered" if outcome.is_answered else f"lost: {outcome.trouble}")
        if outcome.is_answered:
            self.answered[organization] += 1
            if who == GOOD_CLIENTS:
                self.waits_in_s.append(outcome.whole_wait_in_s)
        else:
            request, took = outcome.request, outcome.attempts[-1].took_in_s
            what = f"{request.wish.name} of {request.picture.name} as {request.way}, after {took:.1f} s"
            self.faults[f"{who}: lost, {what}: {outcome.trouble}"] += 1

    async def good_client(self, seed: int, temper: str = "good") -> None:
        """Ask for one picture after the other, and wait as told."""
        chance = random.Random(seed)  # noqa: S311 - the same requests in every run
        connections = Connections(self.server.port, 1)
        while not self.is_over:
            outcome = await insist(connections, self.good_request(GOOD, chance, temper), PATIENCE)
            self.note(GOOD, GOOD_CLIENTS if temper == "good" else "slow sources", outcome)
        connections.close()

    async def refused(self, connections: Connections, who: str, file: bytes, allowed: Collection[int]) -> None:
        """Send a file that is at fault itself, and check that it is refused with one of these, or for now."""
        await self.refused_message(connections, who, self.upload(file), allowed)

    def upload(self, file: bytes) -> Body:
        """Give the request for a thumbnail of a file."""
        return post(self.keys[FAULTY], *multipart(LAUNCH[0], (file,)), is_raw=True)

    async def refused_message(
        self, connections: Connections, who: str, message: Body, allowed: Collection[int]
    ) -> None:
        """Send a request that is at fault itself, and check that it is refused with one of these, or for now."""
        try:
            reply = await connections.exchange(message, PATIENCE.for_a_reply_in_s)
        except (OSError, TimeoutError) as error:
            self.count(who, f"no reply: {type(error).__name__}")
            self.faults[f"{who}: no reply, {type(error).__name__}"] += 1
            return
        self.count(who, str(reply.status))
        if reply.status == 200:
            self.answered[FAULTY] += 1
        elif fault := _shape_fault(reply):
            self.faults[f"{who}: {fault}"] += 1
        if reply.status in COME_AGAIN:
            await self.rest(float(reply.headers.get("retry-after", 1)))
        elif reply.status not in allowed:
            self.faults[f"{who}: {reply.status} is no right answer, {bytes(reply.body[:160])!r}"] += 1


def _shape_fault(reply: Reply) -> str | None:
    try:
        said = msgspec.json.decode(reply.body)
        sentence = said["error"]
    except (KeyError, TypeError, msgspec.DecodeError):
        return f"{reply.status} has not the shape of an error"
    if said.get("success") is not False or not isinstance(sentence, str):
        return f"{reply.status} has not the shape of an error"
    return f"{reply.status} names internals: {sentence}" if _INTERNALS.search(sentence) else None
