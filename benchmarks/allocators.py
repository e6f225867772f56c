"""The settings of memory allocation that a worker is tried with, as environment variables."""

import ctypes.util
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_DIRECTORIES = ("/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib64", "/usr/lib", "/usr/local/lib")
_JEMALLOC = "libjemalloc.so.2"
ENGINE = "engine"
_TWO_ARENAS = {"MALLOC_ARENA_MAX": "2"}


@dataclass(frozen=True, slots=True)
class Allocator:
    """One setting.

    Takes: `variables` in place of all that engines are given for glibc, or None for what they are given; `missing`,
    why it can't be tried here and how to get it.
    """

    name: str
    label: str
    variables: dict[str, str] | None
    missing: str | None = None


def allocators() -> Iterator[Allocator]:
    """Give every setting; `ENGINE`, the first, is that of the engines."""
    yield Allocator(ENGINE, "as the engines are", None)
    yield Allocator("glibc", "glibc, untouched", {})
    yield Allocator("arenas", "two arenas", _TWO_ARENAS)
    yield Allocator("one_arena", "one arena", {"MALLOC_ARENA_MAX": "1"})
    huge = {"GLIBC_TUNABLES": "glibc.malloc.hugetlb=1"}
    yield Allocator("huge_pages", "two arenas, huge pages", _TWO_ARENAS | huge)
    thresholds = dict.fromkeys(("MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_THRESHOLD_"), "131072")
    yield Allocator("trim", "two arenas, thresholds 128 KiB", _TWO_ARENAS | thresholds)
    library = _found_jemalloc()
    missing = None if library else f"{_JEMALLOC} is not installed (Debian: apt install libjemalloc2)"
    yield Allocator("jemalloc", "jemalloc", {"LD_PRELOAD": library or ""}, missing)


def _found_jemalloc() -> str | None:
    found = next((path for folder in _DIRECTORIES if (path := Path(folder) / _JEMALLOC).exists()), None)
    return str(found) if found else ctypes.util.find_library("jemalloc")
