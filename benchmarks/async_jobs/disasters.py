"""The disasters: workers and servers that are killed, and a database that restarts."""

import asyncio
import contextlib
import random
import time
from collections.abc import Sequence
from typing import Final

from benchmarks.async_jobs import books as told
from benchmarks.async_jobs.programs import Program
from benchmarks.async_jobs.storm import Disaster, Storm
from imageplane.errors import ImageplaneError
from tests.postgres import Postgres

WORKERS_KILLED: Final = "workers killed"
SERVERS_KILLED: Final = "servers killed"
RESTARTS: Final = "PostgreSQL restarted"
_SEED: Final = 6
_GLANCE_IN_S: Final = 0.5


def kill_workers(workers: Sequence[Program], every_in_s: float) -> Disaster:
    """Kill one of them every few seconds, start it anew, and see how soon what was at work is begun again."""
    chance = random.Random(_SEED)  # noqa: S311 - no secret

    async def kill(storm: Storm) -> None:
        while True:
            await asyncio.sleep(every_in_s)
            worker = chance.choice(workers)
            await asyncio.to_thread(worker.kill)
            storm.disasters[WORKERS_KILLED] += 1
            orphans.append((time.monotonic(), await _at_work(storm)))
            worker.start()

    orphans: list[tuple[float, dict[str, int]]] = []

    async def watch(storm: Storm) -> None:
        while True:
            await asyncio.sleep(_GLANCE_IN_S)
            with contextlib.suppress(ImageplaneError):
                unended = await asyncio.to_thread(told.unended, storm.books.database)
                for died_at, at_work in orphans.copy():
                    # Those of other workers are among them, and end.
                    if all(unended.get(name, attempts + 1) > attempts for name, attempts in at_work.items()):
                        storm.begun_again_in_s.append(time.monotonic() - died_at)
                        orphans.remove((died_at, at_work))

    async def both(storm: Storm) -> None:
        await asyncio.gather(kill(storm), watch(storm))

    return both


async def _at_work(storm: Storm) -> dict[str, int]:
    with contextlib.suppress(ImageplaneError):
        return await asyncio.to_thread(told.unended, storm.books.database, is_running=True)
    return {}


def restart_postgres(postgres: Postgres) -> Disaster:
    """Restart the database when half of everything is delivered, without a word to who is connected."""

    async def restart(storm: Storm) -> None:
        await storm.until_delivered(0.5)
        await asyncio.to_thread(postgres.stop)
        await asyncio.to_thread(postgres.start)
        storm.disasters[RESTARTS] += 1
        await asyncio.Event().wait()

    return restart


def kill_server(server: Program, times: int) -> Disaster:
    """Kill the server again and again while everything is under way, and start it anew."""

    async def kill(storm: Storm) -> None:
        for number in range(1, times + 1):
            await storm.until_delivered(number / (times + 1))
            await asyncio.to_thread(server.kill)
            storm.disasters[SERVERS_KILLED] += 1
            server.start()
        await asyncio.Event().wait()

    return kill
