"""How far a run has come: counts, pace, and failures by their reason."""

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from imageplane.jobs.bulk.outcome import Outcome

# Over so long a time the pace is taken.
_WINDOW_IN_S: Final = 30.0
_SAMPLE_EVERY_IN_S: Final = 1.0


@dataclass(slots=True)
class Reason:
    """Failures of one code: how many, and the first of them."""

    count: int
    example: str


@dataclass(slots=True)
class Tally:
    """Counts of a run.

    Takes: `total`, once it is known.
    """

    total: int | None = None
    made: int = 0
    skipped: int = 0
    failed: int = 0
    reasons: dict[str, Reason] = field(default_factory=dict)
    now: Callable[[], float] = time.monotonic
    # At some moments: when, and how many were made and seen by then.
    _samples: deque[tuple[float, int, int]] = field(default_factory=deque)

    def __post_init__(self) -> None:
        self._samples.append((self.now(), 0, 0))

    @property
    def seen(self) -> int:
        """How many items are done with, one way or another."""
        return self.made + self.skipped + self.failed

    def add(self, outcome: Outcome) -> None:
        """Count what became of an item."""
        if outcome.status == "made":
            self.made += 1
        elif outcome.status == "skipped":
            self.skipped += 1
        else:
            self.failed += 1
            error = outcome.error
            code = error.code if error else "internal_error"
            reason = self.reasons.setdefault(code, Reason(0, f"{outcome.item.name}: {error.message if error else ''}"))
            reason.count += 1
        self._sample()

    def rate_per_s(self) -> float:
        """Give how many images were made a second of late."""
        (since, made, _), now = self._samples[0], self.now()
        return (self.made - made) / (now - since) if now > since else 0.0

    def left_in_s(self) -> float | None:
        """Give for how long there is still work at the pace of late, or None when that can't be said."""
        (since, _, seen), now = self._samples[0], self.now()
        if self.total is None or self.seen <= seen or now <= since:
            return None
        return max(0, self.total - self.seen) * (now - since) / (self.seen - seen)

    def _sample(self) -> None:
        now = self.now()
        if now - self._samples[-1][0] >= _SAMPLE_EVERY_IN_S:
            self._samples.append((now, self.made, self.seen))
            while now - self._samples[0][0] > _WINDOW_IN_S and len(self._samples) > 2:
                self._samples.popleft()
