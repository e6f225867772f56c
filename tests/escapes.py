"""What someone who took an engine over would try: each gives "done", or the name of the error that stopped it."""

import ctypes
import errno
import fcntl
import mmap
import os
import platform
import resource
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from imageplane.deadline import Deadline
from imageplane.engine.confinement import confine

# Everyone may write here who is not stopped.
HERE = "/tmp/imageplane-was-here"  # noqa: S108
# Calls without a function in Python, by number on x86-64 and on 64-bit ARM.
NUMBERS = {
    "io_uring_setup": (425, 425),
    "bpf": (321, 280),
    "keyctl": (250, 219),
    "mount": (165, 40),
    "unshare": (272, 97),
    "setns": (308, 268),
    "userfaultfd": (323, 282),
    "perf_event_open": (298, 241),
    "memfd_create": (319, 279),
    "init_module": (175, 105),
    "pidfd_open": (434, 434),
    "process_vm_readv": (310, 270),
    "shmget": (29, 194),
    "inotify_init1": (294, 26),
    "sendmsg": (46, 211),
}


def system_call(name: str, *arguments: int) -> None:
    number = NUMBERS[name][platform.machine() == "aarch64"]
    values = (ctypes.c_long(argument) for argument in (number, *arguments))
    if ctypes.CDLL(None, use_errno=True).syscall(*values) < 0:
        raise OSError(ctypes.get_errno(), name)


def _attempts() -> dict[str, Callable[[], Any]]:
    parent = os.getppid()
    system_calls = {name: partial(system_call, name, *[0] * 6) for name in NUMBERS}
    return system_calls | {
        "internet socket": lambda: socket.socket(socket.AF_INET, socket.SOCK_STREAM),
        "datagram socket": lambda: socket.socket(socket.AF_INET6, socket.SOCK_DGRAM),
        "local socket": lambda: socket.socket(socket.AF_UNIX, socket.SOCK_STREAM),
        "netlink socket": lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW),
        "pair of sockets": socket.socketpair,
        "connect": lambda: socket.socket(fileno=_own_socket()).connect("/run/anything"),
        "bind": lambda: socket.socket(fileno=_own_socket()).bind(""),
        "read accounts": lambda: Path("/etc/passwd").read_bytes(),
        "read the secrets of the server": lambda: Path(f"/proc/{parent}/environ").read_bytes(),
        "read the memory of the server": lambda: Path(f"/proc/{parent}/mem").open("rb"),
        "list the root": lambda: os.listdir("/"),  # noqa: PTH208
        "list the home": lambda: os.listdir(Path.home()),  # noqa: PTH208
        "reopen the slot for writing": lambda: Path("/proc/self/fd/3").open("r+b"),
        "write a file": lambda: Path(HERE).write_bytes(b"x"),
        "write beside the code": lambda: Path(__file__).with_name("was_here.py").write_bytes(b"x"),
        "create without writing": lambda: os.open(HERE, os.O_RDONLY | os.O_CREAT),
        "make a folder": lambda: os.mkdir(HERE),  # noqa: PTH102
        "delete": lambda: os.unlink(HERE),  # noqa: PTH108
        "rename": lambda: os.rename(HERE, f"{HERE}.gone"),  # noqa: PTH104
        "change rights": lambda: os.chmod(HERE, 0o700),  # noqa: PTH101
        "link": lambda: os.symlink("/etc/passwd", HERE),  # noqa: PTH211
        "write to a device": lambda: Path("/dev/null").open("wb"),
        "change the root": lambda: os.chroot("/tmp"),  # noqa: S108
        "fork": _forked,
        "spawn": lambda: os.posix_spawn("/bin/true", ["true"], {}),
        "run a program": lambda: subprocess.run(["/bin/true"], check=True),
        "signal the server": lambda: os.kill(parent, 0),
        "signal everyone": lambda: os.kill(-1, 0),
        "slow the server down": lambda: os.setpriority(os.PRIO_PROCESS, parent, 19),
        "slow the user down": lambda: os.setpriority(os.PRIO_USER, 0, 19),
        "move the server": lambda: os.sched_setaffinity(parent, {0}),
        "limit the server": lambda: resource.prlimit(parent, resource.RLIMIT_NOFILE, (3, 3)),
        "have the server signaled": lambda: fcntl.fcntl(2, fcntl.F_SETOWN, parent),
        "outlive the server": lambda: _checked(ctypes.CDLL(None, use_errno=True).prctl(1, 0, 0, 0, 0)),
        "lift the limit of memory": lambda: resource.setrlimit(resource.RLIMIT_DATA, (-1, -1)),
        "memory that nobody counts": lambda: mmap.mmap(-1, 4096),
        "become someone else": lambda: os.setuid(12345),
        "start a thread": _threaded,
        "read the clock and the processor": lambda: Path("/proc/cpuinfo").read_bytes(),
        "read code": lambda: Path(os.__file__).read_bytes(),
        "signal itself": lambda: os.kill(os.getpid(), 0),
        "pass for killed by others": lambda: os.kill(os.getpid(), signal.SIGKILL),
        "import late": lambda: __import__("colorsys"),
        "be nice": lambda: os.setpriority(os.PRIO_PROCESS, 0, os.getpriority(os.PRIO_PROCESS, 0)),
    }


def attempt(_data: Any, name: str, _deadline: Deadline) -> str:
    try:
        (_attempts() | FATAL)[name]()
    except OSError as error:
        return errno.errorcode[error.errno or 0]
    except ValueError:
        # This is how Python tells that a limit can't be lifted.
        return "EPERM"
    return "done"


def confine_again(_data: Any, _deadline: Deadline) -> str:
    """Confine an engine that can't be any more, as on a kernel that lacks everything."""
    return confine(())


def _own_socket() -> int:
    found = (descriptor for descriptor in range(3, 1024) if _is_socket(descriptor))
    return os.dup(next(found))


def _is_socket(descriptor: int) -> bool:
    try:
        return Path(f"/dev/fd/{descriptor}").is_socket()
    except OSError:
        return False


def _forked() -> None:
    child = os.fork()
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)


def _threaded() -> None:
    done = threading.Event()
    thread = threading.Thread(target=done.set)
    thread.start()
    thread.join()
    if not done.is_set():
        raise OSError(errno.EAGAIN, "the thread did nothing")


def _checked(result: int) -> None:
    if result < 0:
        raise OSError(ctypes.get_errno(), "refused")


FATAL: dict[str, Callable[[], Any]] = {
    "become another program": lambda: os.execv("/bin/true", ["true"]),  # noqa: S606
    "look into the server": lambda: ctypes.CDLL(None).ptrace(16, os.getppid(), 0, 0),
    "read the memory of the server by call": lambda: system_call("process_vm_readv", os.getppid(), 0, 0, 0, 0, 0),
}
HARMLESS = (
    "start a thread", "read the clock and the processor", "read code", "signal itself", "import late", "be nice",
)  # fmt: skip
READING = (
    "read accounts", "read the secrets of the server", "read the memory of the server", "list the root",
    "list the home",
)  # fmt: skip
_OTHERS = (*HARMLESS, *READING, "process_vm_readv")
CALLS = tuple(name for name in (_attempts() if sys.platform == "linux" else ()) if name not in _OTHERS)
