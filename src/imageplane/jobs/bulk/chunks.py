"""Items in chunks of some hundreds, cut where their names say so.

A cut depends on the name of the item behind it, not on how many came before. When images come or go between two runs,
the chunks around them change and all others stay what they were. Method: content-defined chunking, as in LBFS
(Muthitacharoen, Chen and Mazières 2001).
"""

from collections.abc import AsyncGenerator, AsyncIterator
from typing import Final

import msgspec

from imageplane.jobs.bulk.items import Item

MEAN: Final = 256
_MOST_OF_MEAN: Final = 4
# In place of the id of a chunk: where the first one of the latest run is told.
FIRST: Final = "first"
_LONGEST_TRAIL: Final = 8


class Chunk(msgspec.Struct, frozen=True):
    """Some hundred items in a row.

    Takes: `trail`, the ids of some chunks before it, the last one first, and FIRST behind them where it is the very
    first; the chunk that follows, if one does.
    """

    items: tuple[Item, ...]
    trail: tuple[str, ...] = (FIRST,)
    following: str | None = None

    @property
    def id(self) -> str:
        return id_of(self.items[0])


def id_of(first: Item) -> str:
    """Give the id of the chunk that starts with an item."""
    return first.key.hex()


async def cut(items: AsyncIterator[Item], mean: int = MEAN) -> AsyncGenerator[Chunk, None]:
    """Give the items as chunks of so many in the mean, and four times as many at most."""
    held: list[Item] = []
    trail: tuple[str, ...] = (FIRST,)
    async for item in items:
        is_start = int.from_bytes(item.key[:4]) % mean == 0
        if held and (is_start or len(held) >= _MOST_OF_MEAN * mean):
            chunk = Chunk(tuple(held), trail, id_of(item))
            yield chunk
            trail = (chunk.id, *trail)[:_LONGEST_TRAIL]
            held = []
        held.append(item)
    if held:
        yield Chunk(tuple(held), trail)
