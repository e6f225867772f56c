"""All that jobs are made of, on books of a test, in one process and without a server."""

import asyncio
import functools
from collections.abc import Callable, Coroutine, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from banking import PRICE, new_account
from sqlalchemy import Connection, text

from imageplane.accounts.account import Account
from imageplane.accounts.books import Books
from imageplane.database.stamps import new_id, now_in_ms
from imageplane.deadline import Deadline
from imageplane.jobs import rows
from imageplane.jobs.desk import Desk, Order
from imageplane.jobs.job import Job
from imageplane.jobs.leases import Leases
from imageplane.jobs.queue import Queue, Ticket
from imageplane.jobs.work import Done, Work
from imageplane.jobs.worker import Worker
from imageplane.settings import JobSettings

PATIENCE_IN_S = 60
HOOK = "https://app.example.com/hook?token=s3cret"


def patiently(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    """Run a test that is a coroutine, in an event loop of its own and not forever."""

    @functools.wraps(test)
    def run(*arguments: Any, **named: Any) -> None:
        async def bounded() -> None:
            async with asyncio.timeout(PATIENCE_IN_S):
                await test(*arguments, **named)

        asyncio.run(bounded())

    return run


async def until(is_so: Callable[[], object]) -> None:
    while not is_so():
        await asyncio.sleep(0.01)


@dataclass
class PaperQueue:
    """A queue that only notes what it is told."""

    issued: list[Ticket] = field(default_factory=list)
    handed_on: list[str] = field(default_factory=list)
    nudges: int = 0

    def issue(self, connection: Connection, tickets: Sequence[Ticket]) -> None:  # noqa: ARG002
        self.issued += tickets

    def hand_on(self, connection: Connection, organization_id: str) -> None:  # noqa: ARG002
        self.handed_on.append(organization_id)

    def nudge(self) -> None:
        self.nudges += 1

    async def run(self, claimed: Callable[[Job], "asyncio.Task[None]"]) -> None:
        raise NotImplementedError


@dataclass
class Script:
    """Work that does for each attempt what comes next: gives what it is, or raises it."""

    steps: Iterator[Done | BaseException]
    seen: list[Job] = field(default_factory=list)

    async def __call__(self, job: Job, deadline: Deadline) -> Done:  # noqa: ARG002
        self.seen.append(job)
        step = next(self.steps)
        if isinstance(step, BaseException):
            raise step
        return step


@dataclass
class Gate:
    """Work that waits until it may go on."""

    may_go_on: asyncio.Event = field(default_factory=asyncio.Event)
    seen: list[Job] = field(default_factory=list)

    async def __call__(self, job: Job, deadline: Deadline) -> Done:  # noqa: ARG002
        self.seen.append(job)
        await self.may_go_on.wait()
        return DONE


DONE = Done(b'{"success":true}', PRICE.amount_in_millicredits)


class Bench:
    """A desk and workers for one organization.

    Takes: a queue; one that only notes what it is told without it.
    """

    def __init__(self, books: Books, queue: Queue | None = None, account: Account | None = None) -> None:
        self.books = books
        self.paper = PaperQueue()
        self.queue = queue or self.paper
        self.account = account or new_account(books, 10)
        self.leases = Leases(books.database)
        self.desk = Desk(books.database, books.ledger, books.blobs, self.queue, 86_400)
        self.ended: list[str] = []

    def order(self, **changes: Any) -> Order:
        fixed = {"api": PRICE.api, "request_id": new_id(), "request": {"a": 1}, "data": None, "base_url": "http://here"}
        return Order(**(fixed | changes))

    async def accept(self, **changes: Any) -> Job:
        job = await self.desk.accept(self.account, PRICE, self.order(**changes))
        # Of one millisecond, chance would decide which is the first.
        await until(lambda: now_in_ms() > job.created_at_in_ms)
        return job

    def worker(self, work: Work, **settings: Any) -> Worker:
        return Worker(
            self.books.database,
            self.books.ledger,
            self.books.blobs,
            self.queue,
            self.leases,
            {PRICE.api: work},
            JobSettings(**settings),
            lambda job: self.ended.append(job.id),
        )

    def claim(self, job: Job, lasts_for_in_s: float = 60) -> Job:
        """Claim a job, due or not."""
        now = now_in_ms()
        self.change("UPDATE jobs SET due_at_in_ms = :now WHERE id = :id AND status = 'queued'", id=job.id, now=now)
        with self.books.database.writing() as connection:
            found = rows.claim(connection, job.id, new_id(), now, now + round(lasts_for_in_s * 1000))
        assert found is not None
        return found

    async def attempt(self, worker: Worker, job: Job) -> Job:
        """Claim a job, have it done, and give what it is then."""
        await worker.take(self.claim(job))
        return self.look(job)

    def look(self, job: Job) -> Job:
        with self.books.database.reading() as connection:
            (found,) = rows.of_ids(connection, [job.id])
        return found

    def change(self, words: str, **values: Any) -> None:
        with self.books.database.writing() as connection:
            connection.execute(text(words), values)

    def count(self, table: str) -> int:
        with self.books.database.reading() as connection:
            found: int = connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one()  # noqa: S608
        return found

    async def blobs(self) -> list[str]:
        return sorted(entry.name for entry in await self.books.blobs.entries("jobs/"))
