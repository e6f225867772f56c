"""What this machine has to give, and where its user keeps things: the defaults of settings."""

import contextlib
import ctypes
import math
import os
from pathlib import Path

import psutil

_CPU_QUOTA = Path("/sys/fs/cgroup/cpu.max")
# M_ARENA_MAX of mallopt(3).
_ARENA_MAX = -8


def share_one_heap() -> None:
    """Have all threads of this process share two heaps, where each would keep one of its own with what it freed."""
    with contextlib.suppress(AttributeError, OSError):
        # Only glibc has it.
        ctypes.CDLL(None).mallopt(_ARENA_MAX, 2)


def return_freed_memory() -> None:
    """Give memory that was freed back to the system; left to itself, glibc keeps what a spike took for ever."""
    with contextlib.suppress(AttributeError, OSError):
        ctypes.CDLL(None).malloc_trim(0)


def available_cores() -> int:
    """Give how many cores this process may use, in a container as many as its quota makes up, rounded up."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    # Of the quota of a container the affinity knows nothing (cgroup v2).
    with contextlib.suppress(OSError, ValueError):
        quota, period = _CPU_QUOTA.read_text().split()
        cores = min(cores, math.ceil(int(quota) / int(period)))
    return max(cores, 1)


def half_of_the_memory() -> int:
    """Give half of the bytes of memory that the machine or the container has."""
    available = psutil.virtual_memory().total
    # A container has less than its machine (cgroup v2).
    with contextlib.suppress(OSError, ValueError):
        available = min(available, int(Path("/sys/fs/cgroup/memory.max").read_text()))
    return max(available // 2, 100_000_000)


def user_data_dir() -> Path:
    """Give the folder that the XDG Base Directory Specification reserves for a program's data."""
    try:
        return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "imageplane"
    except RuntimeError:
        # A user without a home, as in some containers.
        return Path("imageplane-data")


def user_cache_dir() -> Path:
    """Give the folder that the XDG Base Directory Specification reserves for what a program can fetch again."""
    try:
        return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "imageplane"
    except RuntimeError:
        return Path("imageplane-cache")


def models_dir() -> Path:
    """Give the folder for the networks' weights."""
    return user_cache_dir() / "models"
