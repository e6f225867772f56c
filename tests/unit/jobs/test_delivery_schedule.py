"""A day of attempts, further and further apart; what a receiver asks for is heeded within bounds."""

from datetime import UTC, datetime, timedelta
from itertools import accumulate

import pytest

from imageplane.jobs.delivery_schedule import (
    LONGEST_WAIT_IN_S,
    TRIES,
    Attempt,
    Step,
    next_step,
    refusal_of,
    retry_after_in_s,
)

NOW = datetime(2026, 11, 23, 8, 0, 0, tzinfo=UTC)
MINUTE, HOUR = 60, 3600


def failed(status_code: int | None = 500, *, retry_after_in_s: float = 0.0, is_hopeless: bool = False) -> Attempt:
    return Attempt(0, 5, status_code, "no", retry_after_in_s, is_hopeless)


def waits(chance: float, attempt: Attempt) -> list[float]:
    """Give how long is waited after each attempt but the last."""
    steps = [next_step(attempt, tries_left, chance) for tries_left in range(TRIES - 1, -1, -1)]
    assert [step.status for step in steps] == ["pending"] * (TRIES - 1) + ["failed"]
    return [step.wait_in_s for step in steps[:-1]]


def test_attempts_are_made_over_a_day() -> None:
    moments = list(accumulate(waits(0, failed())))
    assert moments == [
        5, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 5 * HOUR, 10 * HOUR, 14 * HOUR, 20 * HOUR, 24 * HOUR
    ]  # fmt: skip


@pytest.mark.parametrize("attempt", [failed(), failed(503, retry_after_in_s=900)])
def test_chance_only_adds_to_a_wait_and_no_more_than_a_fifth(attempt: Attempt) -> None:
    least, half, most = (waits(chance, attempt) for chance in (0, 0.5, 0.999_999))
    for shortest, middle, longest in zip(least, half, most, strict=True):
        assert shortest < middle < longest <= 1.2 * shortest


def test_who_asks_for_a_longer_wait_is_given_it_within_bounds() -> None:
    assert waits(0, failed(503, retry_after_in_s=60))[:3] == [60, 295, 1500]
    assert waits(0, failed(None, retry_after_in_s=10**9)) == [LONGEST_WAIT_IN_S] * (TRIES - 1)


@pytest.mark.parametrize("status_code", [200, 201, 202, 204, 299])
def test_success_ends_a_delivery(status_code: int) -> None:
    assert refusal_of(status_code) is None
    assert next_step(Attempt(0, 5, status_code), TRIES - 1, 0.5) == Step("delivered")
    assert next_step(Attempt(0, 5, status_code), 0, 0.5) == Step("delivered")


@pytest.mark.parametrize("attempt", [failed(410), failed(410, retry_after_in_s=5), failed(None, is_hopeless=True)])
def test_what_can_get_no_better_is_given_up_at_once(attempt: Attempt) -> None:
    assert next_step(attempt, TRIES - 1, 0.5) == Step("failed")


@pytest.mark.parametrize(
    "status_code", [100, 199, 301, 302, 304, 307, 308, 400, 401, 404, 409, 422, 429, 500, 503, 600]
)
def test_everything_else_is_tried_again(status_code: int) -> None:
    sentence = refusal_of(status_code)
    assert sentence is not None
    assert str(status_code) in sentence
    assert ("redirect" in sentence) is (300 <= status_code < 400)
    assert next_step(failed(status_code), TRIES - 1, 0).status == "pending"


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (None, 0),
        ("", 0),
        ("0", 0),
        ("120", 120),
        (" 120 ", 120),
        ("999999999", 999_999_999),
        ("9999999999", 0),
        ("-5", 0),
        ("1.5", 0),
        ("\u0661\u0662", 0),
        ("soon", 0),
        ("Mon, 23 Nov 2026 08:02:00 GMT", 120),
        ("Monday, 23-Nov-26 08:02:00 GMT", 120),
        ("Mon Nov 23 08:02:00 2026", 120),
        ("Mon, 23 Nov 2026 08:02:00 -0000", 120),
        ("Mon, 23 Nov 2026 09:02:00 +0100", 120),
        ("Mon, 23 Nov 2026 07:00:00 GMT", 0),
        ("Mon, 23 Nov 99999 07:00:00 GMT", 0),
        ("Mon, 99 Nov 2026 07:00:00 GMT", 0),
        ("Mon, 23 Nov 2026 08:02:00 +9999999999", 0),
    ],
)
def test_retry_after_is_read_as_seconds_or_as_a_date(header: str | None, expected: float) -> None:
    assert retry_after_in_s(header, NOW) == expected


def test_a_date_is_read_whatever_the_zone_of_the_clock() -> None:
    now = NOW.astimezone(tz=None) + timedelta(minutes=1)
    assert retry_after_in_s("Mon, 23 Nov 2026 08:02:00 GMT", now) == 60
