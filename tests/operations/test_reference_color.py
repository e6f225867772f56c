"""The operations on color against arithmetic of NumPy, scikit-image and Pillow."""

from typing import Any

import numpy as np
import pictures
import pytest
import pyvips
from PIL import Image, ImageOps
from skimage import color, exposure

from imageplane.deadline import Deadline
from imageplane.errors import RequestError
from imageplane.operation import PixelOperation, Size, Tools
from imageplane.operations import parse

TOOLS = Tools(Deadline())

EVERY: dict[str, dict[str, Any]] = {
    "modulate": {"brightness": 1.13, "saturation": 0.73, "hue": -47},
    "tint": {"hex_color": "#704214"},
    "grayscale": {},
    "invert_colors": {},
    "auto_contrast": {},
    "gamma": {"gamma": 2.17},
    "remove_transparency": {"hex_color": "#2a6b1f"},
    "opacity": {"opacity_in_percent": 37.3},
}

both_pictures = pytest.mark.parametrize("picture", [pictures.photo(), pictures.alpha()], ids=["photo", "alpha"])


def operation(kind: str, **fields: Any) -> PixelOperation:
    (found,), warnings = parse([{"type": kind, **fields}])
    assert isinstance(found, PixelOperation)
    assert warnings == ()
    return found


def image_of(array: np.ndarray) -> pyvips.Image:
    return pyvips.Image.new_from_array(array).copy(interpretation="srgb")


def applied(kind: str, array: np.ndarray, **fields: Any) -> np.ndarray:
    result = operation(kind, **fields).apply(image_of(array), TOOLS)
    assert (result.format, result.interpretation) == ("uchar", "srgb")
    return result.numpy().reshape(array.shape[0], array.shape[1], result.bands)


def assert_close(actual: np.ndarray, expected: np.ndarray, max_delta: float, mean_delta: float) -> None:
    assert actual.shape == expected.shape
    delta = np.abs(actual.astype(float) - expected)
    assert delta.max() <= max_delta
    assert delta.mean() <= mean_delta


def assert_colors_close(actual: np.ndarray, source: np.ndarray, colors: np.ndarray, *deltas: float) -> None:
    """Hold the colors against a reference, and the alpha against the source."""
    assert_close(actual[..., :3], colors, *deltas)
    assert np.array_equal(actual[..., 3:], source[..., 3:])


def lab_of(array: np.ndarray) -> np.ndarray:
    return color.rgb2lab(array[..., :3])


def bytes_of(lab: np.ndarray) -> np.ndarray:
    return np.rint(255 * np.clip(color.lab2rgb(lab), 0, 1))


def percentile_of(lightness: np.ndarray, weights: np.ndarray, share: float) -> float:
    """Give the smallest lightness up to which this share of the weight lies."""
    order = np.argsort(lightness)
    summed = np.cumsum(weights[order].astype(float))
    return float(lightness[order][np.searchsorted(summed, share * summed[-1])])


@both_pictures
@pytest.mark.parametrize(
    ("brightness", "saturation", "hue"),
    [(1.13, 0.73, -47), (0.87, 1.21, 0), (1, 0, 0), (1, 1, 473), (0.61, None, None)],
)
def test_modulate_scales_and_turns_lch(
    picture: np.ndarray, brightness: float, saturation: float | None, hue: float | None
) -> None:
    lch = color.lab2lch(lab_of(picture))
    lch *= [brightness, 1 if saturation is None else saturation, 1]
    lch[..., 2] = (lch[..., 2] + np.radians(hue or 0)) % (2 * np.pi)
    actual = applied("modulate", picture, brightness=brightness, saturation=saturation, hue=hue)
    assert_colors_close(actual, picture, bytes_of(color.lch2lab(lch)), 1, 0.3)


@both_pictures
@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        ("modulate", {"brightness": 1, "saturation": 1, "hue": 0}),
        ("modulate", {"brightness": 1}),
        ("modulate", {"hue": -720}),
        ("gamma", {"gamma": 1}),
        ("opacity", {"opacity_in_percent": 100}),
    ],
)
def test_identity_changes_nothing(picture: np.ndarray, kind: str, fields: dict[str, Any]) -> None:
    assert np.array_equal(applied(kind, picture, **fields), picture)
    assert operation(kind, **fields).scaled_by(8, Size(217, 149)) is not None


@both_pictures
def test_tint_takes_a_and_b_under_the_weight_and_keeps_lightness(picture: np.ndarray) -> None:
    lab = lab_of(picture)
    weight = 1 - 4 * (lab[..., :1] / 100 - 0.5) ** 2
    lab[..., 1:] = weight * lab_of(np.array([[[112, 66, 20]]], np.uint8))[..., 1:]
    assert_colors_close(applied("tint", picture, hex_color="704214"), picture, bytes_of(lab), 2, 0.4)


@both_pictures
@pytest.mark.parametrize("hex_color", ["#ff0000", "#00ff00", "#0000ff", "#fff700", "#e1173d", "#808080", "#000"])
def test_tint_keeps_lightness_for_every_color(picture: np.ndarray, hex_color: str) -> None:
    before, after = lab_of(picture)[..., 0], lab_of(applied("tint", picture, hex_color=hex_color))[..., 0]
    assert_close(after, before, 1, 0.3)


def test_tint_keeps_black_and_white_and_reaches_the_color() -> None:
    ends = np.array([[[0, 0, 0], [255, 255, 255]]], np.uint8)
    assert_close(applied("tint", ends, hex_color="#e1173d"), ends, 1, 0.5)
    wanted = np.array([[[180, 90, 110]]], np.uint8)
    assert_close(applied("tint", wanted, hex_color="#b45a6e"), wanted, 2, 2)


@both_pictures
def test_grayscale_is_luminance_in_linear_light(picture: np.ndarray) -> None:
    encoded = picture[..., :3] / 255
    linear = np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)
    luminance = linear @ [0.2126, 0.7152, 0.0722]
    gray = np.where(luminance <= 0.0031308, 12.92 * luminance, 1.055 * luminance ** (1 / 2.4) - 0.055)
    expected = np.repeat(np.rint(255 * gray)[..., None], 3, axis=-1)
    assert_colors_close(applied("grayscale", picture), picture, expected, 1, 0.2)


@both_pictures
def test_invert_colors_is_the_negative(picture: np.ndarray) -> None:
    expected = np.asarray(ImageOps.invert(Image.fromarray(picture[..., :3].copy())))
    assert_colors_close(applied("invert_colors", picture), picture, expected, 0, 0)


@both_pictures
def test_auto_contrast_stretches_lightness_between_percentiles(picture: np.ndarray) -> None:
    lab = lab_of(picture)
    weights = picture[..., 3] if picture.shape[2] == 4 else np.ones(picture.shape[:2])
    dark, bright = (percentile_of(lab[..., 0].ravel(), weights.ravel(), share) for share in (0.01, 0.99))
    lab[..., 0] = np.clip((lab[..., 0] - dark) * 100 / (bright - dark), 0, 100)
    # Beyond the percentiles nothing but black and white is promised.
    inside = (lab[..., 0] > 0) & (lab[..., 0] < 100)
    actual = applied("auto_contrast", picture)
    assert_close(actual[inside][:, :3], bytes_of(lab)[inside], 3, 0.3)
    assert np.array_equal(actual[..., 3:], picture[..., 3:])


def test_auto_contrast_leaves_a_flat_picture() -> None:
    flat = np.full((29, 31, 3), (97, 98, 97), np.uint8)
    assert np.array_equal(applied("auto_contrast", flat), flat)


def test_auto_contrast_ignores_what_is_transparent() -> None:
    picture = np.dstack([pictures.photo(), np.full((149, 217), 255, np.uint8)])
    hidden = picture.copy()
    hidden[:40], hidden[40:60] = (0, 0, 0, 0), (255, 255, 255, 0)
    assert np.array_equal(applied("auto_contrast", hidden)[60:], applied("auto_contrast", picture[60:]))


def test_auto_contrast_stretches_all_frames_alike() -> None:
    dim = (pictures.photo() // 3 + 40).astype(np.uint8)
    frames = [image_of(dim), image_of(np.full_like(dim, 90))]
    first, second = operation("auto_contrast").apply_to_frames(frames, TOOLS)
    whole = applied("auto_contrast", np.concatenate([dim, np.full_like(dim, 90)]))
    assert np.array_equal(np.concatenate([first.numpy(), second.numpy()]), whole)


@both_pictures
@pytest.mark.parametrize("gamma", [0.01, 0.47, 1.0001, 2.17, 10])
def test_gamma_is_a_power(picture: np.ndarray, gamma: float) -> None:
    expected = exposure.adjust_gamma(picture[..., :3], 1 / gamma)
    assert_colors_close(applied("gamma", picture, gamma=gamma), picture, expected, 1, 0.55)


@both_pictures
def test_gamma_below_one_darkens(picture: np.ndarray) -> None:
    means = [applied("gamma", picture, gamma=gamma)[..., :3].mean() for gamma in (0.5, 1, 2)]
    assert means == sorted(means)
    assert means[0] + 20 < means[1] < means[2] - 20


def test_remove_transparency_is_over() -> None:
    ground = Image.new("RGBA", (217, 149), (42, 107, 31, 255))
    expected = Image.alpha_composite(ground, Image.fromarray(pictures.alpha())).convert("RGB")
    actual = applied("remove_transparency", pictures.alpha(), hex_color="#2a6b1f")
    assert_close(actual, np.asarray(expected), 1, 0.5)


def test_remove_transparency_leaves_an_opaque_picture() -> None:
    assert np.array_equal(applied("remove_transparency", pictures.photo(), hex_color="#2a6b1f"), pictures.photo())


@both_pictures
@pytest.mark.parametrize("percent", [0, 37.3, 50, 99.9, 100])
def test_opacity_scales_alpha(picture: np.ndarray, percent: float) -> None:
    before = picture[..., 3] if picture.shape[2] == 4 else np.full(picture.shape[:2], 255)
    actual = applied("opacity", picture, opacity_in_percent=percent)
    alpha = actual[..., 3] if actual.shape[2] == 4 else np.full(picture.shape[:2], 255)
    assert np.array_equal(alpha, np.floor(before * (percent / 100) + 0.5))
    assert np.array_equal(actual[..., :3], picture[..., :3])


def test_opacity_twice_is_one_product() -> None:
    first, second = operation("opacity", opacity_in_percent=61), operation("opacity", opacity_in_percent=37.3)
    (fused,) = first.fused_with(second) or ()
    assert isinstance(fused, PixelOperation)
    source = image_of(pictures.alpha())
    twice = second.apply(first.apply(source, TOOLS), TOOLS).numpy()
    assert_close(twice, fused.apply(source, TOOLS).numpy().astype(float), 1, 0.25)


@pytest.mark.parametrize("kind", EVERY)
@pytest.mark.parametrize("pixel", [(130, 61, 9), (130, 61, 9, 121), (130, 61, 9, 0)])
def test_a_single_pixel_is_a_picture(kind: str, pixel: tuple[int, ...]) -> None:
    single = np.array([[pixel]], np.uint8)
    assert applied(kind, single, **EVERY[kind]).shape[:2] == (1, 1)


@pytest.mark.parametrize("kind", EVERY)
def test_what_is_clear_stays_clear(kind: str) -> None:
    clear = pictures.alpha()
    clear[..., 3] = 0
    result = applied(kind, clear, **EVERY[kind])
    if kind == "remove_transparency":
        assert np.array_equal(result, np.full_like(clear[..., :3], (42, 107, 31)))
    else:
        assert not result[..., 3].any()


@pytest.mark.parametrize(
    ("item", "path", "message"),
    [
        ({"type": "modulate"}, "operations[0]", "at least one of brightness, saturation and hue"),
        ({"type": "modulate", "hue": None}, "operations[0]", "at least one of brightness, saturation and hue"),
        ({"type": "modulate", "brightness": -0.1}, "operations[0].brightness", "greater than or equal to 0"),
        ({"type": "modulate", "saturation": "1"}, "operations[0].saturation", "valid number"),
        ({"type": "modulate", "hue": float("nan")}, "operations[0].hue", "finite"),
        ({"type": "tint"}, "operations[0].hex_color", "required"),
        ({"type": "tint", "hex_color": "red"}, "operations[0].hex_color", "expected a color such as #1a2b3c"),
        ({"type": "gamma"}, "operations[0].gamma", "required"),
        ({"type": "gamma", "gamma": 0}, "operations[0].gamma", "greater than or equal to 0.01"),
        ({"type": "gamma", "gamma": float("inf")}, "operations[0].gamma", "finite"),
        ({"type": "remove_transparency"}, "operations[0].hex_color", "required"),
        ({"type": "opacity"}, "operations[0].opacity_in_percent", "required"),
        ({"type": "opacity", "opacity_in_percent": 100.1}, "operations[0].opacity_in_percent", "less than or equal"),
        ({"type": "opacity", "opacity_in_percent": True}, "operations[0].opacity_in_percent", "valid number"),
    ],
)
def test_faults_name_the_field(item: dict[str, Any], path: str, message: str) -> None:
    with pytest.raises(RequestError) as caught:
        parse([item])
    (fault,) = caught.value.faults
    assert fault.path == path
    assert message in fault.message
