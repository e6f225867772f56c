"""What a header says, and the limits that are held before any pixel is decoded."""

import contextlib
import re
import struct
from pathlib import Path
from typing import Any

import encoded
import numpy as np
import pictures
import pytest
import pyvips
from absent import NO_HEIC
from PIL import Image

from imageplane.codecs.header import Header, read_header
from imageplane.errors import ImageplaneError, ImageTooLarge, TooLarge, UndecodableImage, UnsupportedFormat
from imageplane.limits import Limits

PHOTO, ALPHA = pictures.photo(), pictures.alpha()
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d"/>'


def header(data: bytes, **limits: int) -> Header:
    return read_header(data, Limits(**limits))


@pytest.mark.parametrize(
    ("kind", "array", "name", "has_alpha"),
    [
        ("JPEG", PHOTO, "jpeg", False),
        ("JPEG", PHOTO[..., 0], "jpeg", False),
        ("PNG", PHOTO, "png", False),
        ("PNG", ALPHA, "png", True),
        ("PNG", PHOTO[..., 0], "png", False),
        ("PNG", ALPHA[..., 2:], "png", True),
        ("WEBP", PHOTO, "webp", False),
        ("WEBP", ALPHA, "webp", True),
        ("GIF", PHOTO, "gif", False),
        ("AVIF", PHOTO, "avif", False),
        ("AVIF", ALPHA, "avif", True),
        ("TIFF", PHOTO, "tiff", False),
        ("TIFF", ALPHA, "tiff", True),
        ("BMP", PHOTO, "bmp", False),
        # Without a mask for it the fourth byte of a BMP is padding.
        ("BMP", ALPHA, "bmp", False),
    ],
)
def test_of_every_format(kind: str, array: np.ndarray, name: str, has_alpha: bool) -> None:
    data = encoded.saved(array, kind)
    found = header(data)
    assert (found.format, found.size, found.size_in_bytes) == (name, (217, 149), len(data))
    assert (found.frames, found.orientation, found.is_progressive) == (1, 1, False)
    assert found.has_alpha is has_alpha


def test_of_an_svg() -> None:
    found = header(SVG % (121, 473))
    assert (found.format, found.size, found.is_vector, found.has_alpha) == ("svg", (121, 473), True, True)


def test_progressive_is_told() -> None:
    assert header(encoded.saved(PHOTO, "JPEG", progressive=True)).is_progressive


def test_sixteen_bits_and_cmyk_need_conversion() -> None:
    deep = pyvips.Image.new_from_array(PHOTO.astype(np.uint16) * 257).copy(interpretation="rgb16")
    assert not header(deep.pngsave_buffer()).is_srgb
    assert not header(encoded.written(Image.fromarray(PHOTO).convert("CMYK"), "JPEG")).is_srgb
    assert header(encoded.saved(PHOTO, "PNG")).is_srgb
    assert header(encoded.saved(PHOTO[..., 0], "PNG")).is_srgb


@pytest.mark.parametrize("kind", ["JPEG", "WEBP", "TIFF", "PNG"])
@pytest.mark.parametrize("orientation", [*range(1, 9)])
def test_the_size_is_upright(kind: str, orientation: int) -> None:
    found = header(encoded.saved(PHOTO, kind, exif=encoded.exif(Orientation=orientation)))
    assert found.size == ((149, 217) if orientation > 4 else (217, 149))
    assert found.orientation == orientation


@pytest.mark.parametrize("orientation", [0, 9, 65535])
def test_an_orientation_that_does_not_exist_turns_nothing(orientation: int) -> None:
    found = header(encoded.saved(PHOTO, "JPEG", exif=encoded.exif(Orientation=orientation)))
    assert found.size == (217, 149)


@pytest.mark.parametrize("kind", ["GIF", "WEBP"])
@pytest.mark.parametrize("loop", [0, 3])
def test_frames_delays_and_loop_of_an_animation(kind: str, loop: int) -> None:
    frames = [np.roll(PHOTO, 13 * shift, axis=1) for shift in range(3)]
    found = header(encoded.animation(frames, kind, [70, 130, 40], loop=loop))
    assert (found.size, found.frames, found.delays_in_ms) == ((217, 149), 3, (70, 130, 40))
    # A GIF counts repetitions after the first time, a WebP counts times.
    assert found.loop == (0 if not loop else loop + 1 if kind == "GIF" else loop)


def test_only_what_shrinks_exactly_may_shrink() -> None:
    assert header(encoded.saved(PHOTO, "JPEG")).shrinks() == (8, 4, 2)
    assert max(header(encoded.saved(PHOTO, "WEBP")).shrinks()) > 8
    assert header(encoded.animation([PHOTO, PHOTO[::-1]], "WEBP", [40, 40])).shrinks() == ()
    assert header(encoded.saved(PHOTO, "PNG")).shrinks() == ()


@pytest.mark.parametrize("shrink", [1, 2, 4, 8])
def test_a_shrunk_jpeg_ends_within_its_last_pixel(shrink: int) -> None:
    assert header(encoded.saved(PHOTO, "JPEG")).extent_after(shrink) == (217 / shrink, 149 / shrink)


def jpeg_claiming(width: int, height: int) -> bytes:
    data = bytearray(encoded.saved(PHOTO[:8, :8], "JPEG"))
    at = data.index(b"\xff\xc0") + 5
    data[at : at + 4] = struct.pack(">HH", height, width)
    return bytes(data)


def bmp_claiming(width: int, height: int) -> bytes:
    data = bytearray(encoded.saved(PHOTO[:8, :8], "BMP"))
    data[18:26] = struct.pack("<ii", width, height)
    return bytes(data)


def webp_claiming(width: int, height: int) -> bytes:
    data = bytearray(encoded.saved(PHOTO[:8, :8], "WEBP"))
    at = data.index(b"\x9d\x01\x2a") + 3
    data[at : at + 4] = struct.pack("<HH", width, height)
    return bytes(data)


def tiff_claiming(width: int, height: int) -> bytes:
    return encoded.saved(PHOTO[:8, :8], "TIFF").replace(
        struct.pack("<HHII", 256, 4, 1, 8) + struct.pack("<HHII", 257, 4, 1, 8),
        struct.pack("<HHII", 256, 4, 1, width) + struct.pack("<HHII", 257, 4, 1, height),
    )


def svg_claiming(width: int, height: int) -> bytes:
    return SVG % (width, height)


BOMBS: dict[str, tuple[Any, int]] = {
    "png": (encoded.png_claiming, 65_535),
    "gif": (encoded.gif_claiming, 65_535),
    "jpeg": (jpeg_claiming, 65_500),
    "bmp": (bmp_claiming, 65_535),
    "webp": (webp_claiming, 16_383),
    "tiff": (tiff_claiming, 65_535),
    "svg": (svg_claiming, 65_535),
}


@pytest.mark.parametrize("name", BOMBS)
@pytest.mark.timeout(5)
def test_a_header_that_claims_too_many_pixels_is_refused_without_memory(name: str) -> None:
    make, side = BOMBS[name]
    data = make(side, side)
    assert len(data) < 1500
    peak_memory_in_bytes()
    before = peak_memory_in_bytes()
    with pytest.raises(ImageTooLarge) as caught:
        header(data)
    assert caught.value.status == 413
    assert "pixels" in caught.value.message
    assert peak_memory_in_bytes() - before < 10_000_000


def peak_memory_in_bytes() -> int:
    """Give the most memory that this process ever held, reckoned from what it holds now where the system can."""
    status, reset = Path("/proc/self/status"), Path("/proc/self/clear_refs")
    if not status.exists():
        return 0
    peak = re.search(r"VmHWM:\s+(\d+)", status.read_text())
    with contextlib.suppress(OSError):
        reset.write_text("5")
    return int(peak[1]) * 1024 if peak else 0


@pytest.mark.parametrize("name", BOMBS)
def test_the_pixel_limit_is_exact(name: str) -> None:
    make, _ = BOMBS[name]
    with pytest.raises(ImageTooLarge, match=r"1×1|31×17"):
        header(make(31, 17), max_pixels=31 * 17 - 1)
    assert header(make(31, 17), max_pixels=31 * 17).size == (31, 17)


def test_the_byte_limit_is_exact() -> None:
    data = encoded.saved(PHOTO, "PNG")
    assert header(data, max_source_in_bytes=len(data))
    with pytest.raises(TooLarge) as caught:
        header(data, max_source_in_bytes=len(data) - 1)
    assert (caught.value.status, caught.value.code) == (413, "too_large")


@pytest.mark.parametrize(
    ("limits", "frames", "is_fine"),
    [
        ({"max_frames": 7}, 7, True),
        ({"max_frames": 7}, 8, False),
        ({"max_total_pixels": 7 * 121 * 83}, 7, True),
        ({"max_total_pixels": 7 * 121 * 83 - 1}, 7, False),
        ({"max_pixels": 121 * 83}, 1, True),
        ({"max_pixels": 121 * 83 - 1}, 1, False),
        # One frame is no animation.
        ({"max_total_pixels": 1, "max_frames": 1}, 1, True),
    ],
)
def test_limits_of_animations(limits: dict[str, int], frames: int, is_fine: bool) -> None:
    held = Limits(**limits)
    if is_fine:
        held.check_pixels(121, 83, frames)
    else:
        with pytest.raises(ImageTooLarge):
            held.check_pixels(121, 83, frames)


def test_empty_and_unknown_files() -> None:
    with pytest.raises(UndecodableImage, match="empty"):
        header(b"")
    for junk in (b"\0", b"hello", b"%PDF-1.7 and more", bytes(4096)):
        with pytest.raises(UnsupportedFormat) as caught:
            header(junk)
        assert caught.value.status == 400


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF", "AVIF", "HEIF", "TIFF", "BMP"])
def test_a_file_cut_anywhere_in_its_header_is_refused_or_read(kind: str, heif: None) -> None:  # noqa: ARG001
    data = encoded.saved(PHOTO, kind)
    for length in (1, 3, 8, 11, 12, 16, 20, 26, 30, 33, 54, 80, 137, 211, 331):
        try:
            found = header(data[:length])
        except ImageplaneError as error:
            assert error.status in (400, 413, 422)  # noqa: PT017
            assert_clear(error.message)
        else:
            assert found.size == (217, 149)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF", "AVIF", "HEIF", "TIFF", "BMP"])
def test_a_header_with_flipped_bytes_is_refused_or_read(kind: str, heif: None) -> None:  # noqa: ARG001
    data = encoded.saved(PHOTO, kind)
    chance = np.random.default_rng(473)
    for _ in range(60):
        lying = bytearray(data)
        for at in chance.integers(0, min(len(data), 200), 3):
            lying[at] = chance.integers(0, 256)
        try:
            header(bytes(lying))
        except ImageplaneError as error:
            assert error.status in (400, 413, 422)  # noqa: PT017
            assert_clear(error.message)


def assert_clear(message: str) -> None:
    assert len(message) < 200
    assert "\n" not in message
    assert not any(word in message for word in ("VipsJpeg", "vips", "Traceback", "0x", "<_io"))


@pytest.fixture
def heif() -> None:
    """Let Pillow write HEIF."""
    pytest.importorskip("pillow_heif", reason=NO_HEIC).register_heif_opener()
