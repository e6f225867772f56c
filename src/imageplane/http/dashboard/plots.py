"""Plots: how the bars of a chart stand, in a plane of its own units; a template draws them."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from imageplane.accounts.usage import Usage

WIDTH: Final = 640
HEIGHT: Final = 220
# Where numbers and days stand.
LEFT: Final = 52
BOTTOM: Final = 28
TOP: Final = 12
# So many keys have a color of their own; the rest share the last one.
COLORS: Final = 5
_SHARE_OF_A_DAY: Final = 0.78


@dataclass(frozen=True, slots=True)
class Bar:
    """One key on one day."""

    left: float
    top: float
    width: float
    height: float
    color: int
    words: str


@dataclass(frozen=True, slots=True)
class Mark:
    """A line across the plot, or a place under it, with what stands beside it."""

    at: float
    words: str


@dataclass(frozen=True, slots=True)
class Plot:
    """Requests by day, the keys on top of each other."""

    bars: tuple[Bar, ...]
    heights: tuple[Mark, ...]
    days: tuple[Mark, ...]
    most: int


@dataclass(frozen=True, slots=True)
class KeyTotal:
    """What one key did in all, and how its bar compares to the longest."""

    name: str
    requests: int
    charged_in_millicredits: int
    color: int
    share_in_percent: float


def totals(rows: Sequence[Usage]) -> tuple[KeyTotal, ...]:
    """Give what each key did, those that did most first, each with its color."""
    names = {row.key_id: row.key_name for row in rows}
    requests: Counter[str] = Counter()
    charged: Counter[str] = Counter()
    for row in rows:
        requests[row.key_id] += row.requests
        charged[row.key_id] += row.charged_in_millicredits
    most = max(requests.values(), default=0)
    return tuple(
        KeyTotal(names[key], count, charged[key], min(place, COLORS), round(100 * count / max(1, most), 2))
        for place, (key, count) in enumerate(_ranked(requests))
    )


def by_day(rows: Sequence[Usage], days: Sequence[date]) -> Plot:
    """Give the plot of these days, the first on the left."""
    requests: Counter[str] = Counter()
    of_day: dict[date, Counter[str]] = {day: Counter() for day in days}
    for row in rows:
        requests[row.key_id] += row.requests
        of_day[row.day][row.key_id] += row.requests
    names = {row.key_id: row.key_name for row in rows}
    order = [key for key, _ in _ranked(requests)]
    most = max((count.total() for count in of_day.values()), default=0)
    top, step = _scale(most)
    slot = (WIDTH - LEFT) / len(days)
    bars = []
    for place, day in enumerate(days):
        base = 0
        for color, key in enumerate(order):
            count = of_day[day][key]
            if count:
                left = LEFT + (place + (1 - _SHARE_OF_A_DAY) / 2) * slot
                upper, lower = _height(base + count, top), _height(base, top)
                words = f"{day.isoformat()}, {names[key]}: {count:,}"
                width, height = round(slot * _SHARE_OF_A_DAY, 2), round(lower - upper, 2)
                bars.append(Bar(round(left, 2), upper, width, height, min(color, COLORS), words))
                base += count
    heights = tuple(Mark(_height(value, top), _short(value)) for value in range(0, top + 1, step))
    shown = sorted({0, len(days) // 2, len(days) - 1})
    marks = tuple(Mark(round(LEFT + (place + 0.5) * slot, 2), f"{days[place]:%b} {days[place].day}") for place in shown)
    return Plot(tuple(bars), heights, marks, most)


def _ranked(requests: "Counter[str]") -> list[tuple[str, int]]:
    return sorted(requests.items(), key=lambda item: (-item[1], item[0]))


def _height(value: int, top: int) -> float:
    return round(TOP + (HEIGHT - BOTTOM - TOP) * (1 - value / top), 2)


def _scale(most: int) -> tuple[int, int]:
    """Give where the plot ends and the step of its lines: two to five of them, at round numbers."""
    size = 1
    while True:
        for step in (size, 2 * size, 5 * size):
            if most <= 4 * step:
                return max(2 * step, -(-most // step) * step), step
        size *= 10


def _short(value: int) -> str:
    for size, letter in ((10**9, "G"), (10**6, "M"), (10**3, "k")):
        if value >= size:
            return f"{value / size:.4g}{letter}"
    return str(value)
