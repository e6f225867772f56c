"""How long work will take and when there will be room again: learned from what was done, told to who is sent away."""

import math
import time
from typing import Final

from imageplane.deadline import Deadline

# How much of what was learned earlier is kept when as much again has been done.
_MEMORY_IN_S: Final = 20.0
# What waits is never foreseen exactly, so the last part of a deadline is not given away.
_USABLE: Final = 0.8
_LONGEST_PROMISE_IN_S: Final = 300.0
_MOST_BELIEVED: Final = 4.0


class Forecast:
    """The pace of the engines: wall-clock time for each second of CPU that jobs were thought to cost."""

    def __init__(self) -> None:
        self._priced_in_s = 1.0
        self._spent_in_s = 1.0
        self._promised: dict[str, float] = {}

    def learn(self, priced_in_s: float, spent_in_s: float) -> None:
        """Take in that work of this price took this long."""
        # One that hangs says nothing of the others.
        spent_in_s = min(spent_in_s, _MOST_BELIEVED * self.time_of(priced_in_s))
        kept = math.exp(-priced_in_s / _MEMORY_IN_S)
        self._priced_in_s = self._priced_in_s * kept + priced_in_s
        self._spent_in_s = self._spent_in_s * kept + spent_in_s

    def time_of(self, priced_in_s: float) -> float:
        """Give how long work of this price will take."""
        return priced_in_s * self._spent_in_s / self._priced_in_s

    def lateness_in_s(self, done_in_s: float, deadline: Deadline) -> float:
        """Give by how much work that is done in so many seconds comes too late, or 0 when it is in time."""
        remaining_in_s = deadline.remaining_in_s
        return max(0.0, done_in_s - _USABLE * remaining_in_s) if math.isfinite(remaining_in_s) else 0.0

    def promise_in_s(self, tenant: str, late_in_s: float, share_in_s: float) -> float:
        """Give after how long a tenant that is sent away should come again.

        Takes: by how much its job would have come too late; for how long the job then occupies the engines. Everybody
        who is sent away is given a time of his own, one after the other, so that they don't all come back at once.
        """
        now = time.monotonic()
        self._promised = {who: until for who, until in self._promised.items() if until > now}
        until = max(now + late_in_s, self._promised.get(tenant, 0.0) + share_in_s)
        if until > now + _LONGEST_PROMISE_IN_S:
            # So many will not all come back; their times are given a second time.
            until = now + min(late_in_s, _LONGEST_PROMISE_IN_S)
        self._promised[tenant] = until
        return until - now
