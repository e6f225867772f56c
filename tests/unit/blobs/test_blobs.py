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


def test_a_head_tells_of_one_and_whether_it_changed(blobs: Blobs) -> None:
    async def scenario() -> None:
        assert await blobs.head("results/one") is None
        await blobs.put("results/one", b"first", "image/webp")
        first = await blobs.head("results/one")
        await blobs.put("results/one", b"then another")
        second = await blobs.head("results/one")
        assert first is not None
        assert second is not None
        assert (first.name, first.size_in_bytes, second.size_in_bytes) == ("results/one", 5, 12)
        assert first.tag != second.tag

    asyncio.run(scenario())


def test_what_is_created_is_created_once(blobs: Blobs) -> None:
    async def scenario() -> None:
        done = await asyncio.gather(*(blobs.create("lock", str(number).encode()) for number in range(20)))
        assert sum(done) == 1
        assert await blobs.get("lock") == str(done.index(True)).encode()
        await blobs.delete("lock")
        assert await blobs.create("lock", b"again")

    asyncio.run(scenario())


def test_a_long_listing_comes_in_pages(blobs: Blobs) -> None:
    async def scenario() -> None:
        for number in range(1050):
            await blobs.put(f"many/{number}", b"")
        pages = [page async for page in blobs.pages("many")]
        assert len(pages) > 1
        assert len({entry.name for page in pages for entry in page}) == 1050
        await blobs.delete_folder("many")
        assert [page async for page in blobs.pages()] == []

    asyncio.run(scenario())


def test_what_a_killed_put_left_is_removed(tmp_path: Path) -> None:
    for name in ("a.webp#1", "a.webp#2", "a.webp", "b.webp#1", "a.webp#x"):
        (tmp_path / name).touch()
    asyncio.run(Blobs.at(None, tmp_path).clear_remains("a.webp"))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.webp", "a.webp#x", "b.webp#1"]


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
