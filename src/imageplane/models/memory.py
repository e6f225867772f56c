"""What was seen of sources, so that one that comes again need not be looked at again."""

import secrets
import threading
from collections import OrderedDict
from typing import Final

import xxhash

from imageplane.models.eyes import Seen

_MOST_SOURCES: Final = 2_000
_MOST_OF_A_SOURCE: Final = 20
# A stranger who doesn't know it can't make two sources that look alike.
_SEED: Final = secrets.randbits(64)


def digest_of(source: bytes) -> bytes:
    """Give 16 bytes that tell a source from any other, in this process only. Method: XXH3 with a secret seed."""
    return xxhash.xxh3_128_digest(source, _SEED)


class Memory:
    """What was seen of the last sources, by their digests; for many threads."""

    def __init__(self) -> None:
        self._seen: OrderedDict[bytes, dict[str, Seen]] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, digest: bytes) -> dict[str, Seen]:
        """Give what was seen of a source, by what had been done to it."""
        with self._lock:
            known = self._seen.get(digest)
            if known is None:
                return {}
            self._seen.move_to_end(digest)
            return dict(known)

    def add(self, digest: bytes, seen: dict[str, Seen]) -> None:
        """Remember what was seen of a source; what was seen longest ago is forgotten."""
        if not seen:
            return
        with self._lock:
            known = self._seen.setdefault(digest, {})
            known.update(list(seen.items())[: _MOST_OF_A_SOURCE - len(known)])
            self._seen.move_to_end(digest)
            while len(self._seen) > _MOST_SOURCES:
                self._seen.popitem(last=False)


class Known:
    """What is known of a source when it is needed: on its way to another process it becomes what was seen by then."""

    def __init__(self, memory: Memory, digest: bytes) -> None:
        self._memory = memory
        self._digest = digest

    def __reduce__(self) -> tuple[type[dict[str, Seen]], tuple[dict[str, Seen]]]:
        return dict, (self._memory.of(self._digest),)

    def __repr__(self) -> str:
        # Part of what tells one wish from another, and no wish.
        return "Known()"
