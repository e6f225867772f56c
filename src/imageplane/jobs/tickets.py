"""The queue of installations with PostgreSQL: tickets in Procrastinate, which any number of processes draw.

A ticket is written in the transaction that makes its job ready, so that there is never one without the other. What it
says is only that the job may be worth a look: the row decides.
"""

import asyncio
import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final

import procrastinate
import structlog
from procrastinate.exceptions import ConnectorException
from procrastinate.jobs import Job as StoredTicket
from procrastinate.jobs import Status
from sqlalchemy import Connection

from imageplane.database import Database
from imageplane.database.stamps import new_id, now_in_ms
from imageplane.jobs import rows
from imageplane.jobs.job import Job
from imageplane.jobs.leases import Leases
from imageplane.jobs.queue import Ticket

_log = structlog.get_logger("imageplane.jobs")

_QUEUE: Final = "imageplane"
_TASK: Final = "imageplane.job"
_POLL_IN_S: Final = 2.0
_AGAIN_IN_S: Final = 2
# Parts of a lease: how often a process says that it lives, after what silence it is taken for dead, and how often
# somebody looks whether one is.
_HEARTBEAT: Final = 1 / 6
_STALLED_AFTER: Final = 2 / 3
_SWEEP_EVERY: Final = 1 / 3


class TicketQueue:
    """Tickets in PostgreSQL.

    Takes: `concurrency`, how many jobs this process works on at once; `most_per_organization`, how many all processes
    together work on for one.
    """

    def __init__(self, database: Database, leases: Leases, concurrency: int, most_per_organization: int) -> None:
        self._database = database
        self._leases = leases
        self._concurrency = concurrency
        self._most_per_organization = most_per_organization
        # Never opened: it writes over the connections that it is given.
        self._writing = procrastinate.App(connector=procrastinate.SyncPsycopgConnector())

    def issue(self, connection: Connection, tickets: Sequence[Ticket]) -> None:
        if not tickets:
            return
        driver = connection.connection.driver_connection
        with _as_the_driver_says():
            self._writing.job_manager.batch_defer_jobs([_stored(each) for each in tickets], connection=driver)

    def hand_on(self, connection: Connection, organization_id: str) -> None:
        unparked = rows.unpark(connection, organization_id, self._most_per_organization)
        self.issue(connection, [Ticket.of(job) for job in unparked])

    def nudge(self) -> None:
        """Do nothing: the database tells who listens."""

    async def run(self, claimed: Callable[[Job], "asyncio.Task[None]"]) -> None:
        if not self._concurrency:
            return
        while True:
            try:
                await self._work(claimed)
            except Exception as error:
                # Workers of Procrastinate end when the database restarts.
                _log.warning("jobs can't be looked for", error=type(error).__name__)
            await asyncio.sleep(_AGAIN_IN_S)

    async def _work(self, claimed: Callable[[Job], "asyncio.Task[None]"]) -> None:
        address = self._database.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
        connector = procrastinate.PsycopgConnector(conninfo=address, min_size=1, max_size=4, timeout=10)
        app = procrastinate.App(connector=connector)

        # A ticket that could not be looked at comes again: without it nobody would ever look at its job.
        @app.task(name=_TASK, queue=_QUEUE, retry=procrastinate.RetryStrategy(wait=_AGAIN_IN_S))
        async def do(job_id: str) -> None:
            job = await asyncio.to_thread(self._claimed, job_id)
            if job is not None:
                await asyncio.wait([claimed(job)])

        async with app.open_async():
            sweeping = asyncio.create_task(self._sweep(app))
            try:
                await app.run_worker_async(
                    queues=[_QUEUE],
                    concurrency=self._concurrency,
                    install_signal_handlers=False,
                    delete_jobs="always",
                    fetch_job_polling_interval=_POLL_IN_S,
                    update_heartbeat_interval=self._leases.length_in_s * _HEARTBEAT,
                    stalled_worker_timeout=self._leases.length_in_s * _STALLED_AFTER,
                )
            finally:
                sweeping.cancel()

    async def _sweep(self, app: procrastinate.App) -> None:
        """Replace the tickets that nobody will end, and look after what is parked."""
        length_in_s = self._leases.length_in_s
        drawn: dict[int | None, StoredTicket] = {}
        while True:
            await asyncio.sleep(length_in_s * _SWEEP_EVERY)
            try:
                before, drawn = drawn, await self._drawn(app)
                stalled = await app.job_manager.get_stalled_jobs(
                    queue=_QUEUE, seconds_since_heartbeat=length_in_s * _STALLED_AFTER
                )
                idle = await asyncio.to_thread(self._idle, [drawn[name] for name in drawn.keys() & before.keys()])
                for ticket in {each.id: each for each in (*stalled, *idle)}.values():
                    await asyncio.to_thread(self._reissue, _job_id_of(ticket))
                    await app.job_manager.finish_job(ticket, Status.FAILED, delete_job=True)
                await asyncio.to_thread(self._unpark)
            except Exception as error:
                _log.warning("tickets can't be swept", error=type(error).__name__)

    async def _drawn(self, app: procrastinate.App) -> dict[int | None, StoredTicket]:
        found = await app.job_manager.list_jobs_async(queue=_QUEUE, status=Status.DOING.value)
        return {ticket.id: ticket for ticket in found}

    def _idle(self, tickets: Sequence[StoredTicket]) -> list[StoredTicket]:
        """Give those of tickets drawn a while ago whose job nobody works on.

        Where a connection broke, the word that a ticket was drawn, or is done with, was lost, and who drew it lives on.
        """
        with self._database.reading() as connection:
            jobs = rows.of_ids(connection, [_job_id_of(ticket) for ticket in tickets])
        running = {job.id for job in jobs if job.status == "running"}
        return [ticket for ticket in tickets if _job_id_of(ticket) not in running]

    def _reissue(self, job_id: str) -> None:
        # What was claimed gets a ticket when its lease is over; who died before that left a job that only waits.
        with self._database.writing() as connection:
            waiting = [job for job in rows.of_ids(connection, [job_id]) if job.status == "queued"]
            self.issue(connection, [replace(Ticket.again(job), due_at_in_ms=job.due_at_in_ms) for job in waiting])

    def _unpark(self) -> None:
        with self._database.reading() as connection:
            organizations = rows.parking(connection)
        for organization_id in organizations:
            with self._database.writing() as connection:
                self.hand_on(connection, organization_id)

    def _claimed(self, job_id: str) -> Job | None:
        until = now_in_ms() + self._leases.length_in_ms
        with self._database.writing() as connection:
            return rows.claim_within(connection, job_id, new_id(), until, self._most_per_organization)


def _job_id_of(ticket: StoredTicket) -> str:
    return str(ticket.task_kwargs["job_id"])


def _stored(ticket: Ticket) -> StoredTicket:
    due_at = ticket.due_at_in_ms
    return StoredTicket(
        queue=_QUEUE,
        task_name=_TASK,
        priority=ticket.priority,
        lock=None,
        queueing_lock=None,
        task_kwargs={"job_id": ticket.job_id},
        scheduled_at=None if due_at is None else datetime.fromtimestamp(due_at / 1000, UTC),
    )


@contextlib.contextmanager
def _as_the_driver_says() -> Iterator[None]:
    try:
        yield
    except ConnectorException as error:
        # What the database says of itself is read from the error of its driver.
        cause: Any = error.__cause__
        raise cause or error from error
