"""What an engine process is given: an environment, memory, and a life no longer than its parent's."""

import ctypes
import os
import resource
import signal
import sys
from collections.abc import Mapping
from pathlib import Path

# An engine decodes hostile bytes: it inherits no variable that could hold a secret.
_KEPT = ("PATH", "HOME", "LANG", "TZ", "TMPDIR", "LD_LIBRARY_PATH", "LD_PRELOAD", "DYLD_LIBRARY_PATH")
_KEPT_PREFIXES = ("LC_", "PYTHON", "MALLOC_", "GLIBC_", "VIPS_", "FONTCONFIG_", "COVERAGE_")

# Two arenas keep the heaps of libvips' threads from piling up, fixed thresholds give large pictures back at once, and
# huge pages spare the page faults that were two fifths of a progressive JPEG (benchmarks/README.md). The rest keeps
# every library on its one thread.
_DEFAULTS = {
    "MALLOC_ARENA_MAX": "2",
    "MALLOC_MMAP_THRESHOLD_": "4194304",
    "MALLOC_TRIM_THRESHOLD_": "4194304",
    "GLIBC_TUNABLES": "glibc.malloc.hugetlb=1",
    "VIPS_CONCURRENCY": "1",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
}

_PR_SET_PDEATHSIG = 1
_MOST_FILES = 256

# What the libraries say as they give up for want of memory: Python, libvips, GLib, C++, Rust and libheif.
_WANTS_OF_MEMORY = (
    "memoryerror",
    "out of memory",
    "failed to allocate",
    "bad_alloc",
    "memory allocation",
    "cannot allocate memory",
)


def environment(parent: Mapping[str, str]) -> dict[str, str]:
    """Give the environment of an engine; what the parent says of allocator and libvips goes first."""
    kept = {name: value for name, value in parent.items() if name in _KEPT or name.startswith(_KEPT_PREFIXES)}
    return _DEFAULTS | kept


def bind_to_parent(parent_id: int) -> None:
    """Let this process end with the thread that started it, and only that one end it in peace."""
    # What stops a service often sends its signal to all processes; the server still needs its engines to finish.
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent_id:
            sys.exit("The parent of this engine is gone.")


def limit(memory_in_bytes: int) -> None:
    """Set the limits of this process.

    Method: RLIMIT_DATA counts private writable memory when it is mapped, and neither the mapped source nor the code
    of libraries, as RLIMIT_AS would. On systems where the kernel doesn't enforce it, only the deadline bounds memory.
    RLIMIT_NPROC is left alone: it counts what the whole user runs, not what this process starts.
    """
    resource.setrlimit(resource.RLIMIT_DATA, (memory_in_bytes, memory_in_bytes))
    # A core file would hold a customer's picture.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (_MOST_FILES, _MOST_FILES))


def data_memory_of(process_id: int) -> int:
    """Give the bytes of data memory that a process holds, or 0 where the system doesn't tell.

    Method: the sixth number of Linux' `statm`, pages of data and stack: what RLIMIT_DATA counts, and the stack.
    """
    try:
        return int(Path(f"/proc/{process_id}/statm").read_bytes().split()[5]) * resource.getpagesize()
    except (OSError, IndexError, ValueError):
        return 0


def oom_kills() -> int:
    """Give how many processes the kernel has killed for want of memory, or 0 where it doesn't tell."""
    try:
        lines = Path("/proc/vmstat").read_bytes().splitlines()
        return next((int(line.split()[1]) for line in lines if line.startswith(b"oom_kill ")), 0)
    except OSError:
        return 0


def is_want_of_memory(words: str) -> bool:
    """Tell whether an error or the last words of an engine speak of memory that was refused."""
    spoken = words.lower()
    return any(phrase in spoken for phrase in _WANTS_OF_MEMORY)
