"""What draws the eye without a network."""

from functools import partial

import numpy as np
import pytest

from imageplane.pixels.composition import choose
from imageplane.pixels.geometry import Size
from imageplane.pixels.saliency import saliency_of

GRASS = np.random.default_rng(5).integers(60, 90, (120, 180, 3)).astype(np.uint8)


def with_patch(left: int, top: int) -> np.ndarray:
    picture = GRASS.copy()
    picture[top : top + 24, left : left + 24] = (220, 40, 30)
    return picture


@pytest.mark.parametrize("left", [20, 80, 140])
def test_a_patch_of_another_color_draws_the_eye(left: int) -> None:
    drawn = saliency_of(with_patch(left, 50))
    column = drawn.sum(axis=0).argmax() / drawn.shape[1]
    assert abs(column - (left + 12) / 180) < 0.1


def test_the_window_follows_it() -> None:
    left, right = (
        choose(Size(180, 120), Size(50, 100), None, partial(saliency_of, with_patch(x, 50))).window for x in (15, 140)
    )
    assert left.left <= 15 / 180 + 1e-9
    assert right.right >= (140 + 24) / 180 - 1e-9


@pytest.mark.parametrize("shape", [(1, 1), (1, 500), (500, 1), (2, 3), (64, 64), (700, 900)])
def test_pictures_of_all_sizes_have_a_map(shape: tuple[int, int]) -> None:
    pixels = np.random.default_rng(1).integers(0, 255, (*shape, 3)).astype(np.uint8)
    drawn = saliency_of(pixels)
    assert max(drawn.shape) <= 64
    assert np.isfinite(drawn).all()
    assert drawn.min() >= 0
    assert drawn.max() <= 1


@pytest.mark.parametrize("color", [0, 128, 255])
def test_a_plain_picture_draws_no_eye(color: int) -> None:
    assert not saliency_of(np.full((90, 140, 3), color, np.uint8)).any()


def test_a_mirrored_picture_has_the_mirrored_map() -> None:
    picture = with_patch(20, 30)
    assert np.allclose(saliency_of(picture[:, ::-1]), saliency_of(picture)[:, ::-1], atol=0.05)
