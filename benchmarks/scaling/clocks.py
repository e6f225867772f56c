"""CPU times and memory of processes, as the kernel counts them."""

import contextlib
from collections.abc import Iterable
from dataclasses import dataclass

import psutil

_MIB = 1024**2


def cpu_in_s(process: psutil.Process) -> float:
    """Give the user and system time of a process alone."""
    times = process.cpu_times()
    return float(times.user + times.system)


def family_in_s(process: psutil.Process) -> float:
    """Give that of a process, the children that have ended, and those that live."""
    own = process.cpu_times()
    spent = own.user + own.system + own.children_user + own.children_system
    for child in process.children():
        with contextlib.suppress(psutil.Error):
            times = child.cpu_times()
            spent += times.user + times.system
    return float(spent)


@dataclass(frozen=True, slots=True)
class Memory:
    """What processes hold, in MiB: the resident set, and the proportional set, in which shared pages count once."""

    resident_in_mib: float
    proportional_in_mib: float


def memory_of(processes: Iterable[psutil.Process]) -> Memory:
    """Give the memory of processes together."""
    found = [process.memory_full_info() for process in processes]
    return Memory(round(sum(each.rss for each in found) / _MIB, 1), round(sum(each.pss for each in found) / _MIB, 1))
