"""Customers: they hand their orders in, and try again with the same Idempotency-Key until they are answered."""

import asyncio
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Final

import aiohttp

from benchmarks.async_jobs.orders import Order

PATH: Final = "/image-transformation/v1/transform"
_FOR_A_REPLY_IN_S: Final = 30.0
_LONGEST_PAUSE_IN_S: Final = 3.0
_IN_ALL_IN_S: Final = 300.0


@dataclass(frozen=True, slots=True)
class Accepted:
    """An order that was accepted, when, by the monotonic clock, and at which attempt."""

    order: Order
    job_id: str
    at: float
    attempts: int


@dataclass
class Customers:
    """Hand orders in.

    Takes: the keys of organizations by name.
    Gives: `accepted`, by the number of the order; `troubles`, why it was tried again; `faults`, what may never come.
    """

    base_url: str
    keys: dict[str, str] = field(repr=False)
    accepted: dict[int, Accepted] = field(default_factory=dict)
    troubles: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)

    async def hand_in(self, session: aiohttp.ClientSession, order: Order, webhook_url: str | None) -> None:
        """Hand an order in, whatever it takes."""
        body = await asyncio.to_thread(order.body, webhook_url)
        headers = self.bearer(order.owner) | {
            "Content-Type": "application/json",
            "Idempotency-Key": f"order-{order.number}",
            "Prefer": "respond-async",
        }
        started, attempts = time.monotonic(), 0
        while time.monotonic() < started + _IN_ALL_IN_S:
            attempts += 1
            try:
                async with session.post(self.base_url + PATH, data=body, headers=headers) as reply:
                    told = await reply.json()
                    status, pause = reply.status, float(reply.headers.get("Retry-After", 1))
            except (aiohttp.ClientError, OSError, TimeoutError) as error:
                self.troubles[f"no answer: {type(error).__name__}"] += 1
                await asyncio.sleep(0.5)
                continue
            if status == 201:
                self.accepted[order.number] = Accepted(order, told["job_id"], time.monotonic(), attempts)
                return
            self.troubles[f"{status} {told.get('code')}"] += 1
            if status not in {409, 429, 500, 503, 504}:
                break
            if status == 500:
                self.faults[f"an order was answered {status}: {told.get('error')}"] += 1
            await asyncio.sleep(min(pause, _LONGEST_PAUSE_IN_S))
        self.faults["orders that nobody would take"] += 1

    def bearer(self, owner: str) -> dict[str, str]:
        """Give the header that says who asks."""
        return {"Authorization": f"Bearer {self.keys[owner]}"}


def new_session() -> aiohttp.ClientSession:
    """Give what customers speak HTTP with."""
    return aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=_FOR_A_REPLY_IN_S))
