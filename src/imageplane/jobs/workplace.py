"""A process that only works on jobs: engines, downloads and the shop, without a door."""

import asyncio
import contextlib
import signal

import structlog

from imageplane.accounts.books import Books
from imageplane.engine.pool import Pool
from imageplane.errors import SettingsError
from imageplane.jobs import shop
from imageplane.jobs.shop import Tools
from imageplane.settings import Settings
from imageplane.sources.room import Room
from imageplane.sources.url import Fetcher
from imageplane.transform import Transformer, options_of, outfit_of

_log = structlog.get_logger("imageplane.jobs")


def check(settings: Settings, books: Books) -> None:
    """Raise unless a process without a door is of use with these settings. Errors: invalid_settings."""
    if books.database.is_sqlite:
        raise SettingsError(
            "With SQLite the server itself works on the jobs; workers need a PostgreSQL that they share with it: "
            "set IMAGEPLANE_DATABASE__URL."
        )
    if not settings.jobs.concurrency:
        raise SettingsError("IMAGEPLANE_JOBS__CONCURRENCY is 0, and a worker that may do nothing is none.")


async def work(settings: Settings, books: Books) -> None:
    """Work on jobs and send webhooks until the process is asked to end (SIGINT, SIGTERM)."""
    end = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, end.set)
    async with contextlib.AsyncExitStack() as stack:
        room = Room(settings.admission.memory_in_bytes)
        fetcher = Fetcher(settings.sources, settings.limits.max_source_in_bytes, room=room)
        await stack.enter_async_context(fetcher)
        pool = Pool.of(settings.engine, outfit_of(settings))
        stack.push_async_callback(asyncio.to_thread, pool.close)
        tools = Tools(Transformer(pool, options_of(settings)), fetcher, room)
        await stack.enter_async_context(shop.opened(settings, books, tools))
        _log.info("works on jobs", concurrency=settings.jobs.concurrency)
        await end.wait()
