"""One engine under observation: started by the pool as always, but never replaced."""

import contextlib
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self
from unittest import mock

import psutil

from benchmarks.allocators import Allocator
from imageplane.engine import limits
from imageplane.engine.pool import Pool
from imageplane.errors import ImageplaneError
from imageplane.pipeline import Options
from imageplane.request import TransformRequest
from imageplane.transform import Transformer

MIB = 1024**2
# Far above what is measured, so that the limit of an engine has no part in it.
_MEMORY_IN_BYTES = 4 * 1024**3
_DEADLINE_IN_S = 120.0
_START_LIMIT_IN_S = 30.0
_OF_GLIBC = ("MALLOC_", "GLIBC_")


class Worker:
    """An engine with the environment of an allocator.

    `refused` counts the transforms that were errors, `ids` the processes: more than one means that one has died.
    """

    def __init__(self, allocator: Allocator) -> None:
        self.ids: set[int] = set()
        with mock.patch("imageplane.engine.process.environment", _environment(allocator)):
            self._pool = Pool(
                count=1, deadline_in_s=_DEADLINE_IN_S, memory_in_bytes=_MEMORY_IN_BYTES, recycle_after=1_000_000
            )
            self._transformer = Transformer(self._pool, Options())
            # The engine takes its environment as it starts, and has started once it has refused this.
            with contextlib.suppress(ImageplaneError):
                self._transformer.explain(b"", TransformRequest.parse({"operations": []})).result()
        self.refused: dict[str, int] = {}
        self.process = self._look()

    def do(self, request: TransformRequest, path: Path) -> float:
        """Do one request. Gives: the resident set after it, in MiB."""
        try:
            self._transformer.transform(path, request).result()
        except ImageplaneError as error:
            reason = f"{path.suffix}: {error.message}"
            self.refused[reason] = self.refused.get(reason, 0) + 1
        self.process = self._look()
        return float(self.process.memory_info().rss / MIB)

    @property
    def cpu_in_s(self) -> float:
        """User and system time of the engine that lives now."""
        times = self.process.cpu_times()
        return float(times.user + times.system)

    @property
    def peak_in_mib(self) -> float:
        """The largest resident set that the engine ever had; where the kernel doesn't tell, that of now."""
        try:
            lines = Path(f"/proc/{self.process.pid}/status").read_text().splitlines()
        except OSError:
            return float(self.process.memory_info().rss / MIB)
        return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.close()

    def _look(self) -> psutil.Process:
        give_up_at = time.monotonic() + _START_LIMIT_IN_S
        while not (numbers := self._pool.engine_ids()) and time.monotonic() < give_up_at:
            time.sleep(0.05)
        self.ids.update(numbers)
        return psutil.Process(numbers[0])


def _environment(allocator: Allocator) -> Callable[[Mapping[str, str]], dict[str, str]]:
    def environment(parent: Mapping[str, str]) -> dict[str, str]:
        whole = limits.environment(parent)
        if allocator.variables is None:
            return whole
        return {name: value for name, value in whole.items() if not name.startswith(_OF_GLIBC)} | allocator.variables

    return environment
