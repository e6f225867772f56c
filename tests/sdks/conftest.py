"""Fixtures of the tests that hold the SDKs to what they promise."""

import asyncio
import json
import random
import time
from pathlib import Path
from typing import Any

import pytest
from picture_server import PICTURES, PictureServer
from readme import Readme
from scripts import Played, Script, played_async, played_sync
from server import Server
from typescript import Package, package


@pytest.fixture(scope="session")
def typescript_package(request: pytest.FixtureRequest) -> Package:
    """Give the TypeScript client, built, or skip."""
    return package(request)


@pytest.fixture
def readme(typescript_package: Package, open_server: Server, pictures: PictureServer, tmp_path: Path) -> Readme:
    """Give the README of the TypeScript client, to be run against a server."""
    return Readme(typescript_package, open_server, pictures, tmp_path)


@pytest.fixture
def uploads(pictures: PictureServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Serve `uploads.jsonl`, a manifest of one image that there is and one that there is not."""
    named = {"photo.jpg": "people/anna", "nothing.png": "people/nobody"}
    lines = [json.dumps({"url": f"{pictures.url}/{image}", "name": name}) for image, name in named.items()]
    monkeypatch.setitem(PICTURES, "uploads.jsonl", "\n".join(lines).encode())


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
