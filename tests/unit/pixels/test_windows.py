"""Windows, and what narrows them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from imageplane.pixels.sighting import Box
from imageplane.pixels.windows import Windows, spread


def lefts(windows: Windows) -> list[float]:
    return [float(left) for left in windows.lefts[windows.are_left.any(axis=0)]]


def test_what_fits_exactly_is_found() -> None:
    box = Box(0.1234567, 0.0, 0.5, 1.0)
    windows = Windows(0.5, 1.0, [box])
    assert windows.keep(box)
    assert lefts(windows)
    assert np.allclose(lefts(windows), 0.1234567)


def test_what_does_not_fit_leaves_all_windows() -> None:
    windows = Windows(0.4, 1.0, [])
    assert not windows.keep(Box(0.2, 0.0, 0.5, 1.0))
    assert windows.are_left.all()


def test_wishes_add_up() -> None:
    left, right = Box(0.1, 0.2, 0.1, 0.1), Box(0.45, 0.2, 0.1, 0.1)
    windows = Windows(0.5, 1.0, [left, right])
    assert windows.keep(left)
    assert windows.keep(right)
    assert min(lefts(windows)) == pytest.approx(0.05)
    assert max(lefts(windows)) == pytest.approx(0.1)


def test_what_can_not_be_whole_is_cut_evenly() -> None:
    left, right = Box(0.1, 0.2, 0.2, 0.1), Box(0.5, 0.2, 0.2, 0.1)
    windows = Windows(0.5, 1.0, [left, right])
    windows.favor([left, right], slack=0.001)
    assert lefts(windows)
    assert np.allclose(lefts(windows), 0.15, atol=0.01)


def test_a_window_without_cuts_is_preferred_to_one_that_cuts() -> None:
    box = Box(0.3, 0.2, 0.2, 0.1)
    windows = Windows(0.4, 1.0, [box])
    windows.spare([(box, 1.0)])
    assert all(left <= 0.3 + 1e-9 or left >= 0.5 - 1e-9 for left in lefts(windows))


@pytest.mark.parametrize(("left", "can"), [(0.30, False), (0.42, True), (0.85, True)])
def test_boxes_can_be_parted_when_both_fit_or_one_can_be_left_out(left: float, can: bool) -> None:
    box, other = Box(0.1, 0.2, 0.3, 0.1), Box(left, 0.2, 0.1 if left > 0.3 else 0.3, 0.1)
    assert Windows(0.4, 1.0, [box, other]).can_part(box, other) is can


@given(st.integers(1, 9), st.floats(0, 1), st.floats(0, 1))
def test_all_that_a_window_covers_is_counted_once(count: int, left: float, length: float) -> None:
    length = min(length, 1 - left)
    assert spread(np.array([left]), length, count).sum() / count == pytest.approx(length, abs=1e-9)


def test_a_map_is_summed_within_each_window() -> None:
    windows = Windows(0.5, 1.0, [])
    values = np.zeros((2, 4))
    values[:, 3] = 1
    totals = windows.totals(values)
    assert totals[0, 0] == pytest.approx(0)
    assert totals[0, -1] == pytest.approx(2)


def test_the_best_of_what_is_left_is_taken() -> None:
    windows = Windows(0.5, 1.0, [])
    windows.keep(Box(0.0, 0.0, 0.1, 1.0))
    assert windows.best(np.ones(windows.are_left.shape) * windows.lefts).left == 0
