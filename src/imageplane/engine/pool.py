"""Engines in a pool: every order is answered, and a death costs only the order that caused it.

Each engine has a thread that keeps it: the thread takes one order at a time, waits for the answer, kills at the
deadline and starts the next engine. The engines share no pipe and no lock, so one killed in the middle of a message
leaves nothing broken for the others; the pools of pebble and concurrent.futures share both, and end as a whole.
"""

import math
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from imageplane.cost import Cost
from imageplane.deadline import Deadline
from imageplane.engine.job import Job, Together
from imageplane.engine.keeper import Keeper, Workshop, closed
from imageplane.engine.line import Crowd, Line
from imageplane.engine.tally import Tally
from imageplane.engine.terms import Outfit, Terms
from imageplane.engine.wire import packed_order

if TYPE_CHECKING:
    # The engines import this module too, and need no settings.
    from imageplane.settings import EngineSettings


class Pool:
    """A number of engines and the queue in front of them.

    Takes: `count` engines; `deadline_in_s`, how long one may work on one order; `memory_in_bytes` for each;
    `recycle_after`, how many orders one engine does; `outfit`, what its work needs beside its libraries;
    `total_memory_in_bytes`, how much all orders at work may be thought to hold together.
    """

    def __init__(  # noqa: PLR0913 - the settings of engines, one by one
        self,
        *,
        count: int,
        deadline_in_s: float,
        memory_in_bytes: int,
        recycle_after: int,
        total_memory_in_bytes: float = math.inf,
        outfit: Outfit | None = None,
    ) -> None:
        terms = Terms(memory_in_bytes, outfit or Outfit())
        # What can't be sent is found out here, and not by every engine anew.
        packed_order(terms)
        self._shop = Workshop(terms, deadline_in_s, recycle_after, Line(count, total_memory_in_bytes))
        self._keepers = [Keeper(self._shop) for _ in range(count)]
        for keeper in self._keepers:
            keeper.start()

    @classmethod
    def of(cls, settings: "EngineSettings", outfit: Outfit | None = None) -> Self:
        """Start the engines that the settings ask for."""
        return cls(**settings.model_dump(), outfit=outfit)

    def submit(  # noqa: PLR0913 - each is known to whoever asks, and has a default for those who don't
        self,
        function: Callable[..., Any],
        source: bytes | Path,
        *arguments: Any,
        deadline: Deadline | None = None,
        answers: tuple[type, ...] = (),
        cost: Cost | None = None,
        tenant: str = "",
        weight: float = 1.0,
        together: Together | None = None,
    ) -> Future[Any]:
        """Have an engine call `function(data, *arguments, deadline)`.

        Takes: a function of an importable module; the path of a file, which the engine maps, or bytes, which travel
        in shared memory; arguments that can be pickled; the caller's deadline, beside the limit of the pool, which
        starts with the work; `answers`, every data class and named tuple that the result is made of; what the work is
        thought to cost; `tenant`, who takes turns with others by its `weight`; how it is done `together` with more on
        the same source.
        Gives: a future of plain values and of these; its exception is always an ImageplaneError. To cancel it takes
        work that waits out of the line.
        Errors: busy, at once, when there is no engine in time.
        """
        job = Job(
            function, source, arguments, answers, deadline or Deadline(), cost or Cost(), tenant, weight, together
        )
        self._shop.line.put(job)
        # After the put, so that no job can slip in behind the last look of `close`.
        if self._shop.closing.is_set() and job.future.cancel():
            raise closed()
        return job.future

    def crowd(self, tenant: str = "") -> Crowd:
        """Tell who waits and who works, and how long a small job of this tenant would wait."""
        return self._shop.line.crowd(tenant)

    def close(self) -> None:
        """Answer everything that is open with "busy" and end all engines, within a moment."""
        self._shop.closing.set()
        left = self._shop.line.close()
        for keeper in self._keepers:
            keeper.join()
        self._shop.confinement.cancel()
        for job in left:
            if job.future.set_running_or_notify_cancel():
                job.future.set_exception(closed())

    def wake(self) -> None:
        """Have an engine that died while it had nothing to do replaced now, and not only by the next order."""
        self._shop.line.wake()

    def engine_ids(self) -> list[int]:
        """Give the process ids of the engines that live now."""
        return [keeper.engine.pid for keeper in self._keepers if keeper.engine is not None and keeper.engine.is_alive]

    @property
    def starts(self) -> int:
        """How many engines were started so far, those that replaced dead or used-up ones included."""
        return self.tally().starts

    def tally(self) -> Tally:
        """Give what became of engines and orders so far."""
        return self._shop.counts.so_far()

    @property
    def confinement(self) -> Future[str]:
        """What engines give up, in words for an operator, as soon as the first one is ready."""
        return self._shop.confinement

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
