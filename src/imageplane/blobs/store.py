"""The store: bytes are put whole under a name, read whole, and deleted. All cloud access is obstore's."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final, Self

import obstore
from obstore.exceptions import BaseError
from obstore.store import LocalStore, MemoryStore, ObjectStore, from_url

from imageplane.errors import Busy, Fault, SettingsError

_EXPECTED: Final = "expected an address such as file:///folder or s3://bucket/folder, at a place that can be written"
_TIMEOUT_IN_S: Final = 30
_RETRIES: Final = 3


@dataclass(frozen=True, slots=True)
class Entry:
    """Something that is kept, and when it was put there."""

    name: str
    size_in_bytes: int
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class Blobs:
    """One store; names are paths with slashes, such as `replies/2026-11-23T14/01KB…`."""

    _store: ObjectStore

    @classmethod
    def at(cls, url: str | None, folder: Path, setting: str = "IMAGEPLANE_BLOBS__URL") -> Self:
        """Give the store of these settings.

        Takes: `url` as a person writes it, or `None` for a `folder` of this machine; the `setting` that a wrong one
        stands in. Credentials of clouds are where their own tools look for them.
        Errors: invalid_settings.
        """
        try:
            if url is None:
                return cls(LocalStore(folder.absolute(), mkdir=True, automatic_cleanup=True))
            if url.startswith("file:"):
                return cls(LocalStore.from_url(url, mkdir=True, automatic_cleanup=True))
            if url.startswith("memory:"):
                return cls(MemoryStore())
            store = from_url(
                url,
                client_options={"timeout": timedelta(seconds=_TIMEOUT_IN_S), "connect_timeout": timedelta(seconds=5)},
                retry_config={"max_retries": _RETRIES, "retry_timeout": timedelta(seconds=_TIMEOUT_IN_S)},
            )
            return cls(store)
        except (BaseError, ValueError, OSError):
            fault = Fault(setting, _EXPECTED)
            if url is None:
                fault = Fault("IMAGEPLANE_DATA_DIR", f"{str(folder.parent)!r} can't be written; choose another folder")
            raise SettingsError.of([fault]) from None

    async def put(self, name: str, data: bytes) -> None:
        """Keep bytes under a name; nobody ever sees half of them. Errors: busy."""
        with _busy_when_gone():
            await obstore.put_async(self._store, name, data)

    async def get(self, name: str) -> bytes | None:
        """Give what is kept under a name, or `None`. Errors: busy."""
        with _busy_when_gone(), contextlib.suppress(FileNotFoundError):
            found = await obstore.get_async(self._store, name)
            return bytes(await found.bytes_async())
        return None

    async def delete(self, *names: str) -> None:
        """Forget these names; a name under which nothing is kept does no harm. Errors: busy."""
        for name in names:
            with _busy_when_gone(), contextlib.suppress(FileNotFoundError):
                await obstore.delete_async(self._store, name)

    async def entries(self, folder: str) -> list[Entry]:
        """Tell of everything that is kept in a folder and below it. Errors: busy."""
        found: list[Entry] = []
        with _busy_when_gone():
            async for some in obstore.list(self._store, prefix=folder):
                found += [Entry(each["path"], each["size"], each["last_modified"]) for each in some]
        return found

    async def folders(self, name: str) -> list[str]:
        """Give the names of the folders that lie directly in a folder. Errors: busy."""
        with _busy_when_gone():
            listing = await obstore.list_with_delimiter_async(self._store, prefix=name)
            return sorted(listing["common_prefixes"])

    async def delete_folder(self, name: str) -> None:
        """Forget everything in a folder. Errors: busy."""
        with _busy_when_gone():
            async for some in obstore.list(self._store, prefix=name):
                await self.delete(*(entry["path"] for entry in some))


@contextlib.contextmanager
def _busy_when_gone() -> Iterator[None]:
    try:
        yield
    except FileNotFoundError:
        raise
    except (BaseError, OSError) as error:
        # What follows the first line is the state of the library, with addresses.
        detail = f"{type(error).__name__}: {str(error).splitlines()[0]}"
        raise Busy("The store can't be reached at the moment; try again.", detail=detail, retry_after_in_s=2) from error
