"""The work on a job of the Image Transformation API: fetch, run in an engine, write the envelope."""

import asyncio
import time
from collections.abc import Mapping
from typing import Any, Final

from imageplane import reply, sources
from imageplane.accounts.prices import MILLICREDITS
from imageplane.blobs import Blobs
from imageplane.deadline import Deadline
from imageplane.errors import DeadlineExceeded, ImageplaneError, InternalError
from imageplane.jobs.job import Job
from imageplane.jobs.work import Done
from imageplane.request import TransformRequest
from imageplane.settings import LimitSettings
from imageplane.sources import UrlSource
from imageplane.sources.room import Room
from imageplane.sources.url import Fetcher
from imageplane.transform import Result, Transformer

# How much later than the deadline the engines may say that it has passed.
_GRACE_IN_S: Final = 1.0


class TransformWork:
    """Does what a transform request asks for."""

    def __init__(
        self, transformer: Transformer, fetcher: Fetcher, blobs: Blobs, room: Room, limits: LimitSettings
    ) -> None:
        self._transformer = transformer
        self._fetcher = fetcher
        self._blobs = blobs
        self._room = room
        self._limits = limits

    async def __call__(self, job: Job, deadline: Deadline) -> Done:
        asked = job.asked
        wanted = TransformRequest.parse(asked["transform"], self._limits)
        started = time.perf_counter()
        data = await self._source(job, asked, deadline)
        timings = {"source": round((time.perf_counter() - started) * 1000, 3)}
        with self._room.holding(data, job.organization_id):
            result = await self._result(data, wanted, deadline, job.organization_id)
        known = reply.Known(
            job.request_id,
            (*asked["warnings"], *result.warnings),
            job.amount_in_millicredits / MILLICREDITS,
            timings | result.timings_in_ms,
        )
        body = await asyncio.to_thread(reply.body_of, result, known, is_single=wanted.is_single)
        return Done(body, job.amount_in_millicredits)

    async def _source(self, job: Job, asked: Mapping[str, Any], deadline: Deadline) -> bytes:
        if job.input is not None:
            data = await self._blobs.get(job.input)
            if data is None:
                raise InternalError("The file of this job is no longer here.")
            return data
        source, _ = sources.read(asked["file"], self._limits.max_source_in_bytes)
        assert isinstance(source, UrlSource)  # noqa: S101 - what is no URL was stored
        try:
            return await self._fetcher.fetch(source.url, source.fetch_options, deadline, scope=job.organization_id)
        except ImageplaneError as error:
            raise error.at("file.url") from None

    async def _result(self, data: bytes, wanted: TransformRequest, deadline: Deadline, tenant: str) -> Result:
        future = self._transformer.transform(data, wanted, deadline, tenant)
        try:
            async with asyncio.timeout(deadline.remaining_in_s + _GRACE_IN_S):
                return await asyncio.wrap_future(future)
        except TimeoutError:
            deadline.cancel()
            raise DeadlineExceeded("The image could not be finished within the time limit.") from None
        except asyncio.CancelledError:
            deadline.cancel()
            raise
