"""Every kind of source comes out upright, sRGB, 8-bit, with 3 bands or 4, as Pillow and NumPy see it too."""

import io
import itertools
from typing import Any

import colors
import encoded
import numpy as np
import pictures
import pytest
import pyvips
from absent import NO_HEIC
from PIL import Image, ImageCms

from imageplane.codecs.decode import Amount, Decoded, decode
from imageplane.codecs.header import read_header
from imageplane.errors import ImageplaneError, UndecodableImage
from imageplane.limits import Limits

PHOTO, ALPHA = pictures.photo(), pictures.alpha()
GRAY = PHOTO[..., 1]


def decoded(data: bytes, shrink: float = 1, frames: int = 1) -> Decoded:
    header = read_header(data, Limits())
    return decode(data, header, Amount(shrink, header.size.height, frames), Limits())


def array(data: bytes, shrink: float = 1) -> np.ndarray:
    (image,) = decoded(data, shrink).frames
    assert (image.format, image.interpretation) == ("uchar", "srgb")
    assert image.bands in (3, 4)
    return image.numpy()


def delta(actual: np.ndarray, expected: np.ndarray) -> np.ndarray:
    assert actual.shape == expected.shape
    return np.abs(actual.astype(float) - expected)


def cmyk(kind: str, **options: Any) -> bytes:
    return encoded.written(Image.fromarray(PHOTO).convert("CMYK"), kind, **options)


def palette(picture: np.ndarray) -> Image.Image:
    return Image.fromarray(picture).quantize(61)


def see_through_palette() -> Image.Image:
    image = palette(PHOTO)
    image.info["transparency"] = 7
    return image


LOSSLESS: dict[str, bytes] = {
    "png-rgb": encoded.saved(PHOTO, "PNG"),
    "png-rgba": encoded.saved(ALPHA, "PNG"),
    "png-gray": encoded.saved(GRAY, "PNG"),
    "png-gray-alpha": encoded.saved(np.dstack([GRAY, ALPHA[..., 3]]), "PNG"),
    "png-palette": encoded.written(palette(PHOTO), "PNG"),
    "png-palette-clear": encoded.written(see_through_palette(), "PNG", transparency=7),
    "png-1-bit": encoded.written(Image.fromarray(GRAY).convert("1"), "PNG"),
    "png-clear-color": encoded.saved(PHOTO, "PNG", transparency=tuple(map(int, PHOTO[90, 80]))),
    "webp-rgb": encoded.saved(PHOTO, "WEBP", lossless=True),
    "webp-rgba": encoded.saved(ALPHA, "WEBP", lossless=True, exact=True),
    "gif": encoded.written(palette(PHOTO), "GIF"),
    "gif-clear": encoded.written(see_through_palette(), "GIF", transparency=7),
    "gif-interlaced": encoded.written(palette(PHOTO), "GIF", interlace=1),
    "tiff-rgb": encoded.saved(PHOTO, "TIFF"),
    "tiff-rgba": encoded.saved(ALPHA, "TIFF"),
    "tiff-gray": encoded.saved(GRAY, "TIFF"),
    "tiff-palette": encoded.written(palette(PHOTO), "TIFF"),
    "tiff-1-bit": encoded.written(Image.fromarray(GRAY).convert("1"), "TIFF"),
    "tiff-lzw": encoded.saved(PHOTO, "TIFF", compression="tiff_lzw"),
    "tiff-deflate": encoded.saved(PHOTO, "TIFF", compression="tiff_adobe_deflate"),
    "bmp-rgb": encoded.saved(PHOTO, "BMP"),
    "bmp-32-bit": encoded.saved(ALPHA, "BMP"),
    "bmp-palette": encoded.written(palette(PHOTO), "BMP"),
    "bmp-gray": encoded.saved(GRAY, "BMP"),
    "bmp-1-bit": encoded.written(Image.fromarray(GRAY).convert("1"), "BMP"),
}


@pytest.mark.parametrize("name", LOSSLESS)
def test_lossless_sources_come_out_exactly(name: str) -> None:
    actual, expected = array(LOSSLESS[name]), encoded.pixels(LOSSLESS[name])
    if expected.shape[2] == 4:
        # What a fully clear pixel hides has no meaning.
        assert np.array_equal(actual[..., 3], expected[..., 3])
        actual, expected = actual * (actual[..., 3:] > 0), expected * (expected[..., 3:] > 0)
    assert np.array_equal(actual, expected)


@pytest.mark.parametrize(
    ("kind", "picture", "options"),
    [
        ("JPEG", PHOTO, {"quality": 91, "subsampling": 0}),
        ("JPEG", PHOTO, {"quality": 83, "subsampling": 2}),
        ("JPEG", PHOTO, {"quality": 83, "progressive": True}),
        ("JPEG", GRAY, {"quality": 83}),
        ("WEBP", PHOTO, {"quality": 83}),
        ("WEBP", ALPHA, {"quality": 83}),
        ("AVIF", PHOTO, {"quality": 83}),
        ("AVIF", ALPHA, {"quality": 83}),
        ("TIFF", PHOTO, {"compression": "jpeg"}),
    ],
)
def test_lossy_sources_come_out_as_pillow_decodes_them(kind: str, picture: np.ndarray, options: dict[str, Any]) -> None:
    data = encoded.saved(picture, kind, **options)
    found = delta(array(data), encoded.pixels(data))
    # Decoders may differ in how they enlarge chroma and round.
    assert found.mean() < 0.5
    assert np.percentile(found, 99) <= 4


@pytest.mark.parametrize("bands", [1, 2, 3, 4])
@pytest.mark.parametrize("saver", ["pngsave_buffer", "tiffsave_buffer"])
def test_sixteen_bits_are_rounded_to_eight(bands: int, saver: str) -> None:
    deep = (ALPHA[..., :bands] if bands > 2 else ALPHA[..., 4 - bands :]).astype(np.uint16) * 257
    kind = "grey16" if bands < 3 else "rgb16"
    data = getattr(pyvips.Image.new_from_array(deep).copy(interpretation=kind), saver)()
    found = array(data)
    expected = (deep / 257).reshape(*deep.shape[:2], -1)
    color, alpha = (expected[..., : 1 if bands < 3 else 3], expected[..., 3 if bands > 2 else 1 :])
    wanted = np.concatenate([np.broadcast_to(color, (*color.shape[:2], 3)), alpha], axis=-1)
    assert delta(found, wanted).max() <= 1


def test_float_tiff() -> None:
    linear = np.where(PHOTO / 255 <= 0.04045, PHOTO / 255 / 12.92, ((PHOTO / 255 + 0.055) / 1.055) ** 2.4)
    data = pyvips.Image.new_from_array(linear.astype(np.float32)).copy(interpretation="scrgb").tiffsave_buffer()
    assert delta(array(data), PHOTO).max() <= 1


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF", "WEBP"])
@pytest.mark.parametrize(
    ("primaries", "gamma"), [(colors.DISPLAY_P3, 2.2), (colors.ADOBE_RGB, 2.19921875)], ids=["p3", "adobe-rgb"]
)
def test_wide_gamut_becomes_srgb(kind: str, primaries: np.ndarray, gamma: float) -> None:
    options = {"PNG": {}, "TIFF": {}, "WEBP": {"lossless": True}, "JPEG": {"quality": 100, "subsampling": 0}}[kind]
    data = encoded.saved(PHOTO, kind, icc_profile=encoded.matrix_profile(primaries, gamma), **options)
    found = delta(array(data), colors.to_srgb(encoded.pixels(data), primaries, gamma))
    assert found.mean() < 1
    assert np.percentile(found, 99) <= 4


def test_a_wide_gamut_keeps_its_alpha() -> None:
    data = encoded.saved(ALPHA, "PNG", icc_profile=encoded.matrix_profile(colors.DISPLAY_P3, 2.2))
    found = array(data)
    assert np.array_equal(found[..., 3], ALPHA[..., 3])
    assert delta(found[..., :3], colors.to_srgb(ALPHA[..., :3], colors.DISPLAY_P3, 2.2)).mean() < 1


def test_an_unfit_profile_is_ignored() -> None:
    assert np.array_equal(array(encoded.saved(PHOTO, "PNG", icc_profile=b"junk" * 50)), PHOTO)


PRESS = bytes(pyvips.Operation.call("profile_load", "cmyk"))


@pytest.mark.parametrize("kind", ["JPEG", "TIFF"])
@pytest.mark.parametrize("is_tagged", [True, False])
def test_cmyk_through_its_profile_or_the_press_profile(kind: str, is_tagged: bool) -> None:
    options = {"quality": 95} if kind == "JPEG" else {}
    data = cmyk(kind, **options, **({"icc_profile": PRESS} if is_tagged else {}))
    # Pillow writes Adobe's inverted CMYK to a JPEG, and turns it back on reading.
    expected = ImageCms.profileToProfile(
        encoded.opened(data),
        ImageCms.ImageCmsProfile(io.BytesIO(PRESS)),
        ImageCms.createProfile("sRGB"),
        renderingIntent=ImageCms.Intent.PERCEPTUAL,
        outputMode="RGB",
    )
    assert expected is not None
    found = delta(array(data), np.asarray(expected))
    assert found.mean() < 2
    assert np.percentile(found, 99) <= 8


def test_a_profile_of_another_color_space_falls_back() -> None:
    right = array(cmyk("JPEG", quality=95))
    wrong = array(cmyk("JPEG", quality=95, icc_profile=encoded.matrix_profile(colors.DISPLAY_P3, 2.2)))
    assert delta(right, wrong).mean() < 1


def oriented(kind: str, orientation: int, side_is_divisible: bool = False) -> bytes:
    picture = PHOTO[:144, :216] if side_is_divisible else PHOTO
    options: dict[str, Any] = {"JPEG": {"quality": 96, "subsampling": 0}, "WEBP": {"lossless": True}}.get(kind, {})
    return encoded.saved(picture, kind, exif=encoded.exif(Orientation=orientation), **options)


@pytest.mark.parametrize("kind", ["JPEG", "WEBP", "TIFF", "PNG"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_orientation_is_made_upright(kind: str, orientation: int) -> None:
    data = oriented(kind, orientation)
    found = delta(array(data), encoded.pixels(data))
    assert found.mean() < (0.5 if kind == "JPEG" else 1e-9)


@pytest.mark.parametrize(("kind", "shrink"), [("JPEG", 2), ("JPEG", 4), ("JPEG", 8), ("WEBP", 3), ("WEBP", 8)])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_orientation_is_made_upright_after_a_shrink(kind: str, shrink: int, orientation: int) -> None:
    data = oriented(kind, orientation, side_is_divisible=True)
    found = delta(array(data, shrink), np.asarray(Image.fromarray(encoded.pixels(data)).reduce(shrink)))
    assert found.mean() < 3


@pytest.mark.parametrize("shrink", [2, 4, 8])
def test_the_size_of_a_shrunk_jpeg_is_rounded_up(shrink: int) -> None:
    assert array(encoded.saved(PHOTO, "JPEG"), shrink).shape == (-(-149 // shrink), -(-217 // shrink), 3)


@pytest.mark.parametrize(("kind", "shrink"), [*itertools.product(["JPEG", "WEBP"], [1, 2, 8]), ("PNG", 1)])
def test_the_rows_that_are_looked_at_are_right(kind: str, shrink: int) -> None:
    data = encoded.saved(pictures.photo(121, 473), kind)
    header = read_header(data, Limits())
    (image,) = decode(data, header, Amount(shrink, 23, 1), Limits()).frames
    assert np.array_equal(image.numpy()[:23], array(data, shrink)[:23])


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "GIF", "AVIF", "HEIF", "TIFF", "BMP", "JPEG"])
def test_a_truncated_file_is_shown_with_a_warning_or_refused(kind: str) -> None:
    if kind == "HEIF":
        pytest.importorskip("pillow_heif", reason=NO_HEIC).register_heif_opener()
    data = encoded.saved(PHOTO, kind)
    for share in (0.3, 0.6, 0.9):
        try:
            read = decoded(data[: int(len(data) * share)])
            pixels = [frame.numpy() for frame in read.frames]
        except (ImageplaneError, pyvips.Error):
            continue
        assert read.warnings
        assert pixels[0].shape[:2] == (149, 217)


def test_only_a_jpeg_may_be_shown_in_part() -> None:
    jpeg = encoded.saved(PHOTO, "JPEG")
    assert decoded(jpeg[: len(jpeg) // 2]).warnings
    bmp = encoded.saved(PHOTO, "BMP")
    with pytest.raises(UndecodableImage):
        decoded(bmp[: len(bmp) // 2])


@pytest.mark.parametrize("kind", ["GIF", "WEBP"])
def test_every_frame_of_an_animation_is_whole(kind: str) -> None:
    frames = [np.asarray(palette(np.roll(PHOTO, 13 * shift, axis=1)).convert("RGB")) for shift in range(4)]
    data = encoded.animation(frames, kind, [70, 130, 40, 90])
    read = decoded(data, frames=4)
    for frame, expected in zip(read.frames, encoded.frames(data), strict=True):
        found = frame.numpy()
        assert np.array_equal(found[..., :3], expected[..., :3])
    assert len(decoded(data, frames=2).frames) == 2
