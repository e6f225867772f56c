"""Results that are kept: the same operations on the same bytes are done once.

Kept in a folder, or in a store of a cloud that several servers share. Nothing depends on it: what can't be read is
done again, and what can't be written is left out.
"""

import asyncio
import contextlib
import hashlib
from collections import OrderedDict
from importlib.metadata import version
from typing import Final

import msgspec
import structlog

from imageplane.blobs import Blobs
from imageplane.codecs.header import Header
from imageplane.errors import ImageplaneError
from imageplane.pipeline import Options, Picture
from imageplane.request import TransformRequest
from imageplane.transform import Result

_log = structlog.get_logger("imageplane.cache")
_FOLDER: Final = "results"
# Another release may make other pictures of the same operations.
_RELEASE: Final = version("imageplane")
_MOST_PENDING: Final = 100
# So far below its bound the cache is emptied at once, so that not every new result costs an old one.
_EMPTIED_TO: Final = 0.9


class _Kept(msgspec.Struct, frozen=True, array_like=True):
    source: Header
    pictures: tuple[Picture, ...]
    warnings: tuple[str, ...]


_PACK: Final = msgspec.msgpack.Encoder()
_UNPACK: Final = msgspec.msgpack.Decoder(_Kept)


class ResultCache:
    """Results by what they were made of; used in one event loop.

    Takes: `max_size_in_bytes` of everything kept; the least lately used goes first. Where several servers share a
    store, each counts what it has seen.
    """

    def __init__(self, blobs: Blobs, max_size_in_bytes: int, options: Options) -> None:
        self._blobs = blobs
        self._max_size_in_bytes = max_size_in_bytes
        self._salt = f"{_RELEASE}\n{options!r}".encode()
        self._sizes: OrderedDict[str, int] = OrderedDict()
        self._size_in_bytes = 0
        self._pending: set[asyncio.Task[None]] = set()

    async def open(self) -> None:
        """Find what is kept already. Errors: busy."""
        entries = await self._blobs.entries(_FOLDER)
        for entry in sorted(entries, key=lambda entry: entry.changed_at):
            self._note(entry.name, entry.size_in_bytes)
        await self._make_room()

    async def name_of(self, tenant: str, source: bytes, request: TransformRequest) -> str:
        """Give the name of a result: a digest of the bytes, of what is done to them and of who asks."""
        # SHA-256, because a source that a stranger makes must not pass for another.
        source_digest = await asyncio.to_thread(lambda: hashlib.sha256(source).digest())
        wish = f"{tenant}\n{request.canonical}".encode()
        digest = hashlib.sha256(b"\0".join((self._salt, wish)) + source_digest).hexdigest()
        return f"{_FOLDER}/{digest[:2]}/{digest}"

    async def get(self, name: str, request: TransformRequest) -> Result | None:
        """Give a result that is kept, as if it were of this request, or None."""
        with contextlib.suppress(ImageplaneError, msgspec.DecodeError, msgspec.ValidationError):
            found = await self._blobs.get(name)
            if found is not None:
                kept = _UNPACK.decode(found)
                self._note(name, len(found))
                return Result(kept.source, kept.pictures, request.warnings + kept.warnings, {}, {})
        return None

    def keep(self, name: str, request: TransformRequest, result: Result) -> None:
        """Keep the result of a request, a little later."""
        packed = _PACK.encode(_Kept(result.source, result.pictures, result.warnings[len(request.warnings) :]))
        if len(packed) > self._max_size_in_bytes or len(self._pending) >= _MOST_PENDING:
            return
        task = asyncio.create_task(self._put(name, packed))
        self._pending.add(task)
        task.add_done_callback(self._pending.discard)

    async def close(self) -> None:
        """Finish writing."""
        await asyncio.gather(*self._pending)

    @property
    def size_in_bytes(self) -> int:
        return self._size_in_bytes

    async def _put(self, name: str, packed: bytes) -> None:
        try:
            await self._blobs.put(name, packed)
            self._note(name, len(packed))
            await self._make_room()
        except ImageplaneError as error:
            _log.warning("a result could not be kept", detail=error.detail)

    def _note(self, name: str, size_in_bytes: int) -> None:
        self._size_in_bytes += size_in_bytes - self._sizes.pop(name, 0)
        self._sizes[name] = size_in_bytes

    async def _make_room(self) -> None:
        if self._size_in_bytes <= self._max_size_in_bytes:
            return
        old: list[str] = []
        while self._sizes and self._size_in_bytes > _EMPTIED_TO * self._max_size_in_bytes:
            name, size_in_bytes = self._sizes.popitem(last=False)
            self._size_in_bytes -= size_in_bytes
            old.append(name)
        await self._blobs.delete(*old)
