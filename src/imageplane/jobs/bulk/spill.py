"""Sorting what may be too much for memory: in runs, on disk, merged."""

import contextlib
import heapq
import json
import tempfile
from collections.abc import Iterable, Iterator
from typing import IO, Final, TypeVar

# About 10 MB of file names.
MOST_IN_MEMORY: Final = 100_000

_Row = TypeVar("_Row", bound=tuple[str | int | bool, ...])


def sorted_rows(rows: Iterable[_Row], most_in_memory: int = MOST_IN_MEMORY) -> Iterator[_Row]:
    """Take in rows, and give them in order, with no more than so many of them in memory.

    Method: external merge sort.
    """
    with contextlib.ExitStack() as until_sorted:
        runs: list[IO[str]] = []
        held: list[_Row] = []
        for row in rows:
            held.append(row)
            if len(held) >= most_in_memory:
                runs.append(until_sorted.enter_context(_written(sorted(held))))
                held = []
        until_sorted.pop_all()
    return heapq.merge(*(_read(run) for run in runs), sorted(held))


def _written(rows: Iterable[_Row]) -> IO[str]:
    file = tempfile.TemporaryFile("w+", encoding="ascii")  # noqa: SIM115 - it is closed when it has been read
    for row in rows:
        # Names of files may hold line ends and bytes that are no text; JSON escapes both.
        file.write(json.dumps(row) + "\n")
    file.seek(0)
    return file


def _read(file: IO[str]) -> Iterator[_Row]:
    with file:
        for line in file:
            yield tuple(json.loads(line))  # type: ignore[misc]
