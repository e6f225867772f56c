"""A storm: orders are handed in, done and delivered while disasters go on, and then all of it comes to rest."""

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

import aiohttp
from rich.progress import Progress, TaskID

from benchmarks.async_jobs import books as told
from benchmarks.async_jobs.customers import Customers, new_session
from benchmarks.async_jobs.orders import Order
from benchmarks.async_jobs.programs import Installation
from benchmarks.async_jobs.receiver import Receiver
from imageplane.accounts.books import Books
from imageplane.errors import ImageplaneError

_CUSTOMERS: Final = 12
# Customers still come while the last disasters happen.
_MOST_UNDER_WAY: Final = 400
_GLANCE_IN_S: Final = 0.25
_REST_WITHIN_IN_S: Final = 120.0
_LOOKS_EVERY_IN_S: Final = 2.0
# The schedule's next attempt is after five seconds, and the one after it after five minutes.
_TOO_LONG_IN_S: Final = 10.0

Disaster = Callable[["Storm"], Awaitable[None]]


@dataclass
class Storm:
    """What is handed in, by whom and to whom, and what became of it.

    Gives: `disasters`, what was done to it; `begun_again_in_s`, for each worker that was killed after how long all that
    was at work had ended or was begun again; `sent_again`, how many webhooks were asked for once more.
    """

    name: str
    installation: Installation
    books: Books
    orders: Sequence[Order]
    receiver: Receiver
    customers: Customers
    progress: Progress
    patience_in_s: float
    disasters: Counter[str] = field(default_factory=Counter)
    begun_again_in_s: list[float] = field(default_factory=list)
    sent_again: int = 0
    started_at: float = 0.0
    standing: told.Standing | None = None
    rest_after_in_s: float = 0.0

    @property
    def is_delivered(self) -> bool:
        """Whether something was accepted for every order."""
        return self.receiver.delivered >= len(self.orders)

    async def until_delivered(self, share: float) -> None:
        """Wait until so much of everything is delivered."""
        while self.receiver.delivered < share * len(self.orders):
            await asyncio.sleep(_GLANCE_IN_S)

    async def rage(self, disasters: Sequence[Disaster]) -> None:
        """Have everything handed in and delivered while disasters go on, and wait until nothing is left to do."""
        bar = self.progress.add_task(self.name, total=len(self.orders))
        self.started_at = time.monotonic()
        async with self.receiver.running(), new_session() as session:
            waiting = iter(self.orders)
            handing = [asyncio.create_task(self._customer(session, waiting)) for _ in range(_CUSTOMERS)]
            raging = [asyncio.ensure_future(disaster(self)) for disaster in disasters]
            person = asyncio.create_task(self._look_after(session))
            try:
                await self._watch(bar, [*handing, *raging, person])
                await _ended(raging)
                await self._come_to_rest()
            finally:
                await _ended([*handing, *raging, person])
        self.progress.remove_task(bar)

    async def _customer(self, session: aiohttp.ClientSession, waiting: Iterator[Order]) -> None:
        most = min(_MOST_UNDER_WAY, len(self.orders) // 4)
        for order in waiting:
            await self.customers.hand_in(session, order, self.receiver.url(order.owner, order.number))
            while len(self.customers.accepted) - self.receiver.delivered > most:
                await asyncio.sleep(_GLANCE_IN_S)

    async def _watch(self, bar: TaskID, tasks: Sequence["asyncio.Future[None]"]) -> None:
        until = time.monotonic() + self.patience_in_s
        while not self.is_delivered and time.monotonic() < until:
            for task in tasks:
                if task.done():
                    task.result()
            happened = ", ".join(f"{count} {what}" for what, count in self.disasters.items())
            words = f"{self.name}: {len(self.customers.accepted):,} accepted; {happened}"
            self.progress.update(bar, completed=self.receiver.delivered, description=words)
            await asyncio.sleep(_GLANCE_IN_S)

    async def _look_after(self, session: aiohttp.ClientSession) -> None:
        """Do as a person who does not want to wait: have sent again what the schedule would send in minutes."""
        while True:
            await asyncio.sleep(_LOOKS_EVERY_IN_S)
            with contextlib.suppress(ImageplaneError, aiohttp.ClientError, TimeoutError):
                late = await asyncio.to_thread(told.waiting_for_long, self.books.database, _TOO_LONG_IN_S)
                for name, owner in late:
                    url = f"{self.installation.url}/v1/deliveries/{name}/redeliver"
                    async with session.post(url, headers=self.customers.bearer(owner)) as reply:
                        self.sent_again += reply.status == 200

    async def _come_to_rest(self) -> None:
        started = time.monotonic()
        while time.monotonic() < started + _REST_WITHIN_IN_S:
            with contextlib.suppress(ImageplaneError):
                self.standing = await asyncio.to_thread(told.standing, self.books.database)
                if self.standing.is_quiet:
                    break
            await asyncio.sleep(_LOOKS_EVERY_IN_S)
        self.rest_after_in_s = time.monotonic() - started


async def _ended(tasks: Sequence["asyncio.Future[None]"]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
