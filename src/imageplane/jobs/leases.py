"""Leases: what this process works on, and the word to the database, every few seconds, that it still does."""

import asyncio
from typing import Final

import structlog

from imageplane.database import Database
from imageplane.database.stamps import now_in_ms
from imageplane.jobs import rows
from imageplane.jobs.job import Job

_log = structlog.get_logger("imageplane.jobs")

_RENEWED_EVERY_IN_S: Final = 5.0
_LENGTH_IN_S: Final = 30.0


class Leases:
    """The jobs that this process has claimed, each with the task that works on it; used in one event loop."""

    length_in_ms: Final = round(_LENGTH_IN_S * 1000)

    def __init__(self, database: Database) -> None:
        self._database = database
        self._held: dict[str, tuple[Job, asyncio.Task[None]]] = {}

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
            await asyncio.sleep(_RENEWED_EVERY_IN_S)
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
