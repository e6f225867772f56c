"""The courier: sends what is due to its webhook, signed, and sees to what comes of it.

Whatever waits is a row of the database. A process that sends holds only what it sends at the moment, and no more of it
than its slots; what it held when it was killed is sent by another as soon as the lease is over.
"""

import asyncio
import random
from collections.abc import Sequence
from types import TracebackType
from typing import Final, Protocol, Self

import structlog

from imageplane.accounts.waiting import whatever_happens
from imageplane.database import Database, Line, Writer
from imageplane.database.stamps import now_in_ms
from imageplane.jobs import deliveries
from imageplane.jobs.deliveries import Claimed
from imageplane.jobs.delivery_schedule import Attempt, Step, next_step
from imageplane.jobs.receiver import Mail
from imageplane.jobs.slots import NOBODY, Candidate, Full, Slots
from imageplane.jobs.webhook import headers_of
from imageplane.settings import WebhookSettings

_log = structlog.get_logger("imageplane.jobs")

# The body is that of the contract, which does not name the job.
JOB_HEADER: Final = "X-Job-Id"
_POLL_IN_S: Final = 1.0
# When two look at the same rows at once, the one that comes too late looks again soon.
_AGAIN_IN_S: Final = 0.1
_BODY_TIMEOUT_IN_S: Final = 10.0
# A claim outlives reading the body, sending it and keeping what came of it, but no minute.
_LEASE_BEYOND_TIMEOUT_IN_S: Final = 20.0
# After a failure of our own, which is none of the receiver's tries.
_OWN_FAILURE_IN_S: Final = 30.0
_GRACE_IN_S: Final = 5.0
# Signing more than this would hold up the event loop for a millisecond.
_LARGE_IN_BYTES: Final = 1 << 20
_GONE: Final = "The result is no longer kept, so that there is nothing left to deliver."

_Outcome = tuple[Claimed, Attempt, Step]
_Return = tuple[Claimed, int]


class BodyOf(Protocol):
    """Gives the body of a job's webhook, with a signed link in place of the bytes if wanted; None when it is gone."""

    async def __call__(self, job_id: str, *, link: bool = False) -> bytes | None: ...


class Courier:
    """Sends webhooks while its block runs; at the end it gives what is on its way a few seconds, and returns the rest.

    Takes: `mail`, which it closes.
    """

    def __init__(self, database: Database, settings: WebhookSettings, mail: Mail, body_of: BodyOf) -> None:
        self._database = database
        self._mail = mail
        self._body_of = body_of
        self._lease_in_ms = round((settings.timeout_in_s + _LEASE_BEYOND_TIMEOUT_IN_S) * 1000)
        self._slots = Slots(settings.max_concurrent, settings.max_concurrent_per_organization, settings.memory_in_bytes)
        self._sending: set[asyncio.Task[None]] = set()
        self._wake = asyncio.Event()
        self._is_open = True
        self._is_behind = False

    async def __aenter__(self) -> Self:
        self._writer = Writer(self._database)
        self._records: Line[_Outcome, bool] = self._writer.line(
            lambda connection, items: [deliveries.record(connection, *item, now_in_ms()) for item in items]
        )
        self._returns: Line[_Return, bool] = self._writer.line(
            lambda connection, items: [deliveries.put_back(connection, *item) for item in items]
        )
        self._claims: Line[Sequence[str], list[Claimed]] = self._writer.line(
            lambda connection, items: [
                deliveries.claim(connection, ids, now_in_ms(), self._lease_in_ms) for ids in items
            ]
        )
        self._task = asyncio.create_task(self._run())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._is_open = False
        self._wake.set()
        await self._task
        if self._sending:
            await asyncio.wait(self._sending, timeout=_GRACE_IN_S)
        for task in self._sending:
            task.cancel()
        await asyncio.gather(*self._sending, return_exceptions=True)
        await asyncio.to_thread(self._writer.close)
        await self._mail.close()

    def nudge(self) -> None:
        """Look at once for what is due; to be called in the event loop, after the commit that made it so."""
        self._wake.set()

    async def _run(self) -> None:
        while self._is_open:
            self._wake.clear()
            try:
                pause_in_s = await self._take()
            except Exception as error:
                _log.warning("webhooks can't be looked for", exc_info=error, detail=getattr(error, "detail", None))
                pause_in_s = _POLL_IN_S
            try:
                async with asyncio.timeout(pause_in_s):
                    await self._wake.wait()
            except TimeoutError:
                continue

    async def _take(self) -> float:
        """Start to send what is due and has a slot; gives after how long to look again."""
        self._is_behind = True
        if not self._slots.free:
            return _POLL_IN_S
        full = self._slots.full()
        candidates = await asyncio.to_thread(self._due, full)
        chosen = [each.id for each in candidates if self._slots.take(each)]
        # Of those who may send no more for now nothing was looked for.
        self._is_behind = full != NOBODY or len(chosen) < len(candidates)
        if not chosen:
            return _POLL_IN_S
        claimed: list[Claimed] = []
        try:
            claimed = await whatever_happens(self._claims.submit(chosen))
        finally:
            for delivery_id in set(chosen) - {each.id for each in claimed}:
                self._slots.give_back(delivery_id)
        for each in claimed:
            task = asyncio.create_task(self._deliver(each))
            self._sending.add(task)
            task.add_done_callback(self._sending.discard)
        return 0 if claimed else _AGAIN_IN_S * random.random()  # noqa: S311 - nothing is won by guessing it

    def _due(self, full: Full) -> list[Candidate]:
        with self._database.reading() as connection:
            return deliveries.due(connection, full, now_in_ms())

    async def _deliver(self, claimed: Claimed) -> None:
        try:
            attempt = await self._attempt(claimed)
            if attempt is not None:
                await self._record(claimed, attempt)
            else:
                self._returns.submit((claimed, now_in_ms() + round(_OWN_FAILURE_IN_S * 1000)))
        except asyncio.CancelledError:
            # Another process, or the next start, takes it at once.
            self._returns.submit((claimed, now_in_ms()))
            raise
        except Exception as error:
            _log.error("a webhook could not be sent", delivery_id=claimed.id, exc_info=error)
            self._returns.submit((claimed, now_in_ms() + round(_OWN_FAILURE_IN_S * 1000)))
        finally:
            self._slots.give_back(claimed.id)
            if self._is_behind:
                self._wake.set()

    async def _attempt(self, claimed: Claimed) -> Attempt | None:
        """Send once; gives None when the failure is our own."""
        try:
            async with asyncio.timeout(_BODY_TIMEOUT_IN_S):
                body = await self._body_of(claimed.job_id, link=claimed.delivery == "link")
        except Exception as error:
            _log.warning("the body of a webhook can't be read", delivery_id=claimed.id, exc_info=error)
            return None
        if body is None:
            return Attempt(now_in_ms(), 0, error=_GONE, is_hopeless=True)
        # The moment of this attempt, so that a receiver may refuse what somebody sends again later.
        words = (claimed.id, now_in_ms() // 1000, body, [secret.text for secret in claimed.secrets])
        headers = await asyncio.to_thread(headers_of, *words) if len(body) > _LARGE_IN_BYTES else headers_of(*words)
        return await self._mail.send(claimed.url, {**headers, JOB_HEADER: claimed.job_id}, body)

    async def _record(self, claimed: Claimed, attempt: Attempt) -> None:
        step = next_step(attempt, claimed.tries_left - 1, random.random())  # noqa: S311 - it only spreads attempts
        is_kept = None
        while is_kept is None:
            try:
                is_kept = await whatever_happens(self._records.submit((claimed, attempt, step)))
            except Exception as error:
                _log.warning("what came of a webhook can't be kept", delivery_id=claimed.id, exc_info=error)
                if now_in_ms() >= claimed.lease_expires_at_in_ms:
                    return
                await asyncio.sleep(_POLL_IN_S)
        _log.info(
            "webhook sent" if is_kept else "webhook sent, but it was somebody else's by then",
            delivery_id=claimed.id,
            job_id=claimed.job_id,
            organization_id=claimed.organization_id,
            attempt=claimed.attempts + 1,
            answer=attempt.status_code,
            reason=attempt.error,
            duration_in_ms=attempt.duration_in_ms,
            outcome=step.status,
        )
