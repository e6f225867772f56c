"""A filter in the kernel that refuses the system calls which decoding doesn't need.

What is refused by default gets an error, because libraries try things and live without them. Numbers above those of
Linux 5.0 look as if the kernel were too old to have them, which is when the C library takes its older way.
"""

import ctypes
import errno
import os
import signal
import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from imageplane.engine.syscalls import CONDITIONAL, DEADLY, NEEDED, SETUP, Architecture

# Of linux/filter.h: load a word, mask it, compare, answer.
_LOAD, _AND, _IF_EQUAL, _IF_ABOVE, _IF_AT_LEAST, _ANSWER = 0x20, 0x54, 0x15, 0x25, 0x35, 0x06
# Of linux/seccomp.h.
_ALLOW, _KILL, _FAIL = 0x7FFF0000, 0x80000000, 0x00050000
_NUMBER_AT, _ARCHITECTURE_AT, _ARGUMENTS_AT, _ARGUMENT_SIZE = 0, 4, 16, 8
_SET_FILTER, _ALL_THREADS, _KEEP_SPECULATION = 1, 1, 4

_FIRST_NEW_NUMBER: Final = 424
_READS_ONLY: Final = os.O_ACCMODE | os.O_CREAT | os.O_TRUNC
_THREAD: Final = 0x10000
# MAP_SHARED | MAP_ANONYMOUS: memory that the limit of an engine doesn't count.
_UNCOUNTED: Final = 0x21
_WHOLE: Final = 0xFFFFFFFF
_DESCRIPTOR_COMMANDS: Final = (0, 1, 2, 3, 4, 1030)  # F_DUPFD F_GETFD F_SETFD F_GETFL F_SETFL F_DUPFD_CLOEXEC
_TERMINAL_QUESTIONS: Final = (0x5401, 0x5413, 0x802C542A)  # TCGETS TIOCGWINSZ TCGETS2
_SOCKET_SETTINGS: Final = (0x541B, 0x5421, 0x5450, 0x5451)  # FIONREAD FIONBIO FIONCLEX FIOCLEX
_NAMES: Final = (15, 16, 0x53564D41)  # PR_SET_NAME PR_GET_NAME PR_SET_VMA

# What a program that fails brings upon itself. SIGKILL is not among them, so that it always comes from outside.
_OWN_SIGNALS: Final = (
    0, signal.SIGILL, signal.SIGTRAP, signal.SIGABRT, signal.SIGBUS, signal.SIGFPE, signal.SIGSEGV,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Demand:
    """What one argument of a call must be for the call to be allowed: `argument & mask` is one of the values."""

    argument: int
    values: tuple[int, ...]
    mask: int = _WHOLE


def demands(process_id: int) -> dict[str, tuple[Demand, ...]]:
    """Give what is asked of the calls that may be made in some ways only."""
    return {
        "open": (Demand(1, (0,), _READS_ONLY),),
        "openat": (Demand(2, (0,), _READS_ONLY),),
        "mmap": (Demand(3, (0x00, 0x01, 0x20), _UNCOUNTED),),
        "clone": (Demand(0, (_THREAD,), _THREAD),),
        # Others set who gets a signal when a file is ready, which needn't be this process.
        "fcntl": (Demand(1, _DESCRIPTOR_COMMANDS),),
        "ioctl": (Demand(1, _TERMINAL_QUESTIONS + _SOCKET_SETTINGS),),
        "prctl": (Demand(0, _NAMES),),
        "prlimit64": (Demand(0, (0,)),),
        "setpriority": (Demand(0, (0,)), Demand(1, (0,))),
        "kill": (Demand(0, (process_id,)), Demand(1, _OWN_SIGNALS)),
        "tgkill": (Demand(0, (process_id,)), Demand(2, _OWN_SIGNALS)),
    }


def program(architecture: Architecture, demanded: Mapping[str, tuple[Demand, ...]]) -> bytes:
    """Give the filter as classic BPF: rules one after the other, each of which answers or leaves it to the next."""
    conditional = architecture.numbers(CONDITIONAL)
    rules = [
        _step(_LOAD, _ARCHITECTURE_AT),
        _step(_IF_EQUAL, architecture.audit_number, then=1),
        _fail(errno.EPERM),
        _step(_LOAD, _NUMBER_AT),
        *(_if_between(number, number, _step(_ANSWER, _KILL)) for number in architecture.numbers(DEADLY).values()),
        *(
            _if_between(first, last, _step(_ANSWER, _ALLOW))
            for first, last in _runs(architecture.numbers(NEEDED).values())
        ),
        *(_if_demands_are_met(number, demanded[name]) for name, number in conditional.items()),
        _step(_IF_AT_LEAST, _FIRST_NEW_NUMBER, otherwise=1),
        _fail(errno.ENOSYS),
        _fail(errno.EPERM),
    ]
    return b"".join(rules)


def install(architecture: Architecture, filter_: bytes) -> None:
    """Put the filter on every thread of this process, which must have no way to gain privileges. Errors: OSError."""
    lines = ctypes.create_string_buffer(filter_, len(filter_))
    described = struct.pack("HxxxxxxP", len(filter_) // 8, ctypes.addressof(lines))
    call = ctypes.CDLL(None, use_errno=True).syscall
    number = ctypes.c_long(architecture.numbers(SETUP)["seccomp"])
    # A kernel before 5.16 makes filtered processes slower against attacks on their own memory, where there is nothing
    # to protect; one before 4.17 doesn't know that it can be asked not to.
    for flags in (_ALL_THREADS | _KEEP_SPECULATION, _ALL_THREADS):
        result = call(number, _SET_FILTER, flags, described)
        if result == 0:
            return
    raise OSError(ctypes.get_errno() or errno.EBUSY, "the kernel takes no filter")


def _runs(numbers: Iterable[int]) -> list[tuple[int, int]]:
    """Give the first and the last of every run of numbers without a gap."""
    runs: list[tuple[int, int]] = []
    for number in sorted(numbers):
        if runs and number == runs[-1][1] + 1:
            runs[-1] = (runs[-1][0], number)
        else:
            runs.append((number, number))
    return runs


def _if_between(first: int, last: int, answer: bytes) -> bytes:
    return _step(_IF_AT_LEAST, first, otherwise=2) + _step(_IF_ABOVE, last, then=1) + answer


def _if_demands_are_met(number: int, demanded: tuple[Demand, ...]) -> bytes:
    body = b"".join(_unless_met(demand) for demand in demanded) + _step(_ANSWER, _ALLOW)
    return _step(_IF_EQUAL, number, otherwise=len(body) // 8) + body


def _unless_met(demand: Demand) -> bytes:
    # All of these arguments are 32 bits wide, and the kernel doesn't look at what is above.
    load = _step(_LOAD, _ARGUMENTS_AT + demand.argument * _ARGUMENT_SIZE) + _step(_AND, demand.mask)
    count = len(demand.values)
    tests = (_step(_IF_EQUAL, value, then=count - index) for index, value in enumerate(demand.values))
    return load + b"".join(tests) + _fail(errno.EPERM)


def _fail(number: int) -> bytes:
    return _step(_ANSWER, _FAIL | number)


def _step(code: int, value: int, *, then: int = 0, otherwise: int = 0) -> bytes:
    """Give one instruction; `then` and `otherwise` are how many of the next ones a comparison leaves out."""
    return struct.pack("HBBI", code, then, otherwise, value)
