"""Pictures to send: files of this machine, bytes, and addresses that the server fetches from."""

from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from imageplane_client.types import FetchOptions, UrlFile


@dataclass(frozen=True, slots=True)
class Upload:
    """A picture that is sent as it is, as part of a form, and not as base64."""

    data: bytes = field(repr=False)
    name: str


def from_path(path: str | PathLike[str], name: str | None = None) -> Upload:
    """Read a file of this machine.

    Takes: `name`, a hint for the server; the file's own unless it is given.
    Errors: OSError, as of any file.
    """
    path = Path(path)
    return Upload(path.read_bytes(), name or path.name)


def from_bytes(data: bytes | bytearray | memoryview, name: str = "upload") -> Upload:
    """Take a picture that is in memory already; the bytes decide its format, not the name."""
    return Upload(bytes(data), name)


def from_url(url: str, name: str | None = None, fetch_options: "FetchOptions | None" = None) -> "UrlFile":
    """Name a picture that the server fetches.

    Takes: `fetch_options`, such as headers or a password for the server that has the picture.
    """
    file: UrlFile = {"type": "url", "url": url}
    if name is not None:
        file["name"] = name
    if fetch_options is not None:
        file["fetch_options"] = fetch_options
    return file
