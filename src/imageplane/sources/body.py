"""The body of an answer, counted while it comes: what it says of its own size and encoding is not believed."""

import asyncio
import zlib
from collections.abc import Callable, Iterator
from typing import Final

import aiohttp

from imageplane.errors import TooLarge, UnreachableSource

_PIECE_IN_BYTES: Final = 1 << 18
_ZLIB_OR_GZIP: Final = zlib.MAX_WBITS | 32

_Unpack = Callable[[bytes], Iterator[bytes]]


async def read_body(response: aiohttp.ClientResponse, max_size_in_bytes: int) -> bytes:
    """Give the body of an answer, with a gzip or deflate content encoding undone.

    Errors: too_large as soon as one byte too many has come, also of the unpacked body; unreachable_source when it is
    empty, damaged or packed in another way. Whatever aiohttp raises when the connection breaks.
    """
    stream = _Inflation() if _is_packed(response) else None
    if (response.content_length or 0) > max_size_in_bytes:
        raise _too_large(max_size_in_bytes)
    pieces: list[bytes] = []
    size_in_bytes = packed_in_bytes = 0
    async for chunk in response.content.iter_any():
        packed_in_bytes += len(chunk)
        for piece in stream.pieces_of(chunk) if stream else (chunk,):
            size_in_bytes += len(piece)
            if max(size_in_bytes, packed_in_bytes) > max_size_in_bytes:
                raise _too_large(max_size_in_bytes)
            pieces.append(piece)
            if len(piece) == _PIECE_IN_BYTES:
                # A small chunk can unpack to megabytes; others want to work too.
                await asyncio.sleep(0)
    if stream and not stream.is_complete:
        raise UnreachableSource("The file came packed, and its end is missing.")
    if not size_in_bytes:
        raise UnreachableSource("The file is empty.")
    return b"".join(pieces)


def _is_packed(response: aiohttp.ClientResponse) -> bool:
    encoding = response.headers.get("Content-Encoding", "").strip().lower()
    if encoding in ("", "identity"):
        return False
    if encoding in ("gzip", "x-gzip", "deflate"):
        return True
    raise UnreachableSource("The file came in a content encoding that was not asked for and is not known here.")


def _too_large(max_size_in_bytes: int) -> TooLarge:
    return TooLarge(f"The file is larger than the limit of {max_size_in_bytes:,} bytes.")


class _Inflation:
    def __init__(self) -> None:
        self._stream = zlib.decompressobj(_ZLIB_OR_GZIP)

    @property
    def is_complete(self) -> bool:
        return self._stream.eof

    def pieces_of(self, chunk: bytes) -> Iterator[bytes]:
        """Unpack one chunk in pieces of a bounded size."""
        piece = b"x" * _PIECE_IN_BYTES
        try:
            while (chunk or len(piece) == _PIECE_IN_BYTES) and not self._stream.eof:
                piece = self._stream.decompress(chunk, _PIECE_IN_BYTES)
                chunk = self._stream.unconsumed_tail
                yield piece
        except zlib.error:
            raise UnreachableSource("The file came packed, and is damaged.") from None
        if chunk or self._stream.unused_data:
            raise UnreachableSource("The file came packed, and something follows its end.")
