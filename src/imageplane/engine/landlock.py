"""Landlock: the kernel opens no file for this process but those beneath a few folders, and only to read them."""

import ctypes
import os
import stat
import struct
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Final

from imageplane.engine.syscalls import SETUP, Architecture

# Of linux/landlock.h, the rights by bit and the version of the interface that brought them.
_READ_FILE, _READ_DIR = 1 << 2, 1 << 3
_FILE_RIGHTS: Final = {1: (1 << 13) - 1, 2: 1 << 13, 3: 1 << 14, 5: 1 << 15}
_CONNECTIONS: Final = {4: 0b11}
_SCOPES: Final = {6: 0b11}
_ASK_FOR_VERSION, _RULE_BENEATH = 1, 1


def version(architecture: Architecture) -> int:
    """Give the version of the kernel's interface, or 0 where there is none."""
    return max(0, _call(architecture, "landlock_create_ruleset", None, ctypes.c_size_t(0), _ASK_FOR_VERSION))


def restrict(architecture: Architecture, readable: Iterable[Path]) -> int:
    """Let this thread, and those that it starts, read these files and folders, and nothing else.

    Takes: files and folders; those that are not there are passed over. This process can gain no privileges any more.
    Gives: the version of the interface. Newer ones also stop TCP, device control, and signals to other processes.
    Errors: OSError, when the kernel refuses or has no Landlock.
    """
    known = version(architecture)
    handled = (
        sum(bits for since, bits in kinds.items() if since <= known) for kinds in (_FILE_RIGHTS, _CONNECTIONS, _SCOPES)
    )
    wanted = struct.pack("QQQ", *handled)
    rules = _checked(_call(architecture, "landlock_create_ruleset", wanted, ctypes.c_size_t(len(wanted)), 0))
    try:
        for path in readable:
            # Not there, or not for us to see: then there is nothing to allow.
            with suppress(OSError):
                _allow(architecture, rules, path)
        _checked(_call(architecture, "landlock_restrict_self", rules, 0))
    finally:
        os.close(rules)
    return known


def _allow(architecture: Architecture, rules: int, path: Path) -> None:
    place = os.open(path, os.O_PATH | os.O_CLOEXEC)
    try:
        is_folder = stat.S_ISDIR(os.fstat(place).st_mode)
        rule = struct.pack("=Qi", _READ_FILE | _READ_DIR if is_folder else _READ_FILE, place)
        _checked(_call(architecture, "landlock_add_rule", rules, _RULE_BENEATH, rule, 0))
    finally:
        os.close(place)


def _call(architecture: Architecture, name: str, *arguments: object) -> int:
    call = ctypes.CDLL(None, use_errno=True).syscall
    call.restype = ctypes.c_long
    result: int = call(ctypes.c_long(architecture.numbers(SETUP)[name]), *arguments)
    return result


def _checked(result: int) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result
