"""Leases: what this process works on, and the word to the database, again and again, that it still does."""

import asyncio
from typing import Final

import structlog

from imageplane.database import Database
from imageplane.database.stamps import now_in_ms
from imageplane.jobs import rows
from imageplane.jobs.job import Job

_log = structlog.get_logger("imageplane.jobs")

LENGTH_IN_S: Final = 30.0
# So many renewals may fail until somebody else takes the work for abandoned.
_RENEWALS: Final = 6


class Leases:
    """The jobs that this process has claimed, each with the task that works on it; used in one event loop.

    Takes: `length_in_s`, after how long of silence others may take what this process works on.
    """

    def __init__(self, database: Database, length_in_s: float = LENGTH_IN_S) -> None:
        self.length_in_s = length_in_s
        self._database = database
        self._held: dict[str, tuple[Job, asyncio.Task[None]]] = {}

    @property
    def length_in_ms(self) -> int:
        """The same in milliseconds."""
        return round(self.length_in_s * 1000)

    @property
    def jobs(self) -> list[Job]:
        """What is at work."""
        return [job for job, _ in self._held.values()]

    @property
    def tasks(self) -> list[asyncio.Task[None]]:
        """Who works on it."""
        return [task for _, task in self._held.values()]

    def hold(self, job: Job, task: asyncio.Task[None]) -> None:
        """Hold the lease of a job until its task ends."""
        claim = str(job.claim)
        self._held[claim] = job, task
        task.add_done_callback(lambda _: self._held.pop(claim, None))

    async def run(self) -> None:
        """Renew what is held, and end the work on what is lost, until cancelled."""
        while True:
            await asyncio.sleep(self.length_in_s / _RENEWALS)
            await self.renew()

    async def renew(self) -> None:
        """Renew what is held now, and end the work on what is lost: cancelled, or taken by another process."""
        claims = list(self._held)
        if not claims:
            return
        try:
            kept = await asyncio.to_thread(self._renewed, claims)
        except Exception as error:
            # A lease outlasts several of these.
            _log.warning("leases can't be renewed", detail=getattr(error, "detail", None) or repr(error))
            return
        for claim in claims:
            if claim not in kept and claim in self._held:
                self._held[claim][1].cancel()

    def _renewed(self, claims: list[str]) -> set[str]:
        with self._database.writing() as connection:
            return rows.renew(connection, claims, now_in_ms() + self.length_in_ms)
