"""What rows carry: a moment in UTC and an id that sorts by it."""

import secrets
import time
from collections.abc import Callable
from typing import Final

Clock = Callable[[], int]

_ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_CHARACTERS: Final = 26


def now_in_ms() -> int:
    """Give the milliseconds since 1970 in UTC."""
    return time.time_ns() // 1_000_000


def new_id(at_in_ms: int | None = None) -> str:
    """Give an id of 26 letters and digits; ids of later milliseconds sort behind it.

    Method: ULID, 48 bits of time and 80 of chance in Crockford's base 32.
    """
    number = (now_in_ms() if at_in_ms is None else at_in_ms) << 80 | secrets.randbits(80)
    return "".join(_ALPHABET[number >> shift & 31] for shift in range(5 * (_CHARACTERS - 1), -1, -5))
