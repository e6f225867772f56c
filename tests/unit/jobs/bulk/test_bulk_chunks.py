"""Items are cut into chunks where their names say so: what comes and goes changes only the chunks around it."""

import asyncio
from collections.abc import AsyncIterator, Iterable

from imageplane.jobs.bulk.chunks import FIRST, Chunk, cut
from imageplane.jobs.bulk.items import Item


def chunks_of(names: Iterable[str], mean: int) -> list[Chunk]:
    async def items() -> AsyncIterator[Item]:
        for name in names:
            yield Item("path", name, name)

    async def listed() -> list[Chunk]:
        return [chunk async for chunk in cut(items(), mean)]

    return asyncio.run(listed())


NAMES = [f"photos/{number:05}.jpg" for number in range(20_000)]


def test_every_item_is_in_one_chunk_of_some_hundreds() -> None:
    chunks = chunks_of(NAMES, 256)
    assert [item.name for chunk in chunks for item in chunk.items] == NAMES
    assert max(len(chunk.items) for chunk in chunks) <= 1024
    assert 150 < len(NAMES) / len(chunks) < 400


def test_chunks_know_their_neighbors() -> None:
    chunks = chunks_of(NAMES[:1000], 16)
    assert [chunk.following for chunk in chunks] == [*(chunk.id for chunk in chunks[1:]), None]
    assert chunks[0].trail == (FIRST,)
    assert chunks[3].trail == (chunks[2].id, chunks[1].id, chunks[0].id, FIRST)
    assert chunks[20].trail == tuple(chunk.id for chunk in reversed(chunks[12:20]))


def test_what_comes_and_goes_changes_few_chunks() -> None:
    changed = [name for index, name in enumerate(NAMES) if index not in (0, 7_777)]
    changed.insert(5000, "photos/04999b.jpg")
    before = {chunk.id: chunk.items for chunk in chunks_of(NAMES, 256)}
    after = {chunk.id: chunk.items for chunk in chunks_of(changed, 256)}
    assert len([chunk_id for chunk_id, items in after.items() if before.get(chunk_id) != items]) <= 4


def test_no_items_are_no_chunks() -> None:
    assert chunks_of([], 4) == []
