"""Blobs are put whole, read whole, and gone when deleted."""

import asyncio
from pathlib import Path

import pytest

from imageplane.blobs import Blobs
from imageplane.errors import Busy, SettingsError


@pytest.fixture(params=["folder", "file", "memory"])
def blobs(request: pytest.FixtureRequest, tmp_path: Path) -> Blobs:
    url = {"folder": None, "file": f"file://{tmp_path}/some%20where/new", "memory": "memory:///"}[request.param]
    return Blobs.at(url, tmp_path)


def test_what_is_put_is_got_until_it_is_deleted(blobs: Blobs) -> None:
    async def scenario() -> None:
        data = bytes(range(256)) * 50_000
        await blobs.put("replies/one/a", data)
        await blobs.put("replies/one/a", data[1:])
        assert await blobs.get("replies/one/a") == data[1:]
        await blobs.delete("replies/one/a", "replies/one/b")
        assert await blobs.get("replies/one/a") is None

    asyncio.run(scenario())


def test_folders_are_listed_and_deleted(blobs: Blobs) -> None:
    async def scenario() -> None:
        assert await blobs.folders("replies") == []
        for name in ("replies/two/a", "replies/one/a", "replies/one/b", "other/one/a"):
            await blobs.put(name, b"1")
        assert await blobs.folders("replies") == ["replies/one", "replies/two"]
        await blobs.delete_folder("replies/one")
        assert await blobs.folders("replies") == ["replies/two"]
        assert await blobs.get("other/one/a") == b"1"

    asyncio.run(scenario())


def test_everything_in_a_folder_is_told(blobs: Blobs) -> None:
    async def scenario() -> None:
        for name in ("results/ab/one", "results/cd/two", "other/three"):
            await blobs.put(name, name.encode())
        entries = {entry.name: entry.size_in_bytes for entry in await blobs.entries("results")}
        assert entries == {"results/ab/one": 14, "results/cd/two": 14}

    asyncio.run(scenario())


@pytest.mark.parametrize("url", ["somewhere", "ftp://host/folder", "s3:", "file://host/folder"])
def test_a_wrong_address_is_refused(tmp_path: Path, url: str) -> None:
    with pytest.raises(SettingsError, match="IMAGEPLANE_BLOBS__URL"):
        Blobs.at(url, tmp_path)


def test_a_store_that_is_gone_is_busy_and_names_no_path_to_the_caller(tmp_path: Path) -> None:
    blobs = Blobs.at(None, tmp_path)
    (tmp_path / "replies").touch()
    with pytest.raises(Busy) as caught:
        asyncio.run(blobs.put("replies/one", b"1"))
    assert str(tmp_path) not in caught.value.message
    assert caught.value.detail
