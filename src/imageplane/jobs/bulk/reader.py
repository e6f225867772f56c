"""Where the bytes of an item come from: a file of this machine, an object of the source store, or a URL."""

import asyncio
import contextlib
import tempfile
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from imageplane.blobs import Blobs
from imageplane.errors import NotFound, RequestError
from imageplane.jobs.bulk.items import Item, identity_of_entry, item_of_file
from imageplane.limits import Limits
from imageplane.sources import Location
from imageplane.sources.room import Room
from imageplane.sources.url import Fetcher


@dataclass(frozen=True, slots=True)
class Reader:
    """Opens items.

    Takes: `store`, the source store, where there is one; `room`, which all files take up that were fetched; `spool`, a
    folder where fetched files wait for their engine, or None when they go to it as bytes, which are priced and take
    turns with other work.
    """

    limits: Limits
    fetcher: Fetcher
    store: Blobs | None = None
    room: Room = field(default_factory=Room)
    spool: Path | None = None

    async def identified(self, item: Item) -> Item:
        """Give an item with its identity and its size, if need be by asking its place.

        Errors: not_found, invalid_request, busy.
        """
        if item.identity:
            return item
        with _unfit_is_told(item):
            if item.kind == "path":
                return await asyncio.to_thread(_identified_file, item)
            entry = await self._of_store.head(item.place)
            if entry is None:
                raise _gone(item)
            return msgspec.structs.replace(item, identity=identity_of_entry(entry), size_in_bytes=entry.size_in_bytes)

    @contextlib.asynccontextmanager
    async def opened(self, item: Item) -> AsyncIterator[bytes | Path]:
        """Give the file of an item as an engine takes it, until the end of the block.

        Errors: not_found, invalid_request, too_large, refused_source, unreachable_source, busy.
        """
        self.limits.check_source(item.size_in_bytes)
        if item.kind == "path":
            yield Path(item.place)
            return
        async with self._fetched(item) as data:
            if self.spool is None:
                yield data
                return
            # As a file it takes a turn of its own, at no price: here nobody else waits for engines.
            path = await asyncio.to_thread(_written, data, self.spool)
            try:
                yield path
            finally:
                await asyncio.to_thread(path.unlink)

    @contextlib.asynccontextmanager
    async def _fetched(self, item: Item) -> AsyncIterator[bytes]:
        if item.kind == "url":
            data = await self.fetcher.fetch(Location.parse(item.place))
            with self.room.holding(data, ""):
                yield data
            return
        async with self.room.reserved(item.size_in_bytes, ""):
            with _unfit_is_told(item):
                found = await self._of_store.get(item.place)
            if found is None:
                raise _gone(item)
            self.limits.check_source(len(found))
            yield found

    @property
    def _of_store(self) -> Blobs:
        if self.store is None:
            raise RequestError("There is no store to look up a key in.")
        return self.store


def _identified_file(item: Item) -> Item:
    try:
        found = item_of_file(Path(item.place), item.name)
    except OSError as error:
        raise RequestError(f"The file can't be read: {(error.strerror or 'unknown reason').lower()}.") from None
    if found is None:
        raise _gone(item)
    return msgspec.structs.replace(item, identity=found.identity, size_in_bytes=found.size_in_bytes)


def _gone(item: Item) -> NotFound:
    return NotFound("There is no regular file of this name." if item.kind == "path" else "There is no such object.")


@contextlib.contextmanager
def _unfit_is_told(item: Item) -> Iterator[None]:
    try:
        yield
    except ValueError:
        raise RequestError(f"That is no {item.kind} that can be looked up.") from None


def _written(data: bytes, folder: Path) -> Path:
    with tempfile.NamedTemporaryFile(dir=folder, delete=False) as file:
        file.write(data)
    return Path(file.name)
