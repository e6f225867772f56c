"""The sweeper: jobs of processes that died are queued anew, and what is no longer kept is deleted."""

import asyncio
import math
import time
from datetime import UTC, datetime, timedelta
from typing import Final

import structlog

from imageplane.blobs import Blobs
from imageplane.database import Database
from imageplane.database.stamps import now_in_ms
from imageplane.jobs import rows
from imageplane.jobs.job import FOLDER, Job, hour_of
from imageplane.jobs.queue import Queue, Ticket
from imageplane.settings import JobSettings

_log = structlog.get_logger("imageplane.jobs")

_RETENTION_EVERY_IN_S: Final = 600.0
_SWEEPS: Final = 3
_AT_ONCE: Final = 200
# How much later than its last possible end what lies in a folder can still belong to somebody.
_MARGIN: Final = timedelta(days=2)


class Sweeper:
    """Sweeps while it runs; several processes may do it at once."""

    def __init__(self, database: Database, blobs: Blobs, queue: Queue, settings: JobSettings) -> None:
        self._database = database
        self._blobs = blobs
        self._queue = queue
        self._settings = settings

    async def run(self) -> None:
        """Sweep a few times for each lease, and forget now and then, until cancelled."""
        forgot_at = -math.inf
        while True:
            try:
                await self.sweep()
                if time.monotonic() - forgot_at >= _RETENTION_EVERY_IN_S:
                    forgot_at = time.monotonic()
                    await self.forget()
            except Exception as error:
                _log.warning("jobs can't be swept", detail=getattr(error, "detail", None) or repr(error))
            await asyncio.sleep(self._settings.lease_in_s / _SWEEPS)

    async def sweep(self) -> int:
        """Queue anew what a process that died was working on; tells how much that was. Errors: busy."""
        found = await asyncio.to_thread(self._requeue)
        if found:
            _log.info("jobs that broke off are done again", jobs=found)
            self._queue.nudge()
        return found

    async def forget(self) -> int:
        """Delete jobs that are no longer kept, with their blobs and deliveries; tells how many. Errors: busy."""
        total = 0
        until_in_ms = now_in_ms() - round(self._settings.kept_for_in_s * 1000)
        while jobs := await asyncio.to_thread(self._old, until_in_ms):
            for job in jobs:
                await self._blobs.delete_folder(f"{job.folder}/")
            await asyncio.to_thread(self._delete, jobs, until_in_ms)
            total += len(jobs)
        await self._forget_what_no_job_has()
        return total

    async def _forget_what_no_job_has(self) -> None:
        # A process that died between storing the input of a job and the job itself leaves it here.
        kept_for = timedelta(seconds=self._settings.kept_for_in_s + self._settings.gives_up_after_in_s)
        for folder in await self._blobs.folders(f"{FOLDER}/"):
            hour = hour_of(folder)
            if hour is None or datetime.now(UTC) - hour < kept_for + _MARGIN:
                continue
            owned = await self._blobs.folders(f"{folder}/")
            ids = {name.rsplit("/", 1)[-1] for name in owned}
            known = {job.id for job in await asyncio.to_thread(self._known, ids)}
            for name in owned:
                if name.rsplit("/", 1)[-1] not in known:
                    await self._blobs.delete_folder(f"{name}/")

    def _requeue(self) -> int:
        now = now_in_ms()
        with self._database.writing() as connection:
            ids = rows.release_expired(connection, now)
            self._queue.issue(connection, [Ticket.again(job) for job in rows.of_ids(connection, ids)] if ids else [])
        return len(ids)

    def _old(self, until_in_ms: int) -> list[Job]:
        with self._database.reading() as connection:
            return rows.ended_by(connection, until_in_ms, _AT_ONCE)

    def _delete(self, jobs: list[Job], until_in_ms: int) -> None:
        with self._database.writing() as connection:
            rows.delete(connection, [job.id for job in jobs], until_in_ms)

    def _known(self, ids: set[str]) -> list[Job]:
        with self._database.reading() as connection:
            return rows.of_ids(connection, ids)
