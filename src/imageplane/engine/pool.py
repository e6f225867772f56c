"""Engines in a pool: every order is answered, and a death costs only the order that caused it.

Each engine has a thread that keeps it: the thread takes one order at a time, waits for the answer, kills at the
deadline and starts the next engine. The engines share no pipe and no lock, so one killed in the middle of a message
leaves nothing broken for the others; the pools of pebble and concurrent.futures share both, and end as a whole.
"""

import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Self

from imageplane.deadline import Deadline
from imageplane.engine.process import Engine, Untouched
from imageplane.engine.wire import Answer, Order
from imageplane.errors import Busy, DeadlineExceeded, ImageplaneError, InternalError

if TYPE_CHECKING:
    # The engines import this module too, and need no settings.
    from imageplane.settings import EngineSettings

# How much longer than its deadline an engine lives, so that one that notices in time need not die for it.
_GRACE_IN_S: Final = 0.25
_ATTEMPTS: Final = 3


@dataclass(frozen=True, slots=True)
class _Job:
    function: Callable[..., Any]
    source: bytes | Path
    arguments: tuple[Any, ...]
    answers: tuple[type, ...]
    deadline: Deadline
    future: Future[Any]


class Pool:
    """A number of engines and the queue in front of them.

    Takes: `count` engines; `deadline_in_s`, how long one may work on one order; `memory_in_bytes` for each;
    `recycle_after`, how many orders one engine does.
    """

    def __init__(self, *, count: int, deadline_in_s: float, memory_in_bytes: int, recycle_after: int) -> None:
        self.deadline_in_s = deadline_in_s
        self.memory_in_bytes = memory_in_bytes
        self.recycle_after = recycle_after
        self.jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self.closing = threading.Event()
        self._keepers = [_Keeper(self) for _ in range(count)]
        for keeper in self._keepers:
            keeper.start()

    @classmethod
    def of(cls, settings: "EngineSettings") -> Self:
        """Start the engines that the settings ask for."""
        return cls(**settings.model_dump())

    def submit(
        self,
        function: Callable[..., Any],
        source: bytes | Path,
        *arguments: Any,
        deadline: Deadline | None = None,
        answers: tuple[type, ...] = (),
    ) -> Future[Any]:
        """Have an engine call `function(data, *arguments, deadline)`.

        Takes: a function of an importable module; a path, which the engine maps, or bytes, which travel in shared
        memory; arguments that can be pickled; the caller's deadline, beside the limit of the pool, which starts with
        the work; `answers`, every data class and named tuple that the result is made of.
        Gives: a future of plain values and of these; its exception is always an ImageplaneError.
        """
        job = _Job(function, source, arguments, answers, deadline or Deadline(), Future())
        self.jobs.put(job)
        # After the put, so that no job can slip in behind the last look of `close`.
        if self.closing.is_set() and job.future.cancel():
            raise _closed()
        return job.future

    def close(self) -> None:
        """Answer everything that is open with "busy" and end all engines, within a moment."""
        self.closing.set()
        for _ in self._keepers:
            self.jobs.put(None)
        for keeper in self._keepers:
            keeper.join()
        while not self.jobs.empty():
            job = self.jobs.get()
            if job is not None and job.future.set_running_or_notify_cancel():
                job.future.set_exception(_closed())

    def wake(self) -> None:
        """Have an engine that died while it had nothing to do replaced now, and not only by the next order."""
        self.jobs.put(None)

    def engine_ids(self) -> list[int]:
        """Give the process ids of the engines that live now."""
        return [keeper.engine.pid for keeper in self._keepers if keeper.engine is not None and keeper.engine.is_alive]

    @property
    def starts(self) -> int:
        """How many engines were started so far, those that replaced dead or used-up ones included."""
        return sum(keeper.starts for keeper in self._keepers)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _closed() -> Busy:
    return Busy("The engines are being shut down.")


class _Keeper(threading.Thread):
    """The thread that keeps one engine alive and busy."""

    def __init__(self, pool: Pool) -> None:
        super().__init__(name="imageplane-engine-keeper", daemon=True)
        self.engine: Engine | None = None
        self.starts = 0
        self._pool = pool
        self._done = 0

    def run(self) -> None:
        while not self._pool.closing.is_set():
            # Only a keeper with a ready engine takes a job; while this one starts anew, the others go on.
            self._make_ready()
            job = self._pool.jobs.get()
            if job is not None and job.future.set_running_or_notify_cancel():
                self._finish(job)
        self._let_go()

    def _finish(self, job: _Job) -> None:
        try:
            answer = self._answer(job)
        except BaseException as error:  # nobody waits for ever, whatever happens
            answer = Answer(error=InternalError("Something went wrong here.", detail=repr(error)))
        if answer.error is None:
            job.future.set_result(answer.value)
        else:
            job.future.set_exception(_closed() if self._pool.closing.is_set() else answer.error)

    def _answer(self, job: _Job) -> Answer:
        if job.deadline.is_over:
            return Answer(error=DeadlineExceeded("The time was over before the work could start."))
        trouble: ImageplaneError | None = None
        for _ in range(_ATTEMPTS):
            # The engine may have died while it had nothing to do; that is not this job's fault.
            trouble = self._make_ready()
            if trouble is None and self.engine is not None:
                try:
                    return self._asked(self.engine, job)
                except Untouched as untouched:
                    trouble = InternalError("No engine could take this image.", detail=str(untouched))
        return Answer(error=trouble)

    def _asked(self, engine: Engine, job: _Job) -> Answer:
        expires_at = min(job.deadline.expires_at, time.monotonic() + self._pool.deadline_in_s)
        path, source = (str(job.source.absolute()), None) if isinstance(job.source, Path) else (None, job.source)
        order = Order(job.function, job.arguments, expires_at, path, len(source or b""), job.answers)
        self._done += 1
        return engine.ask(order, source, expires_at + _GRACE_IN_S, lambda: self._is_pointless(job))

    def _is_pointless(self, job: _Job) -> bool:
        return self._pool.closing.is_set() or (job.deadline.is_over and time.monotonic() < job.deadline.expires_at)

    def _make_ready(self) -> ImageplaneError | None:
        if self.engine is not None and self.engine.is_alive and self._done < self._pool.recycle_after:
            return None
        self._let_go()
        self._done = 0
        self.starts += 1
        try:
            self.engine = Engine(self._pool.memory_in_bytes)
            self.engine.await_ready(self._pool.closing.is_set)
        except ImageplaneError as error:
            return error
        except OSError as error:
            return InternalError("No engine could be started.", detail=repr(error))
        return None

    def _let_go(self) -> None:
        if self.engine is not None:
            self.engine.close()
            self.engine = None
