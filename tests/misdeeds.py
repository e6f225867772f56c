"""Work that an engine may be given in a test: good, slow, greedy, deadly and lying."""

import ctypes
import mmap
import os
import re
import signal
import time
from pathlib import Path
from typing import Any

from imageplane.deadline import Deadline
from imageplane.engine.wire import Answer

DIARY: list[str] = []

Data = bytes | mmap.mmap


def echo(_data: Data, value: Any, _deadline: Deadline) -> Any:
    return value


def echo_each(_data: Data, wishes: tuple[tuple[Any, ...], ...], _deadline: Deadline) -> list[Answer]:
    return [Answer(("together", *wish)) for wish in wishes]


def answer_too_few(_data: Data, _wishes: object, _deadline: Deadline) -> list[Answer]:
    return [Answer("for nobody")]


def answer_nonsense(_data: Data, _wishes: object, _deadline: Deadline) -> str:
    return "nonsense"


def die_together(_data: Data, _wishes: object, _deadline: Deadline) -> None:
    os.kill(os.getpid(), signal.SIGSEGV)


def contents(data: Data, _deadline: Deadline) -> bytes:
    return bytes(data[:])


def contents_of(_data: Data, path: str, _deadline: Deadline) -> bytes:
    return Path(path).read_bytes()


def run_network(data: Data, values: list[float], _deadline: Deadline) -> list[float]:
    import numpy  # noqa: PLC0415
    import onnxruntime  # noqa: PLC0415 - only who asks for a network needs it

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(bytes(data[:]), options, providers=["CPUExecutionProvider"])
    (result,) = session.run(None, {"x": numpy.array(values, numpy.float32)})
    return [float(value) for value in result]


def dawdle(data: Data, seconds: float, _deadline: Deadline) -> bytes:
    time.sleep(seconds)
    return bytes(data[:])


def time_left(_data: Data, deadline: Deadline) -> float:
    return deadline.remaining_in_s


def process_id(_data: Data, _deadline: Deadline) -> int:
    return os.getpid()


def surroundings(_data: Data, _deadline: Deadline) -> dict[str, str]:
    return dict(os.environ)


def announce_and_sleep(_data: Data, note: str, seconds: float, _deadline: Deadline) -> str:
    # An engine may write nothing, but who waits at the other end of a FIFO sees that it is being read.
    reader = os.open(note, os.O_RDONLY | os.O_NONBLOCK)
    time.sleep(seconds)
    os.close(reader)
    return "rested"


def hang_in_c(_data: Data, _deadline: Deadline) -> None:
    # One call into C that takes ages, keeps the interpreter lock and so hears no Python signal handler.
    re.match("(a+)+$", "a" * 60 + "b")


def segfault(_data: Data, _deadline: Deadline) -> None:
    ctypes.string_at(0)


def abort(_data: Data, _deadline: Deadline) -> None:
    os.abort()


def leave(_data: Data, _deadline: Deadline) -> None:
    os._exit(0)


def be_killed(_data: Data, _deadline: Deadline) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def fill_memory(_data: Data, size_in_bytes: int, _deadline: Deadline) -> int:
    hoard = bytearray(size_in_bytes)
    hoard[:: mmap.PAGESIZE] = b"x" * len(hoard[:: mmap.PAGESIZE])
    return len(hoard)


def crash_with_full_memory(_data: Data, size_in_bytes: int, _deadline: Deadline) -> None:
    hoard = bytearray(size_in_bytes)
    # Only what lives for a moment can be looked at from outside.
    time.sleep(0.5)
    ctypes.string_at(len(hoard) * 0)


def fail_as_libraries_do(_data: Data, words: str, _deadline: Deadline) -> None:
    os.write(2, words.encode())
    os.abort()


def chatter(_data: Data, _deadline: Deadline) -> str:
    for _ in range(64):
        os.write(2, b"warning\n" * 1024)
    return "said"


def raise_this(_data: Data, error: Exception, _deadline: Deadline) -> None:
    raise error


def lie(_data: Data, _deadline: Deadline) -> Path:
    return Path("neither a plain value nor one of our data classes")


def write_diary() -> None:
    DIARY.append("had a rest")
    if len(DIARY) == 2:
        raise ValueError("and woke up in a bad mood")


def read_diary(_data: Data, _deadline: Deadline) -> list[str]:
    return DIARY
