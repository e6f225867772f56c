"""What stands in front is cut out at the edges of the photo, with holes, without a halo."""

from pathlib import Path

import numpy as np
import pytest
import pyvips
from numpy.typing import NDArray

from imageplane.models.box_filter import box_mean
from imageplane.models.layers import Layers
from imageplane.models.local_regression import regress
from imageplane.models.matting import Matting
from imageplane.models.probe import bilinear, enlarged, to_ratios
from imageplane.models.sessions import Sessions

FOREGROUND = np.array([0.85, 0.3, 0.2], np.float32)
BACKGROUND = np.array([0.15, 0.4, 0.7], np.float32)


def scene(height: int, width: int) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Give a picture of a ring with fine spokes over another color, and its true alpha."""
    down, across = np.mgrid[0:height, 0:width] + 0.5
    down, across = down - height / 2, across - width / 2
    radius, angle = np.hypot(down, across) / min(height, width), np.arctan2(down, across)
    edge = 2 / min(height, width)
    ring = np.clip((0.38 - radius) / edge + 0.5, 0, 1) * np.clip((radius - 0.24) / edge + 0.5, 0, 1)
    spokes = np.clip(0.45 - radius, 0, 0.02) / 0.02 * np.clip(1.5 - np.abs(np.sin(12 * angle)) * radius * 160, 0, 1)
    alpha = np.maximum(ring, np.where(radius > 0.36, spokes, 0)).astype(np.float32)
    picture = alpha[..., None] * FOREGROUND + (1 - alpha[..., None]) * BACKGROUND
    return np.rint(picture * 255).astype(np.uint8), alpha


def rough(alpha: NDArray[np.float32], width: int, height: int) -> NDArray[np.float32]:
    """Give a mask as a network would: blurred, too wide and without spokes."""
    return np.clip(1.6 * box_mean(box_mean(enlarged(alpha, width, height), 4), 4), 0, 1)


@pytest.fixture(scope="module")
def cut() -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    picture, alpha = scene(900, 1200)
    small = enlarged(to_ratios(picture), 480, 360)
    return Layers.of(small, rough(alpha, 480, 360)).applied_to(picture), alpha


def test_alpha_is_as_fine_as_the_photo(cut: tuple[NDArray[np.uint8], NDArray[np.float32]]) -> None:
    result, alpha = cut
    off = np.abs(to_ratios(result[..., 3]) - alpha)
    assert result.shape == (900, 1200, 4)
    assert off.mean() < 0.01
    assert (off > 0.25).mean() < 0.005


def test_holes_stay_holes(cut: tuple[NDArray[np.uint8], NDArray[np.float32]]) -> None:
    result, _ = cut
    assert result[450, 600, 3] == 0
    assert result[450, 600 + 280, 3] == 255


def test_the_background_does_not_shine_through(cut: tuple[NDArray[np.uint8], NDArray[np.float32]]) -> None:
    result, _ = cut
    partly = (result[..., 3] > 40) & (result[..., 3] < 250)
    assert partly.sum() > 1000
    off = np.abs(to_ratios(result[..., :3])[partly] - FOREGROUND).max(axis=1)
    assert np.median(off) < 0.05
    assert np.quantile(off, 0.9) < 0.2


def test_what_is_gone_has_no_color(cut: tuple[NDArray[np.uint8], NDArray[np.float32]]) -> None:
    result, _ = cut
    gone = result[..., 3] == 0
    assert gone.mean() > 0.5
    assert not result[gone].any()


def test_tiles_have_no_seams() -> None:
    picture, alpha = scene(700, 700)
    layers = Layers.of(enlarged(to_ratios(picture), 350, 350), rough(alpha, 350, 350))
    whole = layers.applied_to(picture)
    jumps = np.abs(np.diff(whole[..., 3].astype(int) - np.rint(alpha * 255).astype(int), axis=1)).max(axis=0)
    assert jumps[255] <= max(jumps[200:255].max(), jumps[256:300].max())
    assert jumps[511] <= max(jumps[460:511].max(), jumps[512:560].max())


@pytest.mark.parametrize("shape", [(1, 1), (1, 700), (700, 1), (2, 3), (5, 900)], ids=str)
def test_layers_of_any_shape(shape: tuple[int, int]) -> None:
    picture = np.full((*shape, 3), 77, np.uint8)
    mask = np.ones((max(1, shape[0] // 2), max(1, shape[1] // 2)), np.float32)
    result = Layers.of(enlarged(to_ratios(picture), mask.shape[1], mask.shape[0]), mask).applied_to(picture)
    assert (result[..., 3] == 255).all()
    assert (result[..., :3] == 77).all()


def test_regression_finds_the_color_that_decides() -> None:
    colors = np.random.default_rng(1).uniform(size=(40, 50, 3)).astype(np.float32)
    values = 0.2 + 0.5 * colors[..., 1]
    learned = regress(colors, values, 10, 1e-6)
    np.testing.assert_allclose(learned.slope[20, 25], [0, 0.5, 0], atol=0.01)
    np.testing.assert_allclose(learned.values(colors), values, atol=0.01)
    assert learned.trust[20, 25] > 0.95


def test_a_box_mean_is_the_mean_of_a_box() -> None:
    values = np.random.default_rng(4).uniform(size=(9, 11, 2)).astype(np.float32)
    means = box_mean(values, 2)
    np.testing.assert_allclose(means[4, 5], values[2:7, 3:8].mean(axis=(0, 1)), rtol=1e-5)
    corner = np.pad(values, ((2, 2), (2, 2), (0, 0)), mode="edge")[:5, :5].mean(axis=(0, 1))
    np.testing.assert_allclose(means[0, 0], corner, rtol=1e-5)


def test_parts_of_a_stretched_picture_are_the_parts_of_the_whole() -> None:
    values = np.random.default_rng(5).uniform(size=(7, 1)).astype(np.float32)
    whole, _ = bilinear(7, 40)
    part, start = bilinear(7, 40, 13, 29)
    np.testing.assert_allclose(part @ values[start : start + part.shape[1]], (whole @ values)[13:29], rtol=1e-6)
    assert bilinear(7, 7)[0].tolist() == np.eye(7).tolist()


@pytest.mark.parametrize(
    ("name", "inside", "outside"),
    [
        ("s142_example.jpg", (0.5, 0.5), (0.1, 0.3)),
        ("s156_man5.jpg", (0.5, 0.5), (0.1, 0.2)),
        ("s073_00181.jpg", (0.4, 0.35), (0.8, 0.8)),
    ],
)
def test_photos_are_cut_out(
    sessions: Sessions, corpus: Path, name: str, inside: tuple[float, float], outside: tuple[float, float]
) -> None:
    image = pyvips.Image.new_from_file(str(corpus / "subject" / name))
    pixels = np.ascontiguousarray(image.numpy()[..., :3])
    result = Matting(sessions).cut_out(pixels)
    place = [(int(y * image.height), int(x * image.width)) for x, y in (inside, outside)]
    assert result.shape == (image.height, image.width, 4)
    assert result[place[0]][3] == 255
    assert result[place[0]][:3].tolist() == pixels[place[0]].tolist()
    assert result[place[1]].tolist() == [0, 0, 0, 0]


@pytest.mark.parametrize("shape", [(1, 1), (3, 700), (64, 48)], ids=str)
def test_pictures_of_any_shape_can_be_cut_out(sessions: Sessions, shape: tuple[int, int]) -> None:
    assert Matting(sessions).cut_out(np.full((*shape, 3), 127, np.uint8)).shape == (*shape, 4)
