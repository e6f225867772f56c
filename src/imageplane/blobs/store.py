"""The store: bytes are put whole under a name, read whole, and deleted. All cloud access is obstore's."""

import asyncio
import contextlib
import itertools
import os
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError
from obstore.store import LocalStore, MemoryStore, ObjectStore, from_url

from imageplane.errors import Busy, Fault, SettingsError

if TYPE_CHECKING:
    from obstore import ObjectMeta

_EXPECTED: Final = "expected an address such as file:///folder or s3://bucket/folder, at a place that can be written"
_TIMEOUT_IN_S: Final = 30
_RETRIES: Final = 3
# As many as S3 lists and deletes at once.
_PAGE: Final = 1000


@dataclass(frozen=True, slots=True)
class Entry:
    """Something that is kept, and when it was put there.

    Takes: `tag`, which is another when the bytes are, as far as the store knows.
    """

    name: str
    size_in_bytes: int
    changed_at: datetime
    tag: str = ""


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
                client_options={
                    "timeout": timedelta(seconds=_TIMEOUT_IN_S),
                    "connect_timeout": timedelta(seconds=5),
                    # What obstore reads itself only where it is given no options.
                    "allow_http": os.environ.get("AWS_ALLOW_HTTP", "").lower() == "true",
                },
                retry_config={"max_retries": _RETRIES, "retry_timeout": timedelta(seconds=_TIMEOUT_IN_S)},
            )
            return cls(store)
        except (BaseError, ValueError, OSError):
            fault = Fault(setting, _EXPECTED)
            if url is None:
                fault = Fault("IMAGEPLANE_DATA_DIR", f"{str(folder.parent)!r} can't be written; choose another folder")
            raise SettingsError.of([fault]) from None

    async def put(self, name: str, data: bytes, mime_type: str | None = None) -> None:
        """Keep bytes under a name; nobody ever sees half of them.

        Takes: `mime_type`, which stores of clouds tell whoever fetches the bytes. Errors: busy.
        """
        # A folder can't keep it.
        told = {"Content-Type": mime_type} if mime_type and not isinstance(self._store, LocalStore) else None
        with _busy_when_gone():
            await obstore.put_async(self._store, name, data, attributes=told)

    async def create(self, name: str, data: bytes) -> bool:
        """Keep bytes under a name that is free, and tell whether it was; of two at once only one finds it free.

        Errors: busy.
        """
        with _busy_when_gone():
            try:
                await obstore.put_async(self._store, name, data, mode="create")
            except AlreadyExistsError:
                return False
        return True

    async def get(self, name: str) -> bytes | None:
        """Give what is kept under a name, or `None`. Errors: busy."""
        with _busy_when_gone(), contextlib.suppress(FileNotFoundError):
            found = await obstore.get_async(self._store, name)
            return bytes(await found.bytes_async())
        return None

    async def head(self, name: str) -> Entry | None:
        """Tell of what is kept under a name without reading it, or `None`. Errors: busy."""
        with _busy_when_gone(), contextlib.suppress(FileNotFoundError):
            return _entry(await obstore.head_async(self._store, name))
        return None

    async def delete(self, *names: str) -> None:
        """Forget these names; a name under which nothing is kept does no harm. Errors: busy."""
        for name in names:
            with _busy_when_gone(), contextlib.suppress(FileNotFoundError):
                await obstore.delete_async(self._store, name)

    async def entries(self, folder: str) -> list[Entry]:
        """Tell of everything that is kept in a folder and below it. Errors: busy."""
        return [entry async for page in self.pages(folder) for entry in page]

    async def pages(self, folder: str = "") -> AsyncIterator[list[Entry]]:
        """Tell of everything in a folder and below it, a page at a time; stores of clouds do so by name.

        Errors: busy.
        """
        listing = obstore.list(self._store, prefix=folder or None, chunk_size=_PAGE)
        with _busy_when_gone():
            async for some in listing:
                yield [_entry(each) for each in some]

    async def folders(self, name: str) -> list[str]:
        """Give the names of the folders that lie directly in a folder. Errors: busy."""
        with _busy_when_gone():
            listing = await obstore.list_with_delimiter_async(self._store, prefix=name)
            return sorted(listing["common_prefixes"])

    async def delete_folder(self, name: str) -> None:
        """Forget everything in a folder. Errors: busy."""
        async for page in self.pages(name):
            names = [entry.name for entry in page]
            with _busy_when_gone():
                try:
                    await obstore.delete_async(self._store, names)
                except FileNotFoundError:
                    # Somebody else deletes it too.
                    await self.delete(*names)

    async def clear_remains(self, name: str) -> None:
        """Remove what a process left that was killed while it put something under this name; only folders keep any."""
        if isinstance(self._store, LocalStore) and self._store.prefix is not None:
            place = Path(self._store.prefix, name)
            await asyncio.to_thread(_remove_staged, place)


def _entry(meta: "ObjectMeta") -> Entry:
    tag = meta["e_tag"] or meta["version"] or meta["last_modified"].isoformat()
    return Entry(meta["path"], meta["size"], meta["last_modified"], tag)


def _remove_staged(place: Path) -> None:
    # So obstore names what it writes until it is whole; the next that finds the name taken counts on.
    with contextlib.suppress(OSError):
        for number in itertools.count(1):
            place.with_name(f"{place.name}#{number}").unlink()


@contextlib.contextmanager
def _busy_when_gone() -> Iterator[None]:
    try:
        yield
    except (BaseError, OSError) as error:
        # What follows the first line is the state of the library, with addresses.
        detail = f"{type(error).__name__}: {str(error).splitlines()[0]}"
        raise Busy("The store can't be reached at the moment; try again.", detail=detail, retry_after_in_s=2) from error
