"""A source on its way into an engine: bytes that are put into shared memory, or a file that is open already.

The pool opens files itself and hands them over open, because an engine may open none of them.
"""

import contextlib
import errno
import hashlib
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from imageplane.errors import RequestError


@dataclass(frozen=True, slots=True)
class Parcel:
    """Either `data`, or the `descriptor` of a regular file."""

    size_in_bytes: int
    data: bytes | None = None
    descriptor: int | None = None

    def digest(self) -> bytes:
        """Give the SHA-256 of the source; what can't be read any more counts as empty."""
        if self.descriptor is None:
            return hashlib.sha256(self.data or b"").digest()
        with contextlib.suppress(OSError), os.fdopen(os.dup(self.descriptor), "rb") as file:
            file.seek(0)
            return hashlib.file_digest(file, "sha256").digest()
        return hashlib.sha256().digest()


@contextlib.contextmanager
def packed(source: bytes | Path) -> Iterator[Parcel]:
    """Give a source as a parcel; a file is open until the end of the block. Errors: invalid_request, for a bad file."""
    if isinstance(source, bytes):
        yield Parcel(len(source), data=source)
        return
    try:
        # One that only blocks is no file, and would keep its reader for ever.
        descriptor = os.open(source, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise _unreadable(error) from error
    try:
        yield Parcel(_size_of(descriptor), descriptor=descriptor)
    finally:
        os.close(descriptor)


def _size_of(descriptor: int) -> int:
    status = os.fstat(descriptor)
    if stat.S_ISDIR(status.st_mode):
        raise _unreadable(IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR)))
    if not stat.S_ISREG(status.st_mode):
        raise RequestError("The source can't be read: it is no regular file.")
    return status.st_size


def _unreadable(error: OSError) -> RequestError:
    reason = (error.strerror or "unknown reason").lower()
    return RequestError(f"The source can't be read: {reason}.", detail=str(error))
