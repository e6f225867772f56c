"""The loop of a contender's process: a job a line on stdin, what it cost a line on stdout."""

import contextlib
import json
import os
import resource
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

MIB = 1024**2


class NotAvailableError(Exception):
    """This contender can't do this job, such as read this format."""


@dataclass(frozen=True, slots=True)
class Upload:
    """A photo, and what is wanted of it.

    Takes: `wanted`, the fields of `benchmarks.jobs.Wanted`; `requests`, the same as operations of Imageplane.
    """

    path: str
    data: bytes
    wanted: list[dict[str, Any]]
    requests: list[list[dict[str, Any]]]


def serve(make: Callable[[Upload], list[bytes]], versions: dict[str, str], *, of_children: bool = False) -> None:
    """Say hello with the versions, then do every job that comes.

    Takes: `make`, whose user and system time is measured, that of this process or of the programs that it runs.
    """
    # Whatever a library prints must not end up between the answers.
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    whose = resource.RUSAGE_CHILDREN if of_children else resource.RUSAGE_SELF
    print(json.dumps({"versions": versions}), file=answers, flush=True)
    for line in sys.stdin:
        order = json.loads(line)
        print(json.dumps(_answer(make, order, whose)), file=answers, flush=True)


def _answer(make: Callable[[Upload], list[bytes]], order: dict[str, Any], whose: int) -> dict[str, Any]:
    upload = Upload(order["photo"], Path(order["photo"]).read_bytes(), order["wanted"], order["requests"])
    cpu, wall = _cpu_in_s(whose), time.perf_counter()
    try:
        files = make(upload)
    except Exception as error:  # whatever a library raises is its answer
        kind = "" if isinstance(error, NotAvailableError) else f"{type(error).__name__}: "
        return {"refused": (kind + str(error)).strip().replace(order["photo"], "photo")[:200]}
    wall, cpu = time.perf_counter() - wall, _cpu_in_s(whose) - cpu
    for file, path in zip(files, order["save"], strict=False):
        Path(path).write_bytes(file)
    return {
        "cpu_in_ms": round(cpu * 1000, 3),
        "wall_in_ms": round(wall * 1000, 3),
        "sizes_in_bytes": [len(file) for file in files],
        "peak_rss_in_mib": round(_peak_in_bytes(whose) / MIB, 1),
    }


def _cpu_in_s(whose: int) -> float:
    usage = resource.getrusage(whose)
    return usage.ru_utime + usage.ru_stime


def _peak_in_bytes(whose: int) -> int:
    # Linux counts kibibytes, macOS bytes.
    return resource.getrusage(whose).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


@contextlib.contextmanager
def refusing(*errors: type[Exception]) -> Iterator[None]:
    """Turn a library's way of saying "unknown format" into an answer."""
    try:
        yield
    except errors as error:
        raise NotAvailableError("can't read this format") from error
