"""Which sources have killed engines, remembered for a while, so that the same bytes don't go on killing."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from imageplane.engine.parcel import Parcel

_DEATHS: Final = 2
_MEMORY_IN_S: Final = 600.0
_MOST_REMEMBERED: Final = 1000


@dataclass(frozen=True, slots=True)
class _Suspect:
    size_in_bytes: int
    digest: bytes
    # What was to be done with it, or nothing when it kills whatever is asked.
    work: bytes


@dataclass(frozen=True, slots=True)
class _Record:
    deaths: int
    last_at: float


class Culprits:
    """Sources by digest, with how many engines each has killed; safe for threads.

    A decoder that crashes does so whatever is asked of it, and its source is refused altogether. Memory and time are
    used up by what is asked, so there only the same work is refused: nobody can have another's picture banned by
    asking for too much of it.
    """

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._lock = threading.Lock()
        self._records: OrderedDict[_Suspect, _Record] = OrderedDict()
        self._sizes: frozenset[int] = frozenset()

    def blame(self, parcel: Parcel, work: str = "") -> None:
        """Remember that an engine died of a source, or of this work on it."""
        suspect = _suspect(parcel, parcel.digest(), work)
        with self._lock:
            self._forget()
            earlier = self._records.pop(suspect, None)
            self._records[suspect] = _Record(earlier.deaths + 1 if earlier else 1, self._now())
            self._forget()

    def refusal_in_s(self, parcel: Parcel, work: Callable[[], str]) -> float | None:
        """Give for how much longer work on a source is refused, or None when it is not; `work` is seldom asked."""
        # Nearly always the end of it: no engine has died of late, or of nothing of this size.
        if parcel.size_in_bytes not in self._sizes:
            return None
        digest = parcel.digest()
        suspects = [_suspect(parcel, digest, asked) for asked in ("", work())]
        with self._lock:
            self._forget()
            found = [self._records.get(suspect) for suspect in suspects]
            ends = [record.last_at + _MEMORY_IN_S for record in found if record and record.deaths >= _DEATHS]
        return max(ends) - self._now() if ends else None

    def _forget(self) -> None:
        # The oldest come first, because every new death moves its source to the end.
        while self._records:
            oldest = next(iter(self._records.values()))
            if len(self._records) <= _MOST_REMEMBERED and oldest.last_at + _MEMORY_IN_S > self._now():
                break
            self._records.popitem(last=False)
        self._sizes = frozenset(suspect.size_in_bytes for suspect in self._records)


def _suspect(parcel: Parcel, digest: bytes, work: str) -> _Suspect:
    return _Suspect(parcel.size_in_bytes, digest, sha256(work.encode()).digest() if work else b"")
