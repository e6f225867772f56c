"""The pictures of a load: files that are sent by the kernel, every time as different bytes."""

import contextlib
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import pybase64

_BOX_FORMATS = {".avif", ".heic", ".heif"}


@dataclass(frozen=True, slots=True)
class Stretch:
    """The beginning of an open file, up to so many bytes."""

    file: BinaryIO
    size_in_bytes: int

    def __len__(self) -> int:
        return self.size_in_bytes


Body = Sequence[bytes | Stretch]


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture that can be sent any number of times, never twice as the same bytes.

    Takes: `plain`, its file; `text`, its whole groups of three bytes as base64, and `rest`, the bytes after them.
    Method: a number behind the end of the picture, which decoders pass over, in a box of its own where the format is
    made of boxes.
    """

    index: int
    path: Path
    plain: Stretch
    text: Stretch
    rest: bytes

    @property
    def name(self) -> str:
        return self.path.name

    def variant(self, number: int) -> Body:
        """Give the bytes of the picture and a number."""
        return self.plain, tail(self.path.suffix, number)

    def variant_in_base64(self, number: int) -> Body:
        """Give the same as base64."""
        return self.text, pybase64.b64encode(self.rest + tail(self.path.suffix, number))

    def variant_in_memory(self, number: int) -> bytes:
        """Give the same as one run of bytes."""
        return self.path.read_bytes() + tail(self.path.suffix, number)


def tail(suffix: str, number: int) -> bytes:
    """Give what stands behind the end of a picture with such a file name to make it another."""
    words = f"load {number:012}".encode()
    return struct.pack(">I", len(words) + 8) + b"free" + words if suffix.lower() in _BOX_FORMATS else words


@contextlib.contextmanager
def opened(paths: Sequence[Path], scratch: Path) -> Iterator[list[Picture]]:
    """Open pictures for sending; their base64 is written to a folder."""
    with contextlib.ExitStack() as stack:
        yield [_open(index, path, scratch, stack) for index, path in enumerate(paths)]


def _open(index: int, path: Path, scratch: Path, stack: contextlib.ExitStack) -> Picture:
    data = path.read_bytes()
    aligned = len(data) - len(data) % 3
    written = scratch / f"{index}.base64"
    written.write_bytes(pybase64.b64encode(data[:aligned]))
    plain, text = (stack.enter_context(file.open("rb")) for file in (path, written))
    return Picture(index, path, Stretch(plain, len(data)), Stretch(text, written.stat().st_size), data[aligned:])
