"""A place that a run reads from or writes to: a folder of this machine, or one in a store of a cloud."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self
from urllib.parse import unquote, urlsplit

from imageplane.blobs import Blobs
from imageplane.errors import Fault, RequestError, SettingsError

_STORES: Final = ("s3", "s3a", "gs", "az", "azure", "abfs", "abfss", "adl")


@dataclass(frozen=True, slots=True)
class Place:
    """A place. Takes: either the `folder`, or the `url` of a store."""

    folder: Path | None = None
    url: str = ""

    @classmethod
    def of(cls, text: str) -> Self:
        """Read a place as a person writes it. Errors: invalid_request."""
        scheme, is_url, _ = text.partition("://")
        if not is_url:
            return cls(folder=Path(text))
        if scheme == "file":
            return cls(folder=Path(unquote(urlsplit(text).path)))
        if scheme not in _STORES:
            raise RequestError.of([Fault(text, "expected a folder, or an s3://, gs:// or az:// address")])
        return cls(url=text)

    def blobs(self, option: str) -> Blobs:
        """Give what keeps bytes there; a folder is made when it is not there. Errors: invalid_settings."""
        if self.folder is None:
            return Blobs.at(self.url, Path(), option)
        try:
            return Blobs.at(self.folder.absolute().as_uri(), Path(), option)
        except SettingsError:
            message = f"{str(self.folder)!r} can't be written; choose another folder"
            raise SettingsError.of([Fault(option, message)]) from None

    def overlaps(self, other: "Place") -> bool:
        """Tell whether one of two places lies in the other, so that outputs would be taken for sources."""
        if self.folder is not None and other.folder is not None:
            here, there = self.folder.resolve(), other.folder.resolve()
            return here.is_relative_to(there) or there.is_relative_to(here)
        if self.folder is not None or other.folder is not None:
            return False
        here_url, there_url = self.url.rstrip("/") + "/", other.url.rstrip("/") + "/"
        return here_url.startswith(there_url) or there_url.startswith(here_url)
