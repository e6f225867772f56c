"""Where the items of a bulk run come from: streamed in a stable order, and counted apart from that."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Final, Protocol, TypeVar

from imageplane.jobs.bulk.items import Item

_PAGE: Final = 500
_MOST_TOLD: Final = 5

_Row = TypeVar("_Row")


@dataclass(slots=True)
class Passed:
    """What a source holds and does not give.

    Takes: `others`, files that are named like no image; `unreadable`, how many folders and files could not be read;
    `examples` of these, with the reason.
    """

    others: int = 0
    unreadable: int = 0
    examples: list[str] = field(default_factory=list)

    def add_unreadable(self, name: str, error: OSError) -> None:
        """Count something that could not be read."""
        self.unreadable += 1
        if len(self.examples) < _MOST_TOLD:
            self.examples.append(f"{name}: {(error.strerror or str(error)).lower()}")


class Source(Protocol):
    """A manifest, a folder or a store.

    Gives: `passed`, which is filled while items are streamed; `is_checked_first`, whether counting finds what is wrong.
    """

    @property
    def passed(self) -> Passed: ...

    @property
    def is_checked_first(self) -> bool: ...

    def items(self) -> AsyncIterator[Item]:
        """Give every item, in an order that stays the same."""

    async def count(self) -> int:
        """Give how many items there are, by looking through the source without them. Errors: busy, OSError."""


async def streamed(rows: Iterator[_Row]) -> AsyncIterator[_Row]:
    """Give rows whose iterator waits for disks."""
    while page := await asyncio.to_thread(lambda: list(islice(rows, _PAGE))):
        for row in page:
            yield row
