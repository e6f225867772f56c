"""The desk: where jobs are handed in, asked for, cancelled and handed in again."""

import asyncio
import contextlib
import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Any, Final, TypeVar

import msgspec
from sqlalchemy import Connection

from imageplane.accounts.account import Account
from imageplane.accounts.ledger import Companion, Ledger, Overtaken
from imageplane.accounts.moves import Hold
from imageplane.accounts.prices import Price
from imageplane.accounts.waiting import whatever_happens
from imageplane.blobs import Blobs
from imageplane.database import Database
from imageplane.database.stamps import new_id, now_in_ms
from imageplane.errors import Conflict, ImageplaneError, NotFound
from imageplane.jobs import rows
from imageplane.jobs.job import INTERACTIVE, Delivery, Job
from imageplane.jobs.queue import Queue, Ticket
from imageplane.jobs.rows import Parts

Outcome = TypeVar("Outcome")

# A hold outlives its job, so that only what nobody will ever work on again is given back without an end.
_HOLD_LONGER_BY_IN_S: Final = 3600.0


@dataclass(frozen=True, slots=True)
class Order:
    """What is handed in.

    Takes: `request`, what is asked for, as JSON; `data`, the bytes that came with it; `idempotency`, what tells this
    request from any other of its organization, where the caller may hand it in twice; `base_url`, under which the
    caller reached the server; of a part of a bulk the `parent_id`, and how many `items` it has.
    """

    api: str
    request_id: str
    request: dict[str, Any]
    data: bytes | None
    base_url: str
    webhook_url: str | None = None
    delivery: Delivery = "bytes"
    idempotency: bytes | None = None
    priority: int = INTERACTIVE
    parent_id: str | None = None
    items: int | None = None


class _HandedInBefore(Exception):
    """Another attempt of the caller was faster."""


class Desk:
    """Jobs, for those who want something done.

    Takes: `gives_up_after_in_s`, for how long a job may be worked on; `on_change`, called in the event loop when
    there may be something to do.
    """

    def __init__(
        self, database: Database, ledger: Ledger, blobs: Blobs, queue: Queue, gives_up_after_in_s: float
    ) -> None:
        self._database = database
        self._ledger = ledger
        self._blobs = blobs
        self._queue = queue
        self._holds_for_in_s = gives_up_after_in_s + _HOLD_LONGER_BY_IN_S

    async def accept(self, account: Account, price: Price, order: Order) -> Job:
        """Take a job: its credits are held, and it is stored, or neither is.

        Gives: the job; the one that was handed in before with the same `idempotency`.
        Errors: insufficient_credits, budget_cap_exceeded, invalid_api_key, busy.
        """
        job = _drafted(account, price, order)
        if order.data is not None:
            await self._blobs.put(f"{job.folder}/input", order.data)
            job = replace(job, input=f"{job.folder}/input")
        fingerprint = None if order.idempotency is None else hashlib.sha256(order.idempotency).hexdigest()

        def store(connection: Connection, hold: Hold) -> None:
            stored = replace(job, hold_id=hold.id)
            if not rows.insert(connection, stored, fingerprint):
                raise _HandedInBefore
            self._queue.issue(connection, [Ticket.of(stored)])

        try:
            hold = await whatever_happens(self._held(account, price, order.request_id, store))
        except ImageplaneError as error:
            # Where the database failed, the job may have been stored all the same.
            if error.status < HTTPStatus.INTERNAL_SERVER_ERROR:
                await self._forget_input(job)
            raise
        except _HandedInBefore:
            await self._forget_input(job)
            return await self._read(
                lambda connection: _that(rows.same(connection, job.organization_id, str(fingerprint)))
            )
        self._queue.nudge()
        return replace(job, hold_id=hold.id)

    def counts(self) -> dict[str, int]:
        """Tell how many jobs of all organizations wait and are at work, and how many webhooks wait; waits for it."""
        with self._database.reading() as connection:
            return rows.counts(connection)

    async def job(self, organization_id: str, job_id: str) -> Job:
        """Give a job of an organization. Errors: not_found, busy."""
        found = await self.any_job(job_id)
        return _that(found if found.organization_id == organization_id else None)

    async def any_job(self, job_id: str) -> Job:
        """Give a job, whoever's it is. Errors: not_found, busy."""
        return _that(await self._read(lambda connection: next(iter(rows.of_ids(connection, [job_id])), None)))

    async def parts(self, job_id: str) -> Parts:
        """Tell how the parts of a bulk stand. Errors: busy."""
        return await self._read(lambda connection: rows.parts(connection, job_id))

    async def parts_after(self, job_id: str, after: str, most: int) -> list[Job]:
        """Give the next parts of a bulk, from behind the one with the id `after`. Errors: busy."""
        return await self._read(lambda connection: rows.replies_of_parts(connection, job_id, after, most))

    async def jobs(self, organization_id: str, status: str | None, before: str | None, most: int) -> list[Job]:
        """Give the latest jobs of an organization, the latest first, from before the job with the id `before`."""
        return await self._read(
            lambda connection: rows.listed(connection, organization_id, status, before or rows.NEWEST, most)
        )

    async def cancel(self, organization_id: str, job_id: str) -> Job:
        """End a job that has not ended, and give its credits back. Errors: not_found, conflict, busy."""
        job = await self.job(organization_id, job_id)
        companion = Companion(
            job.id, before=lambda connection: rows.cancel(connection, job, now_in_ms()), after=self._next_of(job)
        )
        try:
            await whatever_happens(self._ledger.release(job.hold, companion))
        except Overtaken:
            raise Conflict("The job has ended, so that there is nothing left to cancel.") from None
        for part_id in await self._read(lambda connection: rows.open_parts(connection, job.id)):
            with contextlib.suppress(Conflict):
                await self.cancel(organization_id, part_id)
        self._queue.nudge()
        return await self.job(organization_id, job_id)

    async def replay(self, account: Account, job_id: str) -> Job:
        """Have a job that has ended done once more, for the price of the first time, paid by the key that asks for it.

        Errors: not_found, conflict, insufficient_credits, budget_cap_exceeded, invalid_api_key, busy.
        """
        job = await self.job(account.organization_id, job_id)
        price = Price(job.api, job.amount_in_millicredits)

        def queue_anew(connection: Connection, hold: Hold) -> None:
            if not rows.replay(connection, job.id, hold, now_in_ms()):
                raise Conflict("The job has not ended; cancel it first, or wait.")
            if rows.open_parts(connection, job.id):
                raise Conflict("Parts of the job are still at work; wait until they have ended.")
            rows.forget_parts(connection, job.id)
            self._queue.issue(connection, [Ticket(job.id, job.priority)])

        await whatever_happens(self._held(account, price, job.request_id, queue_anew))
        self._queue.nudge()
        return await self.job(account.organization_id, job_id)

    async def _forget_input(self, job: Job) -> None:
        if job.input is not None:
            await self._blobs.delete(job.input)

    def _held(self, account: Account, price: Price, reference: str, along: Callable[[Connection, Hold], None]) -> Any:
        return self._ledger.hold(
            account,
            price,
            reference,
            expires_in_s=self._holds_for_in_s,
            companion=lambda hold: Companion(hold.id, after=lambda connection: along(connection, hold)),
        )

    def _next_of(self, job: Job) -> Callable[[Connection], None]:
        return lambda connection: self._queue.hand_on(connection, job.organization_id)

    async def _read(self, read: Callable[[Connection], Outcome]) -> Outcome:
        def reading() -> Outcome:
            with self._database.reading() as connection:
                return read(connection)

        return await asyncio.to_thread(reading)


def _drafted(account: Account, price: Price, order: Order) -> Job:
    now = now_in_ms()
    job_id = new_id(now)
    return Job(
        id=job_id,
        organization_id=account.organization_id,
        key_id=account.key_id,
        api=order.api,
        request_id=order.request_id,
        request=msgspec.json.encode(order.request).decode(),
        input=None,
        reply=None,
        base_url=order.base_url,
        webhook_url=order.webhook_url,
        delivery=order.delivery,
        hold_id="",
        amount_in_millicredits=price.amount_in_millicredits,
        status="queued",
        priority=order.priority,
        attempts=0,
        due_at_in_ms=now,
        claim=None,
        error=None,
        created_at_in_ms=now,
        started_at_in_ms=None,
        ended_at_in_ms=None,
        parent_id=order.parent_id,
        items=order.items,
    )


def _that(job: Job | None) -> Job:
    if job is None:
        raise NotFound("There is no such job; one that ended is kept for a while only.")
    return job
