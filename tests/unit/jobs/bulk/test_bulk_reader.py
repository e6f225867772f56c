"""Items are opened wherever they are, and a place that has nothing to give costs one item."""

import asyncio
from pathlib import Path
from typing import Any

import loopback
import pytest

from imageplane.blobs import Blobs
from imageplane.errors import ImageplaneError, NotFound, RefusedSource, RequestError, TooLarge, UnreachableSource
from imageplane.jobs.bulk.items import Item
from imageplane.jobs.bulk.reader import Reader
from imageplane.limits import Limits


def opened(item: Item, *, spool: Path | None = None, store: Blobs | None = None, **settings: Any) -> bytes | Path:
    """Give what an engine would get; a file in the spool is read before it goes."""

    async def scenario() -> bytes | Path:
        async with loopback.fetcher(**settings) as fetcher:
            reader = Reader(Limits(max_source_in_bytes=100), fetcher, store, spool=spool)
            found = await reader.identified(item)
            assert found.identity
            async with reader.opened(found) as source:
                return source.read_bytes() if isinstance(source, Path) and spool is not None else source

    return asyncio.run(scenario())


def store_with(name: str, data: bytes) -> Blobs:
    blobs = Blobs.at("memory:///", Path())
    asyncio.run(blobs.put(name, data))
    return blobs


def test_a_file_is_handed_over_as_a_file(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(b"picture")
    assert opened(Item("path", str(tmp_path / "a.jpg"), "a.jpg")) == tmp_path / "a.jpg"


def test_an_object_is_handed_over_as_bytes_or_by_way_of_a_file(tmp_path: Path) -> None:
    store = store_with("a.jpg", b"picture")
    assert opened(Item("key", "a.jpg", "a.jpg"), store=store) == b"picture"
    assert opened(Item("key", "a.jpg", "a.jpg"), store=store, spool=tmp_path) == b"picture"
    assert list(tmp_path.iterdir()) == []


def test_a_url_is_fetched() -> None:
    async def scenario() -> None:
        async with loopback.serving(loopback.saying(loopback.answer(b"picture"))) as server, loopback.fetcher() as ours:
            item = Item("url", server.url().text, "a", "line")
            async with Reader(Limits(), ours).opened(item) as data:
                assert data == b"picture"

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("item", "kind"),
    [
        (Item("path", "/nowhere/a.jpg", "a"), NotFound),
        (Item("path", "/dev/null", "a"), NotFound),
        (Item("path", "a\0b", "a"), RequestError),
        (Item("key", "missing.jpg", "a"), NotFound),
        (Item("key", "a//b.jpg", "a"), RequestError),
        (Item("key", "large.jpg", "a"), TooLarge),
        (Item("url", "ftp://a.com/1.jpg", "a", "line"), RefusedSource),
        (Item("url", "https://127.0.0.1/1.jpg", "a", "line"), RefusedSource),
    ],
)
def test_a_place_with_nothing_to_give(item: Item, kind: type[ImageplaneError]) -> None:
    store = store_with("large.jpg", bytes(101))
    with pytest.raises(kind):
        opened(item, store=store, allow_private_networks=False)


def test_a_server_that_is_away() -> None:
    item = Item("url", "https://a.com/1.jpg", "a", "line")
    with pytest.raises(UnreachableSource):
        opened(item, look_up=loopback.Names())


def test_a_key_without_a_store() -> None:
    with pytest.raises(RequestError):
        opened(Item("key", "a.jpg", "a"))
