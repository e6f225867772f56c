"""What was made, kept at the destination: a record for every chunk, and notes of what is on its way.

`.imageplane/bulk/<digest of an output>/chunks/…` holds one record a chunk: its items, by name, and the identity that
each had when the output was made. Before outputs are put, a note says which bytes will lie under which names
(`.imageplane/bulk/open/<chunk>/…`); once the record is written the notes go. After a kill the notes tell exactly which
outputs were put and which were not.
"""

import asyncio
import contextlib
from collections import deque
from dataclasses import dataclass, field
from typing import Final, TypeVar

import msgspec
import xxhash

from imageplane.blobs import Blobs
from imageplane.jobs.bulk.chunks import FIRST, Chunk
from imageplane.jobs.bulk.items import DIGEST_IN_BYTES, digest_of
from imageplane.jobs.bulk.names import OWN_FOLDER
from imageplane.jobs.bulk.recipe import Recipe

ROOT: Final = f"{OWN_FOLDER}/bulk"
_OPEN: Final = f"{ROOT}/open"
_OWNERS: Final = f"{ROOT}/outputs"
# How many records are looked through for the items of a chunk.
_MOST_SEEN: Final = 24
_MOST_NEXTS: Final = 4
_MOST_AT_HAND: Final = 256
_MOST_ENTRIES: Final = 4096
_AT_ONCE: Final = 32
_TIME_IN_BYTES: Final = 7

_T = TypeVar("_T")
# The key of an item; the digest of its identity, when an output was made of it, and how its file's name ends.
Entries = dict[bytes, bytes]


class Record(msgspec.Struct, frozen=True, array_like=True):
    """What was made of a chunk.

    Takes: `nexts`, the chunks that came behind it, the latest first.
    """

    entries: Entries = {}
    nexts: tuple[str, ...] = ()


class Put(msgspec.Struct, frozen=True, array_like=True):
    """One output that is about to be put: under this name will lie these bytes."""

    digest: str
    file: str
    size_in_bytes: int
    content: bytes

    @classmethod
    def of(cls, digest: str, file: str, data: bytes) -> "Put":
        """Give the note of an output."""
        return cls(digest, file, len(data), content_of(data))


class Intent(msgspec.Struct, frozen=True, array_like=True):
    """The outputs of one item that are about to be put."""

    key: bytes
    identity: bytes
    made_at_in_us: int
    puts: tuple[Put, ...]


class Note(msgspec.Struct, frozen=True, array_like=True):
    """Intents of some items of one chunk, and the chunks beside it."""

    preceding: str
    following: str | None
    intents: tuple[Intent, ...]


_PACK: Final = msgspec.msgpack.Encoder()
_RECORD: Final = msgspec.msgpack.Decoder(Record)
_NOTE: Final = msgspec.msgpack.Decoder(Note)


def entry_of(identity: bytes, made_at_in_us: int, file: str) -> bytes:
    """Give what a record says of an output: what it was made of, when, and how its file's name ends."""
    return identity + made_at_in_us.to_bytes(_TIME_IN_BYTES) + file.rpartition(".")[2].encode()


def is_of(entry: bytes | None, identity: bytes) -> bool:
    """Tell whether an entry speaks of an item as it is now."""
    return entry is not None and entry.startswith(identity)


def later_of(entry: bytes, other: bytes | None) -> bytes:
    """Give the entry that was made later; the first of two that were made at the same time."""
    return entry if other is None or _time_of(entry) > _time_of(other) else other


def suffix_of(entry: bytes) -> str:
    """Give how the name of the file ends."""
    return entry[DIGEST_IN_BYTES + _TIME_IN_BYTES :].decode("ascii", "replace")


def _time_of(entry: bytes) -> bytes:
    return entry[DIGEST_IN_BYTES : DIGEST_IN_BYTES + _TIME_IN_BYTES]


def content_of(data: bytes) -> bytes:
    """Give 16 bytes that tell the bytes of an output from others. Method: XXH3."""
    return xxhash.xxh3_128_digest(data)


@dataclass(frozen=True, slots=True)
class Past:
    """What is known of one output of the items of a chunk.

    Takes: `own`, the record of the chunk itself, if there is one; `entries`, those of its items, wherever they stood,
    to which is added what is made.
    """

    own: Record | None
    entries: Entries


@dataclass(frozen=True, slots=True)
class Journal:
    """The records and notes at a destination."""

    blobs: Blobs
    _latest: "dict[str, asyncio.Future[bytes | None]]" = field(default_factory=dict)
    _at_once: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_AT_ONCE))

    async def past(self, digest: str, chunk: Chunk) -> Past:
        """Give what is known of one output of the items of a chunk.

        Where images came or went since, its items may stand in the records of chunks before it, or of some that are no
        chunks any more and can be found from there. Errors: busy.
        """
        open_items = {item.key: digest_of(item.identity) for item in chunk.items}
        entries: Entries = {}
        own: Record | None = None
        ahead, seen = deque([chunk.id, *chunk.trail]), set[str]()
        while ahead and open_items and len(seen) < _MOST_SEEN:
            chunk_id = ahead.popleft()
            if chunk_id in seen:
                continue
            seen.add(chunk_id)
            record = await self._record(digest, chunk_id)
            if record is None:
                continue
            own = record if chunk_id == chunk.id else own
            ahead.extend(record.nexts)
            for key in record.entries.keys() & open_items.keys():
                entries[key] = later_of(record.entries[key], entries.get(key))
                if is_of(entries[key], open_items[key]):
                    del open_items[key]
        return Past(own, entries)

    async def finish(self, digest: str, chunk: Chunk, past: Past) -> None:
        """Keep what is made by now of one output of a chunk, unless exactly that is kept already. Errors: busy."""
        own, made = past.own or Record(), past.entries
        here = {item.key for item in chunk.items}
        # Items that belong to a neighbor now, which may not have been recorded yet.
        others = [(key, each) for key, each in own.entries.items() if key not in here]
        room = max(0, _MOST_ENTRIES - len(made))
        record = Record({**dict(others[:room]), **made}, _front(chunk.following, own.nexts))
        if record != past.own and (record.entries or past.own):
            await self._put(digest, chunk.id, record)
        if chunk.trail == (FIRST,):
            first = await self._record(digest, FIRST) or Record()
            if first.nexts[:1] != (chunk.id,):
                await self._put(digest, FIRST, Record({}, _front(chunk.id, first.nexts)))

    async def note(self, chunk: Chunk, number: str, intents: tuple[Intent, ...]) -> None:
        """Keep what is about to be put. Errors: busy."""
        note = Note(chunk.trail[0], chunk.following, intents)
        await self.blobs.put(f"{_OPEN}/{chunk.id}/{number}", _PACK.encode(note))

    async def forget_notes(self, chunk_id: str) -> None:
        """Remove the notes of a chunk whose records are written. Errors: busy."""
        await self.blobs.delete_folder(f"{_OPEN}/{chunk_id}")

    async def recover(self) -> int:
        """Record what runs that were killed have put, and give how many outputs that are. Errors: busy."""
        chunk_ids = [folder.rpartition("/")[2] for folder in await self.blobs.folders(_OPEN)]
        return sum([await self.recover_chunk(chunk_id) for chunk_id in chunk_ids])

    async def recover_chunk(self, chunk_id: str) -> int:
        """Do so for one chunk. Errors: busy."""
        names = sorted(entry.name for entry in await self.blobs.entries(f"{_OPEN}/{chunk_id}"))
        read = await asyncio.gather(*(self._read(name) for name in names))
        notes = [note for data in read if (note := _decoded(_NOTE, data)) is not None]
        # Of two intents for one file, the later one is true.
        intents = {(each.key, put.digest): (each, put) for note in notes for each in note.intents for put in each.puts}
        there = await asyncio.gather(*(self._is_there(put) for _, put in intents.values()))
        made: dict[str, Entries] = {}
        for ((key, digest), (intent, put)), is_there in zip(intents.items(), there, strict=True):
            if is_there:
                made.setdefault(digest, {})[key] = entry_of(intent.identity, intent.made_at_in_us, put.file)
        for digest, entries in made.items():
            await self._add(digest, chunk_id, entries, notes[-1].following)
            await self._add(digest, notes[-1].preceding, {}, chunk_id)
        await self.forget_notes(chunk_id)
        return sum(there)

    async def _add(self, digest: str, chunk_id: str, entries: Entries, following: str | None) -> None:
        own = await self._record(digest, chunk_id) or Record()
        await self._put(digest, chunk_id, Record({**own.entries, **entries}, _front(following, own.nexts)))

    async def claim(self, recipe: Recipe) -> list[str]:
        """Take over the files of every output, and give the names of those that were made in another way before.

        What was made in the other way counts no longer, because its files will be replaced. Errors: busy.
        """
        renewed = []
        for each in recipe.wanted:
            place = f"{_OWNERS}/{each.label}"
            owner = (await self.blobs.get(place) or b"").decode("ascii", "replace")
            if owner == each.digest:
                continue
            if owner:
                await self.blobs.delete_folder(f"{ROOT}/{owner}")
                renewed.append(each.output.name)
            await self.blobs.put(place, each.digest.encode())
        return renewed

    async def _is_there(self, put: Put) -> bool:
        async with self._at_once:
            await self.blobs.clear_remains(put.file)
            entry = await self.blobs.head(put.file)
            if entry is None or entry.size_in_bytes != put.size_in_bytes:
                return False
            data = await self.blobs.get(put.file)
            return data is not None and content_of(data) == put.content

    async def _read(self, name: str) -> bytes | None:
        async with self._at_once:
            return await self.blobs.get(name)

    async def _record(self, digest: str, chunk_id: str) -> Record | None:
        """Give a record; those that were wanted last are at hand, since the next chunk wants them too."""
        place = _place(digest, chunk_id)
        reading = self._latest.pop(place, None)
        if reading is None:
            reading = asyncio.ensure_future(self.blobs.get(place))
        self._latest[place] = reading
        while len(self._latest) > _MOST_AT_HAND:
            self._latest.pop(next(iter(self._latest)))
        try:
            return _decoded(_RECORD, await asyncio.shield(reading))
        except BaseException:
            self._latest.pop(place, None)
            raise

    async def _put(self, digest: str, chunk_id: str, record: Record) -> None:
        place = _place(digest, chunk_id)
        self._latest.pop(place, None)
        await self.blobs.put(place, _PACK.encode(record))
        self._latest.pop(place, None)


def _front(chunk_id: str | None, nexts: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((chunk_id, *nexts) if chunk_id else nexts))[:_MOST_NEXTS]


def _place(digest: str, chunk_id: str) -> str:
    return f"{ROOT}/{digest}/chunks/{chunk_id[:2]}/{chunk_id}"


def _decoded(decoder: msgspec.msgpack.Decoder[_T], data: bytes | None) -> _T | None:
    # What can't be read counts as not there: the work is done again.
    with contextlib.suppress(msgspec.DecodeError):
        return decoder.decode(data) if data is not None else None
    return None
