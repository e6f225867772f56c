"""One image of a bulk run: where it is, what its outputs are named after, and what tells it from a changed one."""

import os
import stat
from hashlib import blake2b
from pathlib import Path
from typing import Final, Literal

import msgspec

from imageplane.blobs.store import Entry
from imageplane.jobs.bulk.names import fitted, key_of

# What the names of files end with that may be images; engines tell by the bytes.
READ_SUFFIXES: Final = frozenset(
    "jpg jpeg jpe jfif png webp gif avif heic heif hif svg tif tiff bmp dib".split()  # noqa: SIM905 - reads better
)


DIGEST_IN_BYTES: Final = 8


class Item(msgspec.Struct, frozen=True):
    """One image.

    Takes: `name`, which its outputs start with; `place`, a URL, a path of this machine, or a key in the source store;
    `identity`, another when the image is, or empty where that must be asked for; `line` of the manifest, or 0.
    """

    kind: Literal["url", "path", "key"]
    place: str
    name: str
    identity: str = ""
    size_in_bytes: int = 0
    line: int = 0

    @property
    def key(self) -> bytes:
        """What a record knows it by."""
        return key_of(self.name)

    @property
    def shown_place(self) -> str:
        """The place without what may be secret in it."""
        return self.place.partition("?")[0] if self.kind == "url" else self.place


def digest_of(identity: str) -> bytes:
    """Give 8 bytes for an identity."""
    return blake2b(identity.encode("utf-8", "surrogateescape"), digest_size=DIGEST_IN_BYTES).digest()


def is_hidden(name: str) -> bool:
    """Tell whether a file, or a folder that it lies in, has a name that starts with a dot."""
    return name.startswith(".") or "/." in name


def has_read_suffix(name: str) -> bool:
    """Tell whether a file is named like an image that can be read."""
    return name.rpartition("/")[2].rpartition(".")[2].lower() in READ_SUFFIXES


def item_of_entry(entry: Entry) -> Item:
    """Give the item of an object in the source store."""
    return Item("key", entry.name, fitted(entry.name), identity_of_entry(entry), entry.size_in_bytes)


def item_of_file(path: Path, name: str) -> Item | None:
    """Give the item of a file, or None when it is gone or no regular file. Errors: OSError."""
    try:
        status = path.stat()
    except FileNotFoundError:
        return None
    if not stat.S_ISREG(status.st_mode):
        return None
    return Item("path", str(path), fitted(name), identity_of_file(status), status.st_size)


def identity_of_entry(entry: Entry) -> str:
    """Give what tells an object from a changed one."""
    return f"{entry.size_in_bytes} {entry.tag}"


def identity_of_file(status: os.stat_result) -> str:
    """Give what tells a file from a changed one."""
    return f"{status.st_size} {status.st_mtime_ns}"
