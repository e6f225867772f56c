"""A bulk over jobs: one job reads the manifest and hands in its chunks as jobs, which any worker does."""

import asyncio
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final

import msgspec

from imageplane import sources
from imageplane.accounts.account import Account
from imageplane.accounts.prices import Price
from imageplane.blobs import Blobs
from imageplane.database import Database
from imageplane.deadline import Deadline
from imageplane.errors import Fault, ImageplaneError, RequestError
from imageplane.jobs import rows
from imageplane.jobs.bulk.chunk import Bench, ChunkRun
from imageplane.jobs.bulk.chunks import Chunk, cut
from imageplane.jobs.bulk.items import Item
from imageplane.jobs.bulk.journal import Journal
from imageplane.jobs.bulk.manifest import Manifest
from imageplane.jobs.bulk.outcome import Outcome
from imageplane.jobs.bulk.reader import Reader
from imageplane.jobs.bulk.recipe import Recipe
from imageplane.jobs.desk import Desk, Order
from imageplane.jobs.job import BULK, Job
from imageplane.jobs.rows import Parts
from imageplane.jobs.work import Done, Later
from imageplane.request import TransformRequest
from imageplane.settings import Settings
from imageplane.sources import UrlSource
from imageplane.sources.room import Room
from imageplane.sources.url import Fetcher
from imageplane.transform import Transformer, options_of

BULK_API: Final = "bulk"
CHUNK_API: Final = "bulk_chunk"
# Below the folder of the bulk.
OUTPUTS: Final = "outputs"
_CHUNK_SIZE: Final = 200
_LOOKED_AT_EVERY_IN_S: Final = 2.0
_HANDED_IN: Final = "handed-in"
# An attempt ends in good order so long before its deadline.
_RESERVE_IN_S: Final = 20.0


class SplitWork:
    """Reads the manifest of a bulk, hands its chunks in, and ends when they have ended."""

    def __init__(self, desk: Desk, fetcher: Fetcher, blobs: Blobs, database: Database, settings: Settings) -> None:
        self._desk = desk
        self._fetcher = fetcher
        self._blobs = blobs
        self._database = database
        self._settings = settings

    async def __call__(self, job: Job, deadline: Deadline) -> Done:
        mark = f"{job.folder}/{_HANDED_IN}-{job.hold_id}"
        if await self._blobs.head(mark) is None:
            await self._hand_in(job, deadline)
            await self._blobs.put(mark, b"")
        parts = await asyncio.to_thread(self._parts, job.id)
        if parts.ended < parts.jobs:
            raise Later(_LOOKED_AT_EVERY_IN_S)
        told = {"total": parts.items, "done": parts.items_done, "failed": parts.items_failed}
        body = msgspec.json.encode({"success": True, "data": told})
        return Done(body, job.amount_in_millicredits, (parts.items_done, parts.items_failed))

    async def _hand_in(self, job: Job, deadline: Deadline) -> None:
        asked = job.asked
        source, _ = sources.read(asked["manifest"], self._settings.limits.max_source_in_bytes, "manifest")
        if not isinstance(source, UrlSource):
            raise RequestError.of([Fault("manifest", "expected the URL of a file")])
        try:
            data = await self._fetcher.fetch(source.url, source.fetch_options, deadline, scope=job.organization_id)
        except ImageplaneError as error:
            raise error.at("manifest.url") from None
        account = Account(job.organization_id, "", job.key_id, "")
        with tempfile.TemporaryDirectory() as folder:
            # As the manifest is called where it is at fault.
            path = Path(folder, "manifest")
            await asyncio.to_thread(path.write_bytes, data)
            manifest = Manifest(path)
            await manifest.count()
            async for chunk in cut(_fetched_only(manifest), _CHUNK_SIZE):
                await self._desk.accept(account, self._price(chunk), _order(job, asked, chunk))

    def _price(self, chunk: Chunk) -> Price:
        return Price(CHUNK_API, len(chunk.items) * self._settings.prices.transform_in_millicredits)

    def _parts(self, job_id: str) -> Parts:
        with self._database.reading() as connection:
            return rows.parts(connection, job_id)


async def _fetched_only(manifest: Manifest) -> AsyncIterator[Item]:
    async for item in manifest.items():
        if item.kind != "url":
            # Paths would be those of a server, and keys those of its store.
            raise RequestError.of([Fault(f"manifest, line {item.line}", "expected a url")])
        yield item


def _order(job: Job, asked: dict[str, Any], chunk: Chunk) -> Order:
    return Order(
        CHUNK_API,
        job.request_id,
        {"transform": asked["transform"], "folder": job.folder, "chunk": msgspec.to_builtins(chunk)},
        None,
        job.base_url,
        # A process that died in the middle hands the same chunks in again.
        idempotency=f"{job.id} {job.hold_id} {chunk.id}".encode(),
        priority=BULK,
        parent_id=job.id,
        items=len(chunk.items),
    )


class ChunkWork:
    """Makes the outputs of one chunk of a bulk."""

    def __init__(self, transformer: Transformer, fetcher: Fetcher, room: Room, settings: Settings) -> None:
        self._transformer = transformer
        self._fetcher = fetcher
        self._room = room
        self._settings = settings

    async def __call__(self, job: Job, deadline: Deadline) -> Done:
        asked = job.asked
        chunk = msgspec.convert(asked["chunk"], Chunk)
        bench = self._bench(job, TransformRequest.parse(asked["transform"], self._settings.limits), asked["folder"])
        outcomes: list[Outcome] = []
        await bench.journal.recover_chunk(chunk.id)
        stopping = asyncio.create_task(_stop(bench, deadline))
        try:
            await ChunkRun(bench, chunk, outcomes.append).run()
        finally:
            stopping.cancel()
        if len(outcomes) < len(chunk.items):
            raise Later(0)
        failures = [each.line for each in outcomes if each.status == "failed"]
        done = len(outcomes) - len(failures)
        body = msgspec.json.encode({"success": True, "data": {"done": done, "failures": failures}})
        return Done(body, done * (job.amount_in_millicredits // len(chunk.items)), (done, len(failures)))

    def _bench(self, job: Job, wanted: TransformRequest, folder: str) -> Bench:
        destination = blobs_below(self._settings, f"{folder}/{OUTPUTS}")
        return Bench(
            Recipe.of(wanted, options_of(self._settings)),
            Reader(self._settings.limits, self._fetcher, room=self._room),
            self._transformer,
            destination,
            Journal(destination),
            job.claim or job.id,
            self._settings.engine.count,
            # Another than its organization, whose requests shall not wait behind it.
            tenant=f"bulks of {job.organization_id}",
        )


async def _stop(bench: Bench, deadline: Deadline) -> None:
    await asyncio.sleep(max(0.0, deadline.remaining_in_s - _RESERVE_IN_S))
    bench.stopping.set()


def blobs_below(settings: Settings, folder: str) -> Blobs:
    """Give the part of the store of these settings that is a folder of it."""
    url = settings.blobs.url
    return Blobs.at(None if url is None else f"{url.rstrip('/')}/{folder}", settings.data_dir / "blobs" / folder)
