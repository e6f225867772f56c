"""The operations on geometry and detail against arithmetic of NumPy, SciPy and Pillow, with stated tolerances."""

import math
from typing import Any

import numpy as np
import pictures
import pytest
from examples import TOOLS, array_of, deltas, done, image_of, premultiplied
from PIL import Image
from scipy import ndimage

from imageplane.errors import ImpossibleOperation, RequestError
from imageplane.operation import PixelOperation, Size, size_of
from imageplane.operations import parse

PHOTO, ALPHA = pictures.photo(), pictures.alpha()
NOISE = np.random.default_rng(11).integers(0, 2, (101, 137, 3), dtype=np.uint8) * 255

both_pictures = pytest.mark.parametrize("picture", [PHOTO, ALPHA], ids=["photo", "alpha"])


def operation(kind: str, **fields: Any) -> PixelOperation:
    (found,), warnings = parse([{"type": kind, **fields}])
    assert isinstance(found, PixelOperation)
    assert warnings == ()
    return found


def applied(kind: str, array: np.ndarray, **fields: Any) -> np.ndarray:
    return array_of(done(image_of(array), operation(kind, **fields)))


def assert_close(actual: np.ndarray, expected: np.ndarray, max_delta: float, mean_delta: float) -> None:
    most, mean = deltas(actual, expected)
    assert most <= max_delta
    assert mean <= mean_delta


def per_band(function: Any, array: np.ndarray) -> np.ndarray:
    return np.dstack([function(array[..., band].astype(float)) for band in range(array.shape[2])])


def blurred(array: np.ndarray, sigma: float) -> np.ndarray:
    """Give the exact Gaussian of what can be seen, (H, W, 4) premultiplied."""

    def gauss(band: np.ndarray) -> np.ndarray:
        return ndimage.gaussian_filter(band, sigma, mode="nearest", truncate=5)

    return per_band(gauss, premultiplied(array))


@both_pictures
def test_crop_is_a_slice(picture: np.ndarray) -> None:
    result = applied("crop", picture, left_in_px=61, top_in_px=35, width=113, height=87)
    assert np.array_equal(result, picture[35:122, 61:174])


@pytest.mark.parametrize("fields", [{"left_in_px": 105}, {"top_in_px": 63}])
def test_crop_refuses_a_rectangle_that_reaches_outside(fields: dict[str, int]) -> None:
    rectangle = {"left_in_px": 0, "top_in_px": 0, "width_in_px": 113, "height_in_px": 87} | fields
    with pytest.raises(ImpossibleOperation, match="217×149"):
        applied("crop", PHOTO, **rectangle)


@both_pictures
def test_flip_and_flop_are_reversed_slices(picture: np.ndarray) -> None:
    assert np.array_equal(applied("flip", picture), picture[::-1])
    assert np.array_equal(applied("flop", picture), picture[:, ::-1])


@both_pictures
def test_extend_is_an_opaque_padding(picture: np.ndarray) -> None:
    sides = {"top_in_px": 7, "bottom_in_px": 13, "left_in_px": 29, "right_in_px": 3}
    result = applied("extend", picture, **sides, hex_color="2266AA")
    expected = np.empty((169, 249, picture.shape[2]), np.uint8)
    expected[:] = (0x22, 0x66, 0xAA, 255)[: picture.shape[2]]
    expected[7:156, 29:246] = picture
    assert np.array_equal(result, expected)


@both_pictures
@pytest.mark.parametrize("angle", [0, 90, 180.0, 270, 360, -90, 450, -1350, 3600, -1e-20])
def test_right_angles_turn_exactly(picture: np.ndarray, angle: float) -> None:
    expected = np.rot90(picture, -round(angle / 90))
    assert np.array_equal(applied("rotate", picture, angle_in_degrees=angle), expected)


@both_pictures
@pytest.mark.parametrize("angle", [0.3, 33.7, 45, 89.99, -101.3, 200.2, 1e9 + 7.5])
def test_other_angles_turn_about_the_center(picture: np.ndarray, angle: float) -> None:
    height, width, bands = picture.shape
    turn = operation("rotate", angle_in_degrees=angle, hex_color="#f4d03f")
    result = turn.apply(image_of(picture), TOOLS)
    canvas = turn.size_after(Size(width, height))
    assert size_of(result) == canvas
    cos, sin = math.cos(math.radians(angle)), math.sin(math.radians(angle))
    rows, columns = (np.mgrid[: canvas.height, : canvas.width].T + 0.5 - np.array(canvas[::-1]) / 2).T
    # The way back: where in the source lies the middle of each pixel of the canvas?
    x, y = width / 2 + cos * columns + sin * rows, height / 2 - sin * columns + cos * rows
    inside = np.minimum(np.minimum(x, width - x), np.minimum(y, height - y))
    actual = array_of(result)
    assert (actual[inside < -1.5] == (0xF4, 0xD0, 0x3F, 255)[:bands]).all()
    seen = inside > 2.5
    error = np.abs(premultiplied(actual[seen][None]) - catmull_rom(premultiplied(picture), y[seen], x[seen]))
    # libvips places pixels of bytes in steps of a 64th.
    assert error.max() <= 6
    assert error.mean() <= 0.5


def catmull_rom(array: np.ndarray, y: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Give the bicubic values of an (H, W, C) array at points, (1, N, C), clipped to bytes (Keys 1981, a = -1/2)."""
    top, left = np.floor(y - 0.5).astype(int), np.floor(x - 0.5).astype(int)
    total = 0.0
    for row, column in np.ndindex(4, 4):
        weight = keys(y - 0.5 - top - row + 1) * keys(x - 0.5 - left - column + 1)
        total = total + weight[:, None] * array[top + row - 1, left + column - 1]
    return np.clip(total, 0, 255)[None]


def keys(distance: np.ndarray) -> np.ndarray:
    d = np.abs(distance)
    return np.where(d < 1, 1.5 * d**3 - 2.5 * d**2 + 1, -0.5 * d**3 + 2.5 * d**2 - 4 * d + 2)


def test_a_turned_canvas_holds_the_whole_picture() -> None:
    white = np.full((31, 47, 3), 255, np.uint8)
    for angle in range(1, 360, 7):
        result = applied("rotate", white, angle_in_degrees=angle)
        assert abs(result[..., 0].mean() * result.shape[0] * result.shape[1] / 255 / (31 * 47) - 1) < 0.01
        exact = 47 * abs(math.cos(math.radians(angle))) + 31 * abs(math.sin(math.radians(angle)))
        assert exact <= result.shape[1] + 0.001 <= exact + 1.002


def test_trim_cuts_to_what_differs() -> None:
    assert np.array_equal(applied("trim", pictures.bordered(), threshold=7), pictures.bordered()[61:140, 35:200])


def test_the_threshold_of_trim_is_the_largest_difference_of_a_border() -> None:
    array = np.full((23, 31, 3), 100, np.uint8)
    array[7:9, 5:17] = (100, 100, 110)
    array[19, 29] = (93, 100, 100)
    assert applied("trim", array, threshold=10).shape == (23, 31, 3)
    assert applied("trim", array, threshold=9.5).shape == (2, 12, 3)
    assert applied("trim", array, threshold=6).shape == (13, 25, 3)


def test_trim_cuts_transparent_borders_whatever_hides_there() -> None:
    array = np.random.default_rng(5).integers(0, 256, (23, 31, 4), dtype=np.uint8)
    array[..., 3] = 0
    array[4:11, 6:9, 3] = 255
    assert np.array_equal(applied("trim", array, threshold=0), array[4:11, 6:9])


def test_trim_leaves_one_box_for_all_frames() -> None:
    first, second = np.full((2, 23, 31, 3), 255, np.uint8)
    first[3:5, 4:6], second[9:12, 20:27] = 0, 0
    empty = np.full((23, 31, 3), 255, np.uint8)
    frames = [image_of(array) for array in (first, second, empty)]
    trimmed = [array_of(frame) for frame in operation("trim", threshold=3).apply_to_frames(frames, TOOLS)]
    for array, expected in zip(trimmed, (first, second, empty), strict=True):
        assert np.array_equal(array, expected[3:12, 4:27])


def test_trim_leaves_a_picture_that_is_all_border() -> None:
    array = np.full((23, 31, 3), (9, 8, 7), np.uint8)
    assert np.array_equal(applied("trim", array, threshold=0), array)


@both_pictures
@pytest.mark.parametrize("sigma", [0.01, 0.3, 0.5, 0.7, 1, 1.7, 2.9, 5.99, 6, 7.3, 13, 31, 97, 1000])
def test_blur_is_the_gaussian(picture: np.ndarray, sigma: float) -> None:
    exact = blurred(picture, sigma)
    actual = premultiplied(applied("blur", picture, sigma=sigma))
    # Half a step is rounding; premultiplied colors are rounded twice.
    assert np.abs(actual - exact).max() <= 1.6
    assert np.abs(actual - exact).mean() <= 0.4


@pytest.mark.parametrize("sigma", [0.5, 1.5, 4.4, 6, 7, 9.1, 20, 60])
def test_blur_is_the_gaussian_of_black_and_white_noise(sigma: float) -> None:
    error = np.abs(applied("blur", NOISE, sigma=sigma) - blurred(NOISE, sigma)[..., :3])
    assert error.max() <= 5
    assert error.mean() <= 0.7


@pytest.mark.parametrize("size", [(1, 1), (1, 7), (2, 977)])
@pytest.mark.parametrize("sigma", [0.5, 9, 1000])
def test_blur_suits_the_smallest_pictures(size: tuple[int, int], sigma: float) -> None:
    array = np.random.default_rng(2).integers(0, 256, (*size, 3), dtype=np.uint8)
    assert np.abs(applied("blur", array, sigma=sigma) - blurred(array, sigma)[..., :3]).max() <= 4


@pytest.mark.parametrize(
    ("sigma", "max_delta", "mean_delta"), [(0.3, 3, 0.6), (0.5, 9, 0.6), (0.7, 9, 0.6), (1, 3, 0.6), (7, 3, 0.6)]
)
def test_sharpen_adds_what_a_blur_takes_from_luma(sigma: float, max_delta: float, mean_delta: float) -> None:
    weights = np.array([0.2126, 0.7152, 0.0722])
    taken = (PHOTO - blurred(PHOTO, sigma)[..., :3]) @ weights
    beyond = np.clip(np.abs(taken) - 5.1, 0, None)
    added = np.clip(np.sign(taken) * (np.abs(taken) + beyond), -51, 25.5)
    error = np.abs(applied("sharpen", PHOTO, sigma=sigma) - np.clip(PHOTO + added[..., None], 0, 255))
    # The difference is rounded before the curve doubles it; a small sigma has a mask of whole 32nds.
    assert error.max() <= max_delta
    assert error.mean() <= mean_delta


@pytest.mark.parametrize("sigma", [0.5, 0.7, 1.0])
def test_sharpen_looks_like_that_of_libvips(sigma: float) -> None:
    picture = image_of(PHOTO)
    theirs = array_of(picture.sharpen(sigma=sigma, m1=1, m2=2, x1=2, y2=10, y3=20).cast("uchar")).astype(float)
    difference = applied("sharpen", PHOTO, sigma=sigma) - theirs
    assert 20 * np.log10(255 / np.sqrt((difference**2).mean())) > 38


@pytest.mark.parametrize("sigma", [0.1, 0.3, 0.4, 0.45, 0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 1, 3, 30])
def test_sharpen_keeps_what_is_flat(sigma: float) -> None:
    for level in (0, 1, 127, 254, 255):
        flat = np.full((37, 41, 4), level, np.uint8)
        assert np.array_equal(applied("sharpen", flat, sigma=sigma), flat)
        assert np.array_equal(applied("sharpen", flat[..., :3], sigma=sigma), flat[..., :3])


def test_sharpen_gives_a_cut_out_of_one_color_no_rim() -> None:
    array = np.zeros((37, 41, 4), np.uint8)
    array[11:29, 7:31] = (200, 90, 40, 255)
    assert deltas(applied("sharpen", array, sigma=1.5), array)[0] == 0


@pytest.mark.parametrize("size", [1, 2, 3, 6, 15, 99])
@pytest.mark.parametrize("picture", [PHOTO, NOISE, PHOTO[:1, :1], PHOTO[:5]], ids=["photo", "noise", "1×1", "wide"])
def test_denoise_is_a_median(picture: np.ndarray, size: int) -> None:
    window = size + (size + 1) % 2
    expected = per_band(lambda band: ndimage.median_filter(band, window, mode="nearest"), picture)
    assert np.array_equal(applied("denoise", picture, size=size), expected)


def test_denoise_keeps_a_cut_out_in_shape_and_color() -> None:
    array = np.zeros((37, 41, 4), np.uint8)
    array[11:29, 7:31] = (200, 90, 40, 255)
    array[14, 9, :3] = 255
    result = applied("denoise", array, size=7)
    assert np.array_equal(result[..., 3], array[..., 3])
    # Near the rim the mean of the visible neighbors, speck included, can be the median.
    assert np.abs(result[11:29, 7:31].astype(int) - (200, 90, 40, 255)).max() <= 5


@both_pictures
@pytest.mark.parametrize("value", [0, 1, 113, 127.5, 255])
def test_threshold_compares_every_band(picture: np.ndarray, value: float) -> None:
    expected = picture.copy()
    expected[..., :3] = np.where(picture[..., :3] >= value, 255, 0)
    assert np.array_equal(applied("threshold", picture, value=value, is_grayscale=False), expected)


@both_pictures
def test_threshold_compares_the_luminance(picture: np.ndarray) -> None:
    encoded = picture[..., :3] / 255
    linear = np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)
    luminance = linear @ (0.2126, 0.7152, 0.0722)
    gray = 255 * np.where(luminance <= 0.0031308, luminance * 12.92, 1.055 * luminance ** (1 / 2.4) - 0.055)
    result = applied("threshold", picture, value=131)
    # libvips looks the curves up in tables, which moves a gray by at most a step.
    assert (result[gray >= 132.2][:, :3] == 255).all()
    assert (result[gray < 129.8][:, :3] == 0).all()
    assert np.array_equal(result[..., 3:], picture[..., 3:])


@pytest.mark.parametrize(("width", "height"), [(121, 83), (73, 121), (61, 139), (31, 21)])
def test_resize_down_is_the_lanczos_of_pillow(width: int, height: int) -> None:
    expected = np.asarray(Image.fromarray(PHOTO).resize((width, height), Image.Resampling.LANCZOS))
    # libvips begins with a box where the factor is large.
    assert_close(applied("resize", PHOTO, width_in_px=width, height_in_px=height, fit="fill"), expected, 8, 0.8)


@pytest.mark.parametrize(("width", "height"), [(434, 298), (500, 343), (651, 447)])
def test_resize_up_is_the_bicubic_of_pillow(width: int, height: int) -> None:
    expected = np.asarray(Image.fromarray(PHOTO).resize((width, height), Image.Resampling.BICUBIC))
    assert_close(applied("resize", PHOTO, width_in_px=width, height_in_px=height, fit="fill"), expected, 5, 0.4)


@pytest.mark.parametrize(
    ("fit", "size"),
    [("cover", (97, 89)), ("contain", (97, 89)), ("fill", (97, 89)), ("inside", (97, 67)), ("outside", (217, 149))],
)
def test_resize_meets_its_box(fit: str, size: tuple[int, int]) -> None:
    result = applied("resize", PHOTO, width_in_px=97, height_in_px=89, fit=fit, hex_color="#2266aa")
    assert result.shape == (size[1], size[0], 3)
    if fit == "contain":
        assert (result[[*range(11), *range(-11, 0)]] == (0x22, 0x66, 0xAA)).all()


@pytest.mark.parametrize(("width", "height"), [(1, 1), (61, 121), (500, 7), (217, 149)])
def test_smart_crop_has_exactly_the_size(width: int, height: int) -> None:
    assert applied("smart_crop", PHOTO, width=width, height=height).shape == (height, width, 3)


@pytest.mark.parametrize(
    ("kind", "field", "value"),
    [
        ("trim", "threshold", -0.1),
        ("rotate", "angle_in_degrees", math.inf),
        ("blur", "sigma", 0),
        ("denoise", "size", 100),
        ("threshold", "value", 255.5),
    ],
)
def test_a_bad_value_is_refused_by_name(kind: str, field: str, value: float) -> None:
    with pytest.raises(RequestError, match=rf"operations\[0\]\.{field}: "):
        parse([{"type": kind, field: value}])
