"""The settings of memory allocation that a worker is tried with, as environment variables."""

import ctypes.util
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_DIRECTORIES = ("/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib64", "/usr/lib", "/usr/local/lib")
_JEMALLOC = "libjemalloc.so.2"


@dataclass(frozen=True, slots=True)
class Allocator:
    """One setting. Takes: `missing`, why it can't be tried here and how to get it."""

    name: str
    label: str
    variables: dict[str, str]
    missing: str | None = None


def allocators() -> Iterator[Allocator]:
    """Give every setting; `engine` is what Imageplane's engines start with by themselves."""
    yield Allocator("engine", "as the engines are", {})
    # Nothing below 1 is valid, so glibc keeps its own number, eight arenas a core.
    yield Allocator("glibc", "glibc, untouched", {"MALLOC_ARENA_MAX": "0"})
    yield Allocator("arenas", "two arenas", {"MALLOC_ARENA_MAX": "2"})
    yield Allocator("one_arena", "one arena", {"MALLOC_ARENA_MAX": "1"})
    trim = {"MALLOC_ARENA_MAX": "2", "MALLOC_TRIM_THRESHOLD_": "131072", "MALLOC_MMAP_THRESHOLD_": "131072"}
    yield Allocator("trim", "two arenas, thresholds 128 KiB", trim)
    library = _jemalloc()
    yield Allocator(
        "jemalloc",
        "jemalloc",
        {"LD_PRELOAD": library or ""},
        None if library else f"{_JEMALLOC} is not installed (Debian: apt install libjemalloc2)",
    )


def _jemalloc() -> str | None:
    found = next((path for folder in _DIRECTORIES if (path := Path(folder) / _JEMALLOC).exists()), None)
    return str(found) if found else ctypes.util.find_library("jemalloc")
