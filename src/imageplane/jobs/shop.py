"""The shop: all that deals with jobs in one process, opened together and closed together."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Final

from imageplane.accounts.books import Books
from imageplane.jobs.bulk.over_jobs import BULK_API, CHUNK_API, ChunkWork, SplitWork
from imageplane.jobs.courier import Courier
from imageplane.jobs.desk import Desk
from imageplane.jobs.embedded_queue import EmbeddedQueue
from imageplane.jobs.leases import Leases
from imageplane.jobs.queue import Queue
from imageplane.jobs.receiver import Mail
from imageplane.jobs.results import Results
from imageplane.jobs.sweeper import Sweeper
from imageplane.jobs.ticket_schema import prepare
from imageplane.jobs.tickets import TicketQueue
from imageplane.jobs.transforming import TransformWork
from imageplane.jobs.work import Work
from imageplane.jobs.worker import Worker
from imageplane.settings import Settings
from imageplane.sources.room import Room
from imageplane.sources.url import Fetcher
from imageplane.transform import Transformer

TRANSFORM: Final = "image_transformation"
_CLOSING_AGAIN_IN_S: Final = 0.1


@dataclass(frozen=True, slots=True)
class Tools:
    """What jobs are done with: engines, downloads, and the room that files take up."""

    transformer: Transformer
    fetcher: Fetcher
    room: Room


@dataclass(frozen=True, slots=True)
class Shop:
    """What doors use of the jobs."""

    desk: Desk
    results: Results
    courier: Courier
    leases: Leases


def queue_of(settings: Settings, books: Books, leases: Leases) -> Queue:
    """Give the queue that goes with the database, whose tables are made where they are missing. Errors: busy."""
    jobs = settings.jobs
    most = jobs.max_concurrent_per_organization
    if books.database.is_sqlite:
        return EmbeddedQueue(books.database, leases, jobs.concurrency, most, settings.data_dir)
    prepare(books.database)
    return TicketQueue(books.database, leases, jobs.concurrency, most)


def desk_of(settings: Settings, books: Books) -> Desk:
    """Give a desk for a process that works on no jobs."""
    queue = queue_of(settings, books, Leases(books.database, settings.jobs.lease_in_s))
    return Desk(books.database, books.ledger, books.blobs, queue, settings.jobs.gives_up_after_in_s)


@contextlib.asynccontextmanager
async def opened(settings: Settings, books: Books, tools: Tools) -> AsyncIterator[Shop]:
    """Work on jobs and send webhooks until the end of the block; then what is at work is left to others."""
    database, leases = books.database, Leases(books.database, settings.jobs.lease_in_s)
    queue = queue_of(settings, books, leases)
    results = Results(database, books.blobs, settings.webhooks.link_lifetime_in_s)
    mail = Mail(settings.webhooks, settings.sources)
    async with Courier(database, settings.webhooks, mail, results.webhook_body) as courier:
        desk = Desk(database, books.ledger, books.blobs, queue, settings.jobs.gives_up_after_in_s)
        works = _works(settings, books, tools, desk)
        worker = Worker(
            database, books.ledger, books.blobs, queue, leases, works, settings.jobs, lambda _: courier.nudge()
        )
        sweeper = Sweeper(database, books.blobs, queue, settings.jobs)
        running = [asyncio.create_task(each) for each in (queue.run(worker.take), leases.run(), sweeper.run())]
        try:
            yield Shop(desk, results, courier, leases)
        finally:
            await _close(running, worker)


async def _close(running: "list[asyncio.Task[None]]", worker: Worker) -> None:
    for task in running:
        task.cancel()
    ending = asyncio.gather(*running, return_exceptions=True)
    # A queue may wait for what it had done, or have something done that it was about to claim.
    while not ending.done():
        await worker.give_back()
        await asyncio.wait([ending], timeout=_CLOSING_AGAIN_IN_S)
    await worker.give_back()


def _works(settings: Settings, books: Books, tools: Tools, desk: Desk) -> dict[str, Work]:
    transformer, fetcher, room = tools.transformer, tools.fetcher, tools.room
    return {
        TRANSFORM: TransformWork(transformer, fetcher, books.blobs, room, settings.limits),
        BULK_API: SplitWork(desk, fetcher, books.blobs, books.database, settings),
        CHUNK_API: ChunkWork(transformer, fetcher, room, settings),
    }
