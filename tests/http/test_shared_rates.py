"""Requests that several servers count together, in a real Redis where it is installed."""

import asyncio
import shutil
import subprocess
import time
from collections.abc import Iterator

import pytest
from pydantic import SecretStr
from server import free_port

from imageplane.errors import Busy
from imageplane.http.rates import Rates
from imageplane.settings import LimitSettings

PATIENCE_IN_S = 20.0


@pytest.fixture(scope="module")
def redis_url() -> Iterator[str]:
    program = shutil.which("redis-server") or shutil.which("valkey-server")
    if program is None:
        pytest.skip("needs redis-server or valkey-server (Debian: apt install redis-server)")
    port = free_port()
    command = [program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    with process, process.stdout as said:
        until = time.monotonic() + PATIENCE_IN_S
        while "eady to accept connections" not in said.readline():
            assert time.monotonic() < until, "redis-server did not start"
        yield f"redis://127.0.0.1:{port}"
        process.terminate()


def rates(url: str) -> Rates:
    return Rates(LimitSettings(requests_per_minute=3, storage_url=SecretStr(url)))


def test_two_servers_count_as_one(redis_url: str) -> None:
    async def ask() -> list[tuple[int, bool]]:
        servers = rates(redis_url), rates(redis_url)
        found = [await servers[number % 2].take("organization") for number in range(4)]
        other, is_allowed = await servers[0].take("another")
        assert (other.remaining, is_allowed) == (2, True)
        for server in servers:
            await server.close()
        return [(rate.remaining, is_allowed) for rate, is_allowed in found]

    assert asyncio.run(ask()) == [(2, True), (1, True), (0, True), (0, False)]


def test_a_counter_that_is_gone_is_told_as_busy() -> None:
    async def ask() -> None:
        server = rates(f"redis://127.0.0.1:{free_port()}")
        try:
            await server.take("organization")
        finally:
            await server.close()

    with pytest.raises(Busy, match="counted"):
        asyncio.run(ask())
