"""The evils: each goes on until the storm is over, beside all the others."""

import asyncio
import contextlib
import itertools
import random
import signal
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

import psutil

from benchmarks.chaos.disk import SmallDisk
from benchmarks.chaos.hostile import DEEDS, FOLDER, bombs, crashers
from benchmarks.chaos.storm import FAULTY, GONE, PATIENCE, RETURNING, Storm
from benchmarks.load.asking import Request, new_idempotency_key
from benchmarks.load.client import Connection, Connections
from benchmarks.load.patience import insist

_KILL_EVERY_IN_S: Final = 1.0
_FILL_EVERY_IN_S: Final = 30.0
_FILLED_FOR_IN_S: Final = 5.0
_PAUSE_IN_S: Final = 0.5
# A fresh engine costs as much CPU as a dozen pictures: more often, and there would be little left to disturb.
_CRASH_EVERY_IN_S: Final = 4.0
_REFUSALS: Final = (400, 413, 415, 422, 504)
_UNREACHABLE: Final = (400, 422, 504)


async def kills(storm: Storm) -> None:
    """Kill an engine every second, whichever it is and whatever it does."""
    chance = random.Random(473)  # noqa: S311
    while not storm.is_over:
        engines = storm.server.engines
        if engines:
            with contextlib.suppress(psutil.NoSuchProcess):
                chance.choice(engines).send_signal(signal.SIGKILL)
                storm.count("engines killed", "killed")
        await storm.rest(_KILL_EVERY_IN_S)


async def stalls(storm: Storm) -> None:
    """Have sources fetched that trickle, hang and break off, and some that are only slow."""

    async def faulty(temper: str) -> None:
        connections, chance = Connections(storm.server.port, 1), random.Random(temper)  # noqa: S311
        while not storm.is_over:
            request = storm.good_request(FAULTY, chance, temper)
            await storm.refused_message(connections, f"sources that {temper}", request.message(), _UNREACHABLE)
            await storm.rest(_PAUSE_IN_S)
        connections.close()

    slow = [storm.good_client(seed, "slow") for seed in (1001, 1002)]
    await asyncio.gather(*slow, *(faulty(temper) for temper in ("trickle", "hang", "break")))


async def explosions(storm: Storm) -> None:
    """Send bombs and broken files, one after the other."""
    connections = Connections(storm.server.port, 1)
    for bomb in itertools.cycle(bombs(FOLDER)):
        if storm.is_over:
            break
        allowed = (*_REFUSALS, *((200,) if bomb.may_pass else ()))
        await storm.refused(connections, "bombs", bomb.data, allowed)
        await storm.rest(_PAUSE_IN_S)
    connections.close()


async def crashes(storm: Storm) -> None:
    """Send files that have decoders crash, hang and eat memory."""
    connections = Connections(storm.server.port, len(DEEDS))
    sending = set[asyncio.Task[None]]()
    for deed, file in crashers():
        if storm.is_over:
            break
        # One that hangs must not keep the next from coming.
        sending.add(asyncio.create_task(storm.refused(connections, f"crashers: {deed}", file, DEEDS[deed])))
        await storm.rest(_CRASH_EVERY_IN_S)
    await asyncio.gather(*sending)
    connections.close()


async def departures(storm: Storm) -> None:
    """Hang up: in the middle of the request and while the work goes on; some come back for their reply."""
    chance = random.Random(473)  # noqa: S311
    left: list[Request] = []
    while not storm.is_over:
        how = chance.choice(("in the middle", "at once", "soon"))
        returns = chance.randrange(2) == 0
        request = storm.good_request(RETURNING if returns else GONE, chance)
        if returns:
            request = _with_key(request)
            left.append(request)
        await _depart(storm, request, how, chance)
        storm.count("clients that hang up", how)
        await storm.rest(_PAUSE_IN_S)
    connections = Connections(storm.server.port, 2)
    for request in left:
        storm.note(RETURNING, "clients that come back", await insist(connections, request, PATIENCE))
    connections.close()


def _with_key(request: Request) -> Request:
    return Request(
        request.picture,
        request.number,
        request.wish,
        request.way,
        request.key,
        new_idempotency_key(),
        request.picture_url,
    )


async def _depart(storm: Storm, request: Request, how: str, chance: random.Random) -> None:
    connection = await Connection.open(storm.server.port)
    with contextlib.closing(connection), contextlib.suppress(OSError):
        message = request.message()
        if how == "in the middle":
            await connection.send(message[:-1])
        else:
            await connection.send(message)
            await asyncio.sleep(chance.uniform(0.02, 0.5) if how == "soon" else 0)


@dataclass(frozen=True, slots=True)
class Fillings:
    """Fills the disk for a few seconds now and then."""

    disk: SmallDisk

    async def __call__(self, storm: Storm) -> None:
        process_id = storm.server.process.pid
        await storm.rest(_FILLED_FOR_IN_S)
        while not storm.is_over:
            try:
                await asyncio.to_thread(self.disk.fill, process_id)
                storm.count("disk", f"full for {_FILLED_FOR_IN_S:g} s")
                await storm.rest(_FILLED_FOR_IN_S)
            finally:
                self.disk.empty(process_id)
            await storm.rest(_FILL_EVERY_IN_S - _FILLED_FOR_IN_S)


Evil = Callable[[Storm], Awaitable[None]]
EVILS: Final[dict[str, Evil]] = {
    "kills": kills,
    "stalls": stalls,
    "bombs": explosions,
    "crashes": crashes,
    "departures": departures,
}
