"""What an engine gives up once it has loaded its libraries: whoever takes it over finds little to take.

Nothing here is needed for right pictures, so whatever the system lacks is left out, and told.
"""

import contextlib
import ctypes
import os
import struct
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

import imageplane
from imageplane.engine import landlock, seccomp
from imageplane.engine.syscalls import SETUP, Architecture, architecture

# What libraries still look at while they work: fonts, time zones, the processor, libraries that they load late.
_READABLE: Final = (
    "/usr/share",
    "/usr/local/share",
    "/etc/fonts",
    "/etc/ld.so.cache",
    "/etc/localtime",
    "/proc/cpuinfo",
    "/proc/meminfo",
    "/proc/self",
    "/sys/devices/system/cpu",
    "/dev/null",
    "/dev/urandom",
)
_FONTS_OF_THE_USER: Final = (".fonts", ".local/share/fonts")
_NO_NEW_PRIVILEGES = 38
_CAPABILITIES_VERSION = 0x20080522


def confine(readable: Iterable[Path]) -> str:
    """Take network, other processes, files and privileges from this process, as far as the system can.

    Takes: files and folders that it will read later, beside its libraries and the fonts.
    Gives: what is taken and what is not, in words for an operator.
    """
    processor = architecture() if sys.platform == "linux" else None
    if processor is None:
        return "nothing: it takes Linux on x86-64 or 64-bit ARM"
    # Byte code would be written beside the modules that are imported from now on.
    sys.dont_write_bytecode = True
    privileges = _drop_privileges(processor)
    # Before the filter, which would refuse the calls of the others.
    files = _restrict_files(processor, {*map(Path, _READABLE), *_fonts_of_the_user(), *_loaded_from(), *readable})
    calls = _filter_calls(processor)
    return f"{calls}; {files}; {privileges}"


def _filter_calls(processor: Architecture) -> str:
    try:
        seccomp.install(processor, seccomp.program(processor, seccomp.demands(os.getpid())))
    except OSError as error:
        return f"network, other processes and writing are open, because seccomp is not to be had ({error.strerror})"
    return "no network, no other processes, no writing (seccomp)"


def _restrict_files(processor: Architecture, readable: Iterable[Path]) -> str:
    # Landlock takes hold of the thread that asks, not of those that run already.
    if len(os.listdir("/proc/self/task")) > 1:  # noqa: PTH208
        return "every file of the server can be read, because a library has started a thread"
    try:
        version = landlock.restrict(processor, readable)
    except OSError as error:
        return f"every file of the server can be read, because Landlock is not to be had ({error.strerror})"
    return f"reading only libraries, fonts and models (Landlock {version})"


def _drop_privileges(processor: Architecture) -> str:
    library = ctypes.CDLL(None, use_errno=True)
    none = ctypes.c_ulong(0)
    if library.prctl(_NO_NEW_PRIVILEGES, ctypes.c_ulong(1), none, none, none) != 0:
        return "privileges can be gained"
    about_this_process = struct.pack("Ii", _CAPABILITIES_VERSION, 0)
    if library.syscall(ctypes.c_long(processor.numbers(SETUP)["capset"]), about_this_process, bytes(24)) != 0:
        return "the privileges of the server are kept"
    return "no privileges"


def _fonts_of_the_user() -> Iterator[Path]:
    # A user without a home, as in some containers, has no fonts either.
    with contextlib.suppress(RuntimeError):
        yield from (Path.home() / name for name in _FONTS_OF_THE_USER)


def _loaded_from() -> Iterator[Path]:
    """Give the folders that code came from so far, and those that Python imports from: what is missing is there too."""
    mapped = (line.split(maxsplit=5) for line in Path("/proc/self/maps").read_text().splitlines())
    code = {Path(words[5]).parent for words in mapped if len(words) == 6 and "x" in words[1]}
    extra = os.environ.get("LD_LIBRARY_PATH", "").split(os.pathsep)
    for place in {*code, *map(Path, [*sys.path, *extra]), Path(imageplane.__file__).parent}:
        # Code that lies in the root itself would open everything.
        if place.is_absolute() and place.resolve() != Path("/"):
            yield place
