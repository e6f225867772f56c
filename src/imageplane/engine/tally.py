"""What became of engines and orders, counted."""

import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Tally:
    """What a pool has counted since it started.

    Takes: `deaths` of engines that had work, by cause: a signal such as `sigsegv`, `exit`, `bad_answer`,
    `memory_limit`, `machine_memory`, `deadline`, `canceled`; `retries` of work whose engine died of something else;
    engines `recycled` after their share of work; `refusals` of sources that killed engines; orders that were `joined`
    with others on the same source.
    """

    starts: int = 0
    failed_starts: int = 0
    recycled: int = 0
    retries: int = 0
    refusals: int = 0
    joined: int = 0
    deaths: Mapping[str, int] = field(default_factory=dict)


class Counts:
    """The numbers of a tally as they grow; safe for threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._events: Counter[str] = Counter()
        self._deaths: Counter[str] = Counter()

    def add(self, event: str, count: int = 1) -> None:
        """Count a start or another of the single numbers of a tally."""
        with self._lock:
            self._events[event] += count

    def add_death(self, cause: str) -> None:
        """Count a death."""
        with self._lock:
            self._deaths[cause] += 1

    def so_far(self) -> Tally:
        """Give the numbers of now."""
        with self._lock:
            return Tally(**self._events, deaths=dict(self._deaths))
