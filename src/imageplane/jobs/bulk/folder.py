"""A folder of this machine as a source."""

import asyncio
import os
import threading
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from imageplane.jobs.bulk.items import Item, has_read_suffix, item_of_file
from imageplane.jobs.bulk.source import Passed, streamed
from imageplane.jobs.bulk.spill import MOST_IN_MEMORY, sorted_rows


@dataclass(frozen=True, slots=True)
class Folder:
    """Every image in a folder and below it, by name; hidden files are none, and links to folders lead nowhere."""

    path: Path
    passed: Passed = field(default_factory=Passed)
    is_checked_first: bool = False
    most_in_memory: int = MOST_IN_MEMORY

    def items(self) -> AsyncIterator[Item]:
        """Give every image, folder by folder, by name."""
        return streamed(self._walk(self.path, ""))

    async def count(self) -> int:
        """Give how many images there are."""
        is_pointless = threading.Event()
        try:
            return await asyncio.to_thread(_count, self.path, is_pointless)
        finally:
            is_pointless.set()

    def _walk(self, folder: Path, prefix: str) -> Iterator[Item]:
        try:
            # Not even the names of one folder need fit into memory.
            rows = sorted_rows(_rows(folder), self.most_in_memory)
        except OSError as error:
            self.passed.add_unreadable(prefix or str(folder), error)
            return
        for name, is_folder in rows:
            if is_folder:
                yield from self._walk(folder / name, f"{prefix}{name}/")
            elif not has_read_suffix(name):
                self.passed.others += 1
            else:
                yield from self._item(folder / name, f"{prefix}{name}")

    def _item(self, path: Path, name: str) -> Iterator[Item]:
        try:
            item = item_of_file(path, name)
        except OSError as error:
            self.passed.add_unreadable(name, error)
        else:
            if item is not None:
                yield item


def _rows(folder: Path) -> Iterator[tuple[str, bool]]:
    with os.scandir(folder) as entries:
        for entry in entries:
            if not entry.name.startswith("."):
                yield entry.name, entry.is_dir(follow_symlinks=False)


def _count(folder: Path, is_pointless: threading.Event) -> int:
    found = 0
    try:
        for name, is_folder in _rows(folder):
            if is_pointless.is_set():
                break
            if is_folder:
                found += _count(folder / name, is_pointless)
            elif has_read_suffix(name):
                found += 1
    except OSError:
        # Whoever walks tells it.
        return found
    return found
