"""Fixtures of the tests that hold the SDKs to what they promise."""

import asyncio
import random
import time
from typing import Any

import pytest
from scripts import Played, Script, played_async, played_sync
from typescript import Package, package


@pytest.fixture(scope="session")
def typescript_package(request: pytest.FixtureRequest) -> Package:
    """Give the TypeScript client, built, or skip."""
    return package(request)


@pytest.fixture(params=[played_sync, played_async], ids=["sync", "async"])
def played(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Played:
    """Give what plays a script before a client of either kind, which notes its pauses and makes none."""
    pauses_in_s: list[float] = []

    async def sleep(pause_in_s: float) -> None:
        pauses_in_s.append(pause_in_s)

    def play(script: Script, do: Any, **options: Any) -> Any:
        script.pauses_in_s = pauses_in_s
        return request.param(script, do, **options)

    monkeypatch.setattr(time, "sleep", pauses_in_s.append)
    monkeypatch.setattr(asyncio, "sleep", sleep)
    monkeypatch.setattr(random, "random", lambda: 0.5)
    return play
