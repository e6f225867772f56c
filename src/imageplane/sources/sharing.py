"""Work that several callers wait for, done once."""

import asyncio
from collections.abc import Callable, Coroutine, Hashable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

T = TypeVar("T")


@dataclass(slots=True)
class _Flight(Generic[T]):
    task: asyncio.Task[T]
    waiters: int = 0


class Shared(Generic[T]):
    """Work by a key: who asks for a key while its work is running gets the same result.

    A waiter that leaves harms no other; when the last one leaves, the work is cancelled. Nothing is kept once the work
    is done. Used in one event loop.
    """

    def __init__(self) -> None:
        self._flights: dict[Hashable, _Flight[T]] = {}
        self._tasks: set[asyncio.Task[T]] = set()

    async def join(self, key: Hashable, start: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Wait for the work of this key, which `start` begins when it is not running yet."""
        flight = self._flights.get(key)
        if flight is None:
            flight = self._flights[key] = _Flight(asyncio.create_task(start()))
            self._tasks.add(flight.task)
            flight.task.add_done_callback(self._forget)
        flight.waiters += 1
        try:
            # Unlike awaiting the task, this leaves it alone when the waiter is cancelled.
            await asyncio.wait((flight.task,))
        finally:
            flight.waiters -= 1
            if flight.waiters == 0 or flight.task.done():
                self._land(key, flight)
        return flight.task.result()

    async def close(self) -> None:
        """Cancel all work, and wait until it is over."""
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _forget(self, task: asyncio.Task[T]) -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            # Read, so that asyncio doesn't complain of a failure that no waiter was left for.
            task.exception()

    def _land(self, key: Hashable, flight: _Flight[T]) -> None:
        flight.task.cancel()
        if self._flights.get(key) is flight:
            del self._flights[key]
