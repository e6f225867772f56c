"""The fast JPEG path: same pixels as Pillow's libjpeg, awkward sizes, odd color spaces, damaged files."""

import io
from pathlib import Path
from typing import Any

import numpy
import pytest
import simplejpeg
from numpy.typing import NDArray
from PIL import Image

from imageplane.codecs.jpeg import SHRINKS, decode_jpeg, is_fast_jpeg
from imageplane.errors import UndecodableImage

Pixels = NDArray[numpy.uint8]
WIDTH, HEIGHT = 473, 121


def photo(width: int = WIDTH, height: int = HEIGHT) -> Image.Image:
    """Give smooth color with noise on it, so that no coefficient of a block is idle."""
    across = numpy.linspace(0, 1, width)[None, :, None]
    down = numpy.linspace(0, 1, height)[:, None, None]
    smooth = 127 + 90 * numpy.sin(numpy.array([5.0, 7.0, 11.0]) * across + 4 * down)
    noise = numpy.random.default_rng(7).normal(0, 18, (height, width, 3))
    return Image.fromarray(numpy.clip(smooth + noise, 0, 255).astype(numpy.uint8))


def jpeg(picture: Image.Image, **options: Any) -> bytes:
    held = io.BytesIO()
    picture.save(held, "JPEG", **options)
    return held.getvalue()


def pillow_pixels(data: bytes, shrink: int) -> Pixels:
    picture = Image.open(io.BytesIO(data))
    if shrink > 1:
        picture.draft(picture.mode, (picture.width // shrink, picture.height // shrink))
    pixels = numpy.asarray(picture)
    return pixels if pixels.ndim == 3 else pixels[:, :, None]


@pytest.mark.parametrize("shrink", SHRINKS)
@pytest.mark.parametrize("subsampling", ["4:4:4", "4:2:2", "4:2:0"])
@pytest.mark.parametrize("progressive", [False, True])
def test_pixels_are_those_of_a_plain_decode(progressive: bool, subsampling: str, shrink: int) -> None:
    data = jpeg(photo(), quality=92, subsampling=subsampling, progressive=progressive)
    pixels, damaged = decode_jpeg(data, shrink)
    assert pixels.shape == (-(-HEIGHT // shrink), -(-WIDTH // shrink), 3)
    assert not damaged
    numpy.testing.assert_array_equal(pixels, pillow_pixels(data, shrink))


@pytest.mark.parametrize("shrink", SHRINKS)
@pytest.mark.parametrize("subsampling", ["440", "411"])
def test_rare_subsampling(subsampling: str, shrink: int) -> None:
    data = simplejpeg.encode_jpeg(numpy.asarray(photo()), quality=90, colorsubsampling=subsampling)
    numpy.testing.assert_array_equal(decode_jpeg(data, shrink)[0], pillow_pixels(data, shrink))


@pytest.mark.parametrize("shrink", SHRINKS)
def test_gray_has_one_band(shrink: int) -> None:
    data = jpeg(photo().convert("L"))
    pixels, _ = decode_jpeg(data, shrink)
    assert pixels.shape[2] == 1
    numpy.testing.assert_array_equal(pixels, pillow_pixels(data, shrink))


@pytest.mark.parametrize("shrink", SHRINKS)
def test_three_components_marked_as_rgb_are_not_taken_for_ycbcr(shrink: int) -> None:
    red = Image.new("RGB", (WIDTH, HEIGHT), (200, 30, 10))
    pixels, _ = decode_jpeg(jpeg(red, quality=95, keep_rgb=True), shrink)
    assert numpy.abs(pixels.reshape(-1, 3).mean(0) - (200, 30, 10)).max() < 2


@pytest.mark.parametrize("size", [(1, 1), (1, 9), (9, 1), (7, 8), (16, 17), (2, 400)])
@pytest.mark.parametrize("shrink", SHRINKS)
def test_small_sizes_round_up(size: tuple[int, int], shrink: int) -> None:
    pixels, _ = decode_jpeg(jpeg(photo(*size)), shrink)
    assert pixels.shape == (-(-size[1] // shrink), -(-size[0] // shrink), 3)


@pytest.mark.parametrize("shrink", SHRINKS)
@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"restart_marker_rows": 1}], ids=str)
@pytest.mark.parametrize("subsampling", ["4:4:4", "4:2:2", "4:2:0"])
def test_rows_from_the_top_are_the_same_rows(subsampling: str, options: dict[str, Any], shrink: int) -> None:
    data = jpeg(photo(height=473), quality=92, subsampling=subsampling, **options)
    whole, _ = decode_jpeg(data, shrink)
    for rows in (1, 5, 17, len(whole) - 1, len(whole), len(whole) + 9):
        top, damaged = decode_jpeg(data, shrink, rows=rows)
        assert top.shape == whole.shape
        numpy.testing.assert_array_equal(top[:rows], whole[:rows])
        assert not damaged


def test_a_truncated_file_shows_its_upper_part() -> None:
    data = jpeg(photo(), quality=92)
    pixels, damaged = decode_jpeg(data[: len(data) * 2 // 3], 1)
    assert damaged
    numpy.testing.assert_array_equal(pixels[:60], decode_jpeg(data, 1)[0][:60])


@pytest.mark.parametrize("shrink", SHRINKS)
def test_a_truncated_progressive_file_shows_a_picture(shrink: int) -> None:
    data = jpeg(photo(), quality=92, progressive=True)
    pixels, damaged = decode_jpeg(data[: len(data) // 2], shrink)
    assert damaged
    whole = decode_jpeg(data, shrink)[0].astype(int)
    assert numpy.abs(pixels - whole).mean() < 12


def test_bytes_in_the_way_are_damage_not_an_error() -> None:
    data = bytearray(jpeg(photo(), quality=92))
    data[len(data) // 2 : len(data) // 2 + 40] = b"\xff\x00" * 20
    assert decode_jpeg(bytes(data), 2)[0].shape == (61, 237, 3)


def test_a_missing_end_marker_is_damage() -> None:
    assert decode_jpeg(jpeg(photo())[:-2], 1)[1]


@pytest.mark.parametrize(
    "data",
    [b"", b"\xff\xd8", b"\xff\xd8\xff\xd9", b"not a jpeg", jpeg(photo())[:200], b"\xff\xd8\xff\xc0\x00\x04\x08\x00"],
    ids=["empty", "start only", "no frame", "text", "headers only", "short frame"],
)
def test_what_shows_no_picture_is_refused(data: bytes) -> None:
    with pytest.raises(UndecodableImage):
        decode_jpeg(data, 1)


def test_only_powers_of_two_up_to_eight() -> None:
    with pytest.raises(ValueError, match="shrink"):
        decode_jpeg(jpeg(photo()), 3)


def test_what_is_fast() -> None:
    cmyk = jpeg(photo().convert("CMYK"))
    plain = jpeg(photo())
    frame = plain.index(b"\xff\xc0")
    assert is_fast_jpeg(plain)
    assert is_fast_jpeg(jpeg(photo().convert("L"), progressive=True))
    assert not is_fast_jpeg(cmyk)
    assert not is_fast_jpeg(plain[: frame + 4] + b"\x0c" + plain[frame + 5 :])
    assert not any(is_fast_jpeg(plain[: frame + 1] + bytes([sof]) + plain[frame + 2 :]) for sof in (0xC3, 0xC9, 0xCA))
    with pytest.raises(UndecodableImage):
        decode_jpeg(cmyk, 1)


@pytest.mark.corpus("speed", "*.jpg")
def test_photos_decode_as_pillow_decodes_them(row: dict[str, str]) -> None:
    data = Path(row["path"]).read_bytes()
    for shrink in (4, 8):
        numpy.testing.assert_array_equal(decode_jpeg(data, shrink)[0], pillow_pixels(data, shrink))
