"""Plots: bars that add up, inside the plane, at round numbers."""

from datetime import date, timedelta

import pytest

from imageplane.accounts.usage import Usage
from imageplane.http.dashboard.plots import BOTTOM, COLORS, HEIGHT, LEFT, TOP, WIDTH, by_day, totals

FIRST = date(2026, 1, 30)


def days(count: int) -> list[date]:
    return [FIRST + timedelta(ago) for ago in range(count)]


def used(day: int, key: str, requests: int) -> Usage:
    return Usage(FIRST + timedelta(day), key, f"name of {key}", "image_transformation", requests, requests * 500)


def test_the_keys_of_a_day_stand_on_top_of_each_other() -> None:
    plot = by_day([used(0, "a", 30), used(0, "b", 10), used(2, "a", 20)], days(3))
    first, above, last = plot.bars
    assert (first.left, first.width) == (above.left, above.width)
    assert above.top + above.height == pytest.approx(first.top)
    assert first.top + first.height == last.top + last.height == HEIGHT - BOTTOM
    assert first.height == pytest.approx(3 * above.height, abs=0.05)
    assert (first.color, above.color, last.color) == (0, 1, 0)
    assert first.words == "2026-01-30, name of a: 30"
    assert [mark.words for mark in plot.days] == ["Jan 30", "Jan 31", "Feb 1"]
    assert plot.most == 40


@pytest.mark.parametrize("most", [0, 1, 2, 3, 7, 9, 10, 99, 121, 473, 1000, 4001, 99_999, 10**9])
@pytest.mark.parametrize("count", [7, 30, 90])
def test_everything_is_inside_the_plane(most: int, count: int) -> None:
    plot = by_day([used(count - 1, "a", most)] if most else [], days(count))
    assert 3 <= len(plot.heights) <= 5
    assert plot.heights[0].at == HEIGHT - BOTTOM
    assert plot.heights[-1].at == TOP
    for bar in plot.bars:
        assert bar.left >= LEFT
        assert bar.left + bar.width <= WIDTH
        assert bar.top >= TOP - 0.01
        assert bar.height > 0
    assert len(plot.bars) == (most > 0)


def test_keys_beyond_the_colors_share_the_last_one() -> None:
    rows = [used(0, f"key {number}", 100 - number) for number in range(9)]
    found = totals(rows)
    assert [key.color for key in found] == [0, 1, 2, 3, 4, *[COLORS] * 4]
    assert [bar.color for bar in by_day(rows, days(1)).bars] == [key.color for key in found]
    assert (found[0].name, found[0].requests, found[0].charged_in_millicredits) == ("name of key 0", 100, 50_000)
    assert (found[0].share_in_percent, found[1].share_in_percent) == (100, 99)
    assert totals([]) == ()
