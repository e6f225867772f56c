"""The filter decides alike on every processor that it knows, whichever one runs the test."""

import errno
import os
import re
import struct
from pathlib import Path

import pytest

from imageplane.engine.seccomp import demands, program
from imageplane.engine.syscalls import CONDITIONAL, DEADLY, NEEDED, SETUP, Architecture

X86, ARM = Architecture(0xC000003E, 1), Architecture(0xC00000B7, 2)
PID = 4711
ALLOWED, KILLED = 0x7FFF0000, 0x80000000
REFUSED, UNKNOWN = 0x00050000 | errno.EPERM, 0x00050000 | errno.ENOSYS
HEADERS = {X86: "/usr/include/x86_64-linux-gnu/asm/unistd_64.h", ARM: "/usr/include/asm-generic/unistd.h"}


def decided(processor: Architecture, number: int, *arguments: int, audited: int | None = None) -> int:
    """Run the filter as the kernel would, and give its answer."""
    values = [*arguments, *[0] * (6 - len(arguments))]
    audit_number = processor.audit_number if audited is None else audited
    call = struct.pack("=IIQ6Q", number, audit_number, 0, *(value % 2**64 for value in values))
    steps = list(struct.iter_unpack("HBBI", program(processor, demands(PID))))
    at = word = 0
    while True:
        code, then, otherwise, value = steps[at]
        at += 1
        if code == 0x20:
            (word,) = struct.unpack_from("=I", call, value)
        elif code == 0x54:
            word &= value
        elif code == 0x06:
            return value
        else:
            is_so = {0x15: word == value, 0x25: word > value, 0x35: word >= value}[code]
            at += then if is_so else otherwise


@pytest.mark.parametrize("processor", [X86, ARM])
def test_every_call_of_the_tables_is_decided_as_its_table_says(processor: Architecture) -> None:
    needed, deadly = set(processor.numbers(NEEDED).values()), set(processor.numbers(DEADLY).values())
    conditional = set(processor.numbers(CONDITIONAL).values())
    for number in set(range(1024)) - conditional:
        otherwise = REFUSED if number < 424 else UNKNOWN
        wanted = ALLOWED if number in needed else KILLED if number in deadly else otherwise
        assert decided(processor, number) == wanted, number


@pytest.mark.parametrize("processor", [X86, ARM])
@pytest.mark.parametrize(
    ("name", "arguments", "wanted"),
    [
        ("openat", (-100, 0, os.O_RDONLY | os.O_CLOEXEC | os.O_DIRECTORY | os.O_NONBLOCK), ALLOWED),
        ("openat", (-100, 0, os.O_WRONLY), REFUSED),
        ("openat", (-100, 0, os.O_RDWR), REFUSED),
        ("openat", (-100, 0, os.O_RDONLY | os.O_CREAT), REFUSED),
        ("openat", (-100, 0, os.O_RDONLY | os.O_TRUNC), REFUSED),
        ("mmap", (0, 4096, 1, 0x01, 4, 0), ALLOWED),
        ("mmap", (0, 4096, 3, 0x22, -1, 0), ALLOWED),
        ("mmap", (0, 4096, 3, 0x21, -1, 0), REFUSED),
        ("mmap", (0, 4096, 3, 0x23, -1, 0), REFUSED),
        ("clone", (0x3D0F00,), ALLOWED),
        ("clone", (17,), REFUSED),
        ("clone", (0x4111,), REFUSED),
        ("fcntl", (4, 1030), ALLOWED),
        ("fcntl", (4, 8, 1), REFUSED),
        ("ioctl", (4, 0x5421), ALLOWED),
        ("ioctl", (0, 0x5412), REFUSED),
        ("prctl", (15,), ALLOWED),
        ("prctl", (1, 0), REFUSED),
        ("prlimit64", (0, 7), ALLOWED),
        ("prlimit64", (PID + 1, 7), REFUSED),
        ("setpriority", (0, 0, 10), ALLOWED),
        ("setpriority", (0, PID + 1, 10), REFUSED),
        ("setpriority", (2, 0, 10), REFUSED),
        ("kill", (PID, 6), ALLOWED),
        ("kill", (-1, 9), REFUSED),
        ("kill", (PID + 1, 9), REFUSED),
        ("tgkill", (PID, PID + 3, 6), ALLOWED),
        ("tgkill", (PID + 1, PID + 1, 6), REFUSED),
    ],
)
def test_some_calls_depend_on_what_they_ask_for(
    processor: Architecture, name: str, arguments: tuple[int, ...], wanted: int
) -> None:
    number = processor.numbers(CONDITIONAL)[name]
    assert decided(processor, number, *arguments) == wanted
    # The kernel looks at 32 bits of these arguments only, and so must the filter.
    assert decided(processor, number, *(value + 2**32 for value in arguments)) == wanted


def test_no_other_way_into_the_kernel_is_open() -> None:
    i386, x32_bit = 0x40000003, 0x40000000
    assert decided(X86, 1, audited=i386) == REFUSED
    assert decided(X86, x32_bit | 0) == UNKNOWN
    assert decided(ARM, 63, audited=X86.audit_number) == REFUSED


@pytest.mark.parametrize("processor", [X86, ARM])
def test_the_numbers_are_those_of_the_kernel(processor: Architecture) -> None:
    header = Path(HEADERS[processor])
    if not header.is_file():
        pytest.skip(f"{header} is not here; on Debian linux-libc-dev brings it")
    found = re.findall(r"#define __NR(?:3264)?_(\w+)\s+(\d+)", header.read_text())
    names = {"fstatat": "newfstatat"}
    known = {names.get(name, name): int(number) for name, number in found}
    for table in (NEEDED, CONDITIONAL, DEADLY, SETUP):
        for name, number in processor.numbers(table).items():
            assert known[name] == number, name
