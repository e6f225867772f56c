"""A time budget with a cancel flag, handed down so that pixels never need to know who waits for them."""

import math
import threading
import time
from dataclasses import dataclass, field

from imageplane.errors import DeadlineExceeded


@dataclass(frozen=True, slots=True)
class Deadline:
    """A moment on the monotonic clock after which work is pointless.

    Takes: `expires_at`, in seconds of `time.monotonic()`; infinity never expires.
    """

    expires_at: float = math.inf
    _cancelled: threading.Event = field(default_factory=threading.Event, compare=False, repr=False)

    @classmethod
    def after(cls, seconds: float) -> "Deadline":
        """Give the deadline that lies this many seconds ahead."""
        return cls(time.monotonic() + seconds)

    def cancel(self) -> None:
        """Declare the work pointless at once, because nobody waits for it any more."""
        self._cancelled.set()

    @property
    def is_over(self) -> bool:
        return self._cancelled.is_set() or time.monotonic() >= self.expires_at

    @property
    def remaining_in_s(self) -> float:
        return 0.0 if self._cancelled.is_set() else max(0.0, self.expires_at - time.monotonic())

    def check(self) -> None:
        """Raise when time is up. Errors: deadline_exceeded."""
        if self.is_over:
            raise DeadlineExceeded("The image could not be finished within the time limit.")
