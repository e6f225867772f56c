"""Work that is cheaper together: whatever waits while one group is done makes up the next."""

import queue
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Final, Generic, TypeVar

from imageplane.errors import Busy

Item = TypeVar("Item")
Outcome = TypeVar("Outcome")

_MOST_IN_GROUP: Final = 500
_MOST_WAITING: Final = 20_000


class Grouping(Generic[Item, Outcome]):
    """One thread that does items in groups, in the order in which they came.

    Takes: `work`, which gives for each item of a group its outcome, or its error as a value: an error that is raised
    is the outcome of every item of the group.
    """

    def __init__(
        self,
        work: Callable[[Sequence[Item]], Sequence[Outcome | Exception]],
        name: str,
        *,
        most_waiting: int = _MOST_WAITING,
    ) -> None:
        self._work = work
        self._most_waiting = most_waiting
        self._waiting: queue.SimpleQueue[tuple[Item, Future[Outcome]] | None] = queue.SimpleQueue()
        self._is_closed = False
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def submit(self, item: Item) -> Future[Outcome]:
        """Queue an item; never blocks. Errors, by the future: busy, and what the work gives."""
        future: Future[Outcome] = Future()
        with self._lock:
            if self._is_closed or self._waiting.qsize() >= self._most_waiting:
                future.set_exception(Busy("There is too much to do at the moment; try again.", retry_after_in_s=2))
            else:
                self._waiting.put((item, future))
        return future

    def close(self) -> None:
        """Finish what waits, and take nothing more."""
        with self._lock:
            if not self._is_closed:
                self._is_closed = True
                self._waiting.put(None)
        self._thread.join()

    def _run(self) -> None:
        is_open = True
        while is_open:
            group: list[tuple[Item, Future[Outcome]]] = []
            entry = self._waiting.get()
            while entry is not None:
                # Whoever gave up while waiting is not served.
                if entry[1].set_running_or_notify_cancel():
                    group.append(entry)
                if len(group) == _MOST_IN_GROUP or self._waiting.empty():
                    break
                entry = self._waiting.get()
            is_open = entry is not None
            if group:
                self._do(group)

    def _do(self, group: Sequence[tuple[Item, Future[Outcome]]]) -> None:
        outcomes: Sequence[Outcome | Exception]
        try:
            outcomes = self._work([item for item, _ in group])
        except Exception as error:
            outcomes = [error] * len(group)
        for (_, future), outcome in zip(group, outcomes, strict=True):
            if isinstance(outcome, Exception):
                future.set_exception(outcome)
            else:
                future.set_result(outcome)
