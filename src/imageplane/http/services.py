"""What a running server has: engines, books, downloads and counters, opened together and closed together."""

import asyncio
import contextlib
import gc
from collections.abc import AsyncIterator
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Final

import structlog
from starlette.requests import Request

from imageplane.accounts.books import Books
from imageplane.accounts.metering import Meter
from imageplane.blobs import Blobs
from imageplane.cache import ResultCache
from imageplane.engine.pool import Pool
from imageplane.errors import ImageplaneError
from imageplane.http.admission import Admission
from imageplane.http.metrics import Metrics
from imageplane.http.rates import Rates
from imageplane.jobs import shop
from imageplane.jobs.shop import Shop, Tools
from imageplane.machine import return_freed_memory
from imageplane.settings import Settings
from imageplane.sources.room import Room
from imageplane.sources.url import Fetcher
from imageplane.transform import Transformer, options_of, outfit_of

_log = structlog.get_logger("imageplane.http")
_SWEEP_EVERY_IN_S: Final = 30.0
_WRITE_EVERY_IN_S: Final = 1.0
# A hold lives longer than any request, so that only what a killed process held is ever given back by the sweeper.
_HOLDS_LONGER_BY_IN_S: Final = 30.0


@dataclass(frozen=True, slots=True)
class Services:
    """Everything that routes use."""

    settings: Settings
    metrics: Metrics
    rates: Rates
    books: Books
    meter: Meter
    admission: Admission
    fetcher: Fetcher
    pool: Pool
    transformer: Transformer
    cache: ResultCache | None
    jobs: Shop

    @property
    def runs_for_in_s(self) -> float:
        """After how long nobody can still be working on a request."""
        return _runs_for_in_s(self.settings)


def _runs_for_in_s(settings: Settings) -> float:
    return settings.http.deadline_in_s + _HOLDS_LONGER_BY_IN_S


def services_of(request: Request) -> Services:
    """Give the services of the server that answers a request."""
    services: Services = request.app.state.services
    return services


@contextlib.asynccontextmanager
async def opened(settings: Settings, metrics: Metrics, books: Books) -> AsyncIterator[Services]:
    """Start engines and downloads on books that are open; all of it ends with the block, the books too."""
    async with contextlib.AsyncExitStack() as stack:
        stack.push_async_callback(asyncio.to_thread, books.close)
        rates = Rates(settings.limits)
        stack.push_async_callback(rates.close)
        room = Room(settings.admission.memory_in_bytes)
        fetcher = Fetcher(settings.sources, settings.limits.max_source_in_bytes, room=room)
        await stack.enter_async_context(fetcher)
        pool = Pool.of(settings.engine, outfit_of(settings))
        pool.confinement.add_done_callback(_tell_confinement)
        stack.push_async_callback(asyncio.to_thread, pool.close)
        admission = Admission(room, pool.crowd, settings.limits.max_body_in_bytes)
        metrics.watch_engines(pool)
        metrics.watch_admission(room)
        transformer = Transformer(pool, options_of(settings))
        services = Services(
            settings,
            metrics,
            rates,
            books,
            Meter(books.ledger, _runs_for_in_s(settings)),
            admission,
            fetcher,
            pool,
            transformer,
            await _cache(settings, stack),
            await stack.enter_async_context(shop.opened(settings, books, Tools(transformer, fetcher, room))),
        )
        metrics.watch_jobs(services.jobs.desk.counts)
        metrics.watch_recent(books.recent)
        for running in (_sweep(books), _write_recent(books)):
            stack.callback(asyncio.create_task(running).cancel)
        # What is here now stays; looking through it again and again would hold up everybody for a quarter of a second.
        gc.collect()
        gc.freeze()
        yield services


async def _cache(settings: Settings, stack: contextlib.AsyncExitStack) -> ResultCache | None:
    if not settings.cache.max_size_in_bytes:
        return None
    blobs = Blobs.at(settings.cache.url, settings.data_dir / "cache", "IMAGEPLANE_CACHE__URL")
    cache = ResultCache(blobs, settings.cache.max_size_in_bytes, options_of(settings))
    await cache.open()
    stack.push_async_callback(cache.close)
    return cache


def _tell_confinement(done: "Future[str]") -> None:
    if not done.cancelled():
        _log.info("engines are confined", confinement=done.result())


async def _sweep(books: Books) -> None:
    while True:
        try:
            released = await books.sweep()
        except ImageplaneError as error:
            _log.warning("sweep failed", detail=error.detail)
        else:
            if released:
                _log.info("released holds of requests that never ended", holds=released)
        await asyncio.to_thread(return_freed_memory)
        await asyncio.sleep(_SWEEP_EVERY_IN_S)


async def _write_recent(books: Books) -> None:
    while True:
        await asyncio.sleep(_WRITE_EVERY_IN_S)
        books.recent.write()
