"""When a webhook is sent again: about a day of attempts, further and further apart. All of it is pure."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from itertools import pairwise
from typing import Final, Literal

Status = Literal["pending", "delivered", "failed"]

_MINUTE: Final = 60
_HOUR: Final = 3600
# The seconds after the first attempt at which the next ones are due.
_OFFSETS_IN_S: Final = (
    0, 5, 5 * _MINUTE, 30 * _MINUTE, 2 * _HOUR, 5 * _HOUR, 10 * _HOUR, 14 * _HOUR, 20 * _HOUR, 24 * _HOUR
)  # fmt: skip
_GAPS_IN_S: Final = tuple(later - sooner for sooner, later in pairwise(_OFFSETS_IN_S))
TRIES: Final = len(_OFFSETS_IN_S)
# What a receiver may ask for: no more than the schedule itself ever waits.
LONGEST_WAIT_IN_S: Final = max(_GAPS_IN_S)
# Up to a fifth later, so that what failed together does not come back together.
_JITTER: Final = 0.2
_GONE: Final = 410
_SECONDS: Final = re.compile(r"[0-9]{1,9}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Attempt:
    """What came of sending a message once.

    Takes: `status_code`, None when there was no answer; `error`, a sentence unless the receiver took it;
    `retry_after_in_s`, what the receiver asked for; `is_hopeless`, when no other attempt can fare better.
    """

    at_in_ms: int
    duration_in_ms: int
    status_code: int | None = None
    error: str | None = None
    retry_after_in_s: float = 0.0
    is_hopeless: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """What is next for a delivery; `wait_in_s` has a meaning while it is pending."""

    status: Status
    wait_in_s: float = 0.0


def next_step(attempt: Attempt, tries_left: int, chance: float) -> Step:
    """Decide what follows an attempt.

    Takes: `tries_left`, without the attempt itself, at most `TRIES` less one; `chance`, from 0 to 1, which spreads
    attempts.
    Gives: a wait of at least what the schedule and the receiver ask for.
    """
    if attempt.error is None:
        return Step("delivered")
    if attempt.is_hopeless or attempt.status_code == _GONE or tries_left <= 0:
        return Step("failed")
    gap_in_s = _GAPS_IN_S[max(0, len(_GAPS_IN_S) - tries_left)]
    least_in_s = max(gap_in_s, min(attempt.retry_after_in_s, LONGEST_WAIT_IN_S))
    return Step("pending", least_in_s * (1 + _JITTER * chance))


def refusal_of(status_code: int) -> str | None:
    """Say in a sentence that a receiver did not take a message, or give None when it did."""
    if 200 <= status_code < 300:
        return None
    if 300 <= status_code < 400:
        return f"The receiver answered with status {status_code}; redirects are not followed."
    if status_code == _GONE:
        return "The receiver answered with status 410: it wants no more messages."
    return f"The receiver answered with status {status_code}."


def retry_after_in_s(header: str | None, now: datetime) -> float:
    """Give the seconds that a `Retry-After` asks to wait, written as seconds or as a date; 0 when it says nothing.

    Source: RFC 9110, section 10.2.3.
    """
    text = (header or "").strip()
    if _SECONDS.fullmatch(text):
        return float(text)
    try:
        moment = parsedate_to_datetime(text)
        if moment.tzinfo is None:
            # A date in no zone is one in UTC.
            moment = moment.replace(tzinfo=UTC)
        return max(0.0, (moment - now).total_seconds())
    except (ValueError, TypeError, OverflowError):
        return 0.0
