"""The queue inside a server with SQLite: the rows themselves, looked at by the only process that works on them."""

import asyncio
import fcntl
import os
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import structlog
from sqlalchemy import Connection

from imageplane.database import Database
from imageplane.database.stamps import new_id, now_in_ms
from imageplane.jobs import rows
from imageplane.jobs.job import Job
from imageplane.jobs.leases import Leases
from imageplane.jobs.queue import Ticket

_log = structlog.get_logger("imageplane.jobs")

_POLL_IN_S: Final = 1.0
_LOCK: Final = "jobs.lock"


class EmbeddedQueue:
    """Tickets are not needed where one process does everything.

    Takes: `leases`, which tells what this process works on; `concurrency`, how much that may be;
    `most_per_organization`, how much of it for one. The folder holds the lock of the process that works: another server
    on the same folder takes jobs in, and leaves them to it.
    """

    def __init__(
        self, database: Database, leases: Leases, concurrency: int, most_per_organization: int, folder: Path
    ) -> None:
        self._database = database
        self._leases = leases
        self._concurrency = concurrency
        self._most_per_organization = most_per_organization
        self._folder = folder
        self._wake = asyncio.Event()

    def issue(self, connection: Connection, tickets: Sequence[Ticket]) -> None:
        """Do nothing: the rows say it all."""

    def hand_on(self, connection: Connection, organization_id: str) -> None:
        """Do nothing: who waits is looked at again."""

    def nudge(self) -> None:
        self._wake.set()

    async def run(self, claimed: Callable[[Job], "asyncio.Task[None]"]) -> None:
        if not self._concurrency:
            return
        descriptor = await self._alone()
        try:
            # What runs by its row was at work in a process that is no more.
            await asyncio.to_thread(self._take_over)
            while True:
                self._wake.clear()
                job = await self._next()
                if job is not None:
                    claimed(job)
                    continue
                try:
                    async with asyncio.timeout(_POLL_IN_S):
                        await self._wake.wait()
                except TimeoutError:
                    continue
        finally:
            os.close(descriptor)

    async def _alone(self) -> int:
        self._folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self._folder / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        is_told = False
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if not is_told:
                    _log.warning("another server with this data folder works on the jobs")
                    is_told = True
                await asyncio.sleep(_POLL_IN_S)
            else:
                return descriptor

    def _take_over(self) -> None:
        with self._database.writing() as connection:
            found = rows.release_expired(connection, rows.FOREVER_IN_MS)
        if found:
            _log.info("jobs that broke off are done again", jobs=len(found))

    async def _next(self) -> Job | None:
        working = Counter(job.organization_id for job in self._leases.jobs)
        if sum(working.values()) >= self._concurrency:
            return None
        try:
            return await asyncio.to_thread(self._claimed, working)
        except Exception as error:
            _log.warning("jobs can't be looked for", exc_info=error, detail=getattr(error, "detail", None))
            return None

    def _claimed(self, working: Counter[str]) -> Job | None:
        full = {name for name, count in working.items() if count >= self._most_per_organization}
        now = now_in_ms()
        with self._database.reading() as connection:
            # Who has nothing at work comes first.
            job_id = rows.next_due(connection, working.keys(), now) if working else None
            job_id = job_id or rows.next_due(connection, full, now)
        if job_id is None:
            return None
        with self._database.writing() as connection:
            return rows.claim(connection, job_id, new_id(now), now, now + self._leases.length_in_ms)
