"""What counting requests together asks of Redis: commands and its CPU, where it is installed."""

import asyncio
import contextlib
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import psutil
import redis
from pydantic import SecretStr

from benchmarks.load.server import free_port
from benchmarks.load.stage import Part, table
from benchmarks.scaling.clocks import cpu_in_s
from imageplane.http.rates import Rates
from imageplane.settings import LimitSettings

_TAKES: Final = 2000
# What an organization with 1,000 requests a second leaves in the window of a minute.
_BUSY: Final = 60_000
_START_LIMIT_IN_S: Final = 10.0


def part(scratch: Path, step: Callable[[str], None]) -> Part:
    """Count requests of an organization that has sent few in the last minute, and of one that has sent many."""
    program = shutil.which("redis-server") or shutil.which("valkey-server")
    title = "Counting requests in Redis"
    if program is None:
        reason = "redis-server is not installed (apt install redis-server)"
        return Part("redis", title, {"skipped": reason}, [f"**Skipped**: {reason}."])
    with _running(program, scratch) as (process, url):
        step("Redis")
        few, many = asyncio.run(_measured(process, url))
    rows = [(name, *each.values()) for name, each in (("few", few), (f"{_BUSY:,}", many))]
    head = ("requests in the last minute", "commands", "CPU ms of Redis", "CPU ms of the server", "MiB of Redis")
    return Part("redis", title, {"few": few, "many": many}, ["Of each request.", "", *table(head, rows)])


async def _measured(process: psutil.Process, url: str) -> tuple[dict[str, float], dict[str, float]]:
    rates = Rates(LimitSettings(requests_per_minute=10**6, storage_url=SecretStr(url)))
    try:
        few = await _taken(process, url, rates)
        now = time.time()
        with contextlib.closing(redis.Redis.from_url(url)) as client:
            (key,) = client.keys("*")
            client.lpush(key, *[now] * _BUSY)
        return few, await _taken(process, url, rates)
    finally:
        await rates.close()


async def _taken(process: psutil.Process, url: str, rates: Rates) -> dict[str, float]:
    here = psutil.Process()
    with contextlib.closing(redis.Redis.from_url(url)) as client:

        def clocks() -> tuple[float, float, float]:
            told: Any = client.info("commandstats")
            commands = sum(each["calls"] for name, each in told.items() if name.endswith(("eval", "evalsha")))
            return commands, cpu_in_s(process), cpu_in_s(here)

        await rates.take("customer")
        before = clocks()
        for _ in range(_TAKES):
            await rates.take("customer")
        commands, theirs, ours = (after - was for after, was in zip(clocks(), before, strict=True))
        told: Any = client.info("memory")
        memory = told["used_memory"] / 1024**2
    return {
        "commands": commands / _TAKES,
        "redis_in_ms": theirs / _TAKES * 1000,
        "server_in_ms": ours / _TAKES * 1000,
        "memory_in_mib": round(memory, 1),
    }


@contextlib.contextmanager
def _running(program: str, scratch: Path) -> Iterator[tuple[psutil.Process, str]]:
    port = free_port()
    command = [program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(scratch)]
    process = psutil.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    url = f"redis://127.0.0.1:{port}/0"
    try:
        until = time.monotonic() + _START_LIMIT_IN_S
        with contextlib.closing(redis.Redis.from_url(url)) as client:
            while time.monotonic() < until:
                with contextlib.suppress(redis.ConnectionError):
                    client.ping()
                    break
                time.sleep(0.05)
        yield process, url
    finally:
        process.terminate()
        process.wait()
