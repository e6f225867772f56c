"""The worker: does claimed jobs, and sees to what comes of each: done, failed, or to be tried again."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Final, TypeVar

import msgspec
import structlog
from sqlalchemy import Connection

from imageplane.accounts.ledger import Companion, Ledger, Overtaken
from imageplane.accounts.waiting import whatever_happens
from imageplane.blobs import Blobs
from imageplane.database import Database
from imageplane.database.stamps import now_in_ms
from imageplane.deadline import Deadline
from imageplane.errors import (
    Busy,
    DeadlineExceeded,
    ImageplaneError,
    InsufficientCredits,
    InternalError,
    MissingSource,
    UnreachableSource,
)
from imageplane.jobs import deliveries, rows
from imageplane.jobs.deliveries import Wish
from imageplane.jobs.job import Failure, Job
from imageplane.jobs.leases import Leases
from imageplane.jobs.queue import Queue, Ticket
from imageplane.jobs.work import Done, Later, Work
from imageplane.settings import JobSettings
from imageplane.sources.location import Location

_log = structlog.get_logger("imageplane.jobs")

Outcome = TypeVar("Outcome")

_FIRST_PAUSE_IN_S: Final = 1.0
_LONGEST_PAUSE_IN_S: Final = 300.0
_MOST_UNREACHABLE: Final = 4
# Work that is done is not thrown away because a database restarts.
_PATIENCE_IN_S: Final = (0.5, 1.0, 2.0, 4.0, 8.0, 8.0)


class Worker:
    """Does jobs.

    Takes: a `Work` for each API; `on_end`, called in the event loop when a job has ended.
    """

    def __init__(  # noqa: PLR0913, PLR0917 - all that a job touches
        self,
        database: Database,
        ledger: Ledger,
        blobs: Blobs,
        queue: Queue,
        leases: Leases,
        works: Mapping[str, Work],
        settings: JobSettings,
        on_end: Callable[[Job], None],
    ) -> None:
        self._database = database
        self._ledger = ledger
        self._blobs = blobs
        self._queue = queue
        self._leases = leases
        self._works = works
        self._settings = settings
        self._on_end = on_end

    def take(self, job: Job) -> "asyncio.Task[None]":
        """Start to do a job that was claimed; to be called in the event loop."""
        task = asyncio.create_task(self._do(job))
        self._leases.hold(job, task)
        return task

    async def _do(self, job: Job) -> None:
        started = time.monotonic()
        try:
            outcome = await self._outcome(job)
            await self._end(job, outcome)
        except Later as later:
            await asyncio.to_thread(self._put_back, job, later.pause_in_s, job.attempts - 1)
        except Overtaken:
            # Cancelled, or done by another since.
            _log.info("a job was no longer ours", job_id=job.id)
        except asyncio.CancelledError:
            raise
        except Exception as error:
            # The lease runs out, and it is done again.
            _log.warning(
                "a job could not be ended", job_id=job.id, error=repr(error), detail=getattr(error, "detail", None)
            )
        finally:
            self._queue.nudge()
        _log.debug("job", job_id=job.id, took_in_s=round(time.monotonic() - started, 3))

    async def _outcome(self, job: Job) -> Done | ImageplaneError:
        if job.attempts > self._settings.max_attempts:
            return InternalError("The work on this was broken off again and again.")
        work = self._works.get(job.api)
        if work is None:
            return InternalError("This server does no jobs of this kind.", detail=job.api)
        try:
            return await work(job, Deadline.after(self._settings.deadline_in_s))
        except ImageplaneError as error:
            return error
        except Later:
            raise
        except Exception as error:
            _log.exception("job failed", job_id=job.id)
            return InternalError("Something went wrong here.", detail=repr(error))

    async def _end(self, job: Job, outcome: Done | ImageplaneError) -> None:
        if isinstance(outcome, Done):
            await self._succeed(job, outcome)
        elif (pause_in_s := self._pause_in_s(job, outcome)) is not None:
            await asyncio.to_thread(self._put_back, job, pause_in_s, job.attempts)
            return
        else:
            await self._fail(job, outcome)
        self._on_end(job)

    def _pause_in_s(self, job: Job, error: ImageplaneError) -> float | None:
        """Give after how long a failed attempt is worth another, if it is."""
        if job.attempts >= self._most_attempts(error):
            return None
        pause_in_s = min(_FIRST_PAUSE_IN_S * 4.0 ** (job.attempts - 1), _LONGEST_PAUSE_IN_S)
        pause_in_s = max(pause_in_s, error.retry_after_in_s or 0) * random.uniform(1, 1.5)  # noqa: S311 - jitter
        # A job that is replayed has its time once more.
        begun_at_in_ms = job.created_at_in_ms if job.started_at_in_ms is None else job.started_at_in_ms
        gives_up_at_in_ms = begun_at_in_ms + self._settings.gives_up_after_in_s * 1000
        return pause_in_s if now_in_ms() + pause_in_s * 1000 < gives_up_at_in_ms else None

    def _most_attempts(self, error: ImageplaneError) -> int:
        """Give how often work that fails like this is done."""
        if isinstance(error, (MissingSource, DeadlineExceeded)):
            return 1
        if isinstance(error, UnreachableSource):
            return min(_MOST_UNREACHABLE, self._settings.max_attempts)
        return self._settings.max_attempts if error.retryable else 1

    async def _succeed(self, job: Job, done: Done) -> None:
        name = f"{job.folder}/reply-{job.claim}"
        await _patiently(lambda: self._blobs.put(name, done.body))
        companion = self._companion(
            job, lambda connection: rows.succeed(connection, job, name, now_in_ms(), done.items), len(done.body)
        )
        try:
            await _patiently(
                lambda: whatever_happens(self._ledger.settle(job.hold, done.amount_in_millicredits, companion))
            )
        except InsufficientCredits as error:
            # What was held for it had to be given back meanwhile, and was spent.
            await self._fail(job, error)

    async def _fail(self, job: Job, error: ImageplaneError) -> None:
        _log.info("job failed", job_id=job.id, code=error.code, detail=error.detail, attempts=job.attempts)
        told = msgspec.json.encode(Failure.of(error)).decode()
        companion = self._companion(job, lambda connection: rows.fail(connection, job, told, now_in_ms()), 0)
        await _patiently(lambda: whatever_happens(self._ledger.release(job.hold, companion)))

    def _companion(self, job: Job, end: Callable[[Connection], bool], size_in_bytes: int) -> Companion:
        def after(connection: Connection) -> None:
            if job.webhook_url is not None:
                receiver = Location.parse(job.webhook_url)
                wish = Wish(job.organization_id, job.id, receiver, job.delivery, size_in_bytes)
                deliveries.insert(connection, [wish], now_in_ms())
            self._queue.hand_on(connection, job.organization_id)

        return Companion(job.id, before=end, after=after)

    def _put_back(self, job: Job, pause_in_s: float, attempts: int) -> None:
        due_at_in_ms = now_in_ms() + round(pause_in_s * 1000)
        with self._database.writing() as connection:
            if rows.put_back(connection, job, due_at_in_ms, attempts):
                self._queue.issue(connection, [Ticket(job.id, job.priority, due_at_in_ms)])
                # While it waits, another of its organization has its place.
                self._queue.hand_on(connection, job.organization_id)

    async def give_back(self) -> None:
        """Stop, and have what was at work done by others, as if it had not been begun."""
        jobs, tasks = self._leases.jobs, self._leases.tasks
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if not jobs:
            return
        try:
            await asyncio.to_thread(self._return, jobs)
        except ImageplaneError as error:
            # Their leases run out all the same.
            _log.warning("jobs can't be given back", jobs=len(jobs), detail=error.detail)

    def _return(self, jobs: list[Job]) -> None:
        with self._database.writing() as connection:
            for job in jobs:
                if rows.put_back(connection, job, job.due_at_in_ms, job.attempts - 1):
                    self._queue.issue(connection, [Ticket.again(job)])


async def _patiently(what: Callable[[], Awaitable[Outcome]]) -> Outcome:
    for pause_in_s in _PATIENCE_IN_S:
        try:
            return await what()
        except Busy:
            await asyncio.sleep(pause_in_s)
    return await what()
