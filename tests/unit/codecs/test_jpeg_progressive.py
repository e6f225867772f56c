"""Leaving scans out of a progressive JPEG must not change one pixel of the 1/8 decode."""

import io
from pathlib import Path
from typing import Any

import numpy
import pytest
import simplejpeg
from numpy.typing import NDArray
from PIL import Image

from imageplane.codecs.jpeg_markers import SOS, segments
from imageplane.codecs.jpeg_progressive import without_luma_detail

Pixels = NDArray[numpy.uint8]


def progressive(width: int, height: int, **options: Any) -> bytes:
    coarse = (height // 9 + 2, width // 9 + 2, 3)
    pixels = numpy.random.default_rng(width * height).integers(0, 256, coarse, numpy.uint8)
    picture = Image.fromarray(pixels).resize((width, height), Image.Resampling.BICUBIC)
    held = io.BytesIO()
    picture.convert(options.pop("mode", "RGB")).save(held, "JPEG", **{"quality": 90, "progressive": True, **options})
    return held.getvalue()


def eighth(data: bytes) -> Pixels:
    """Decode at 1/8, strictly: a warning of libjpeg is an error here."""
    height, width, space, _ = simplejpeg.decode_jpeg_header(data)
    pixels: Pixels = simplejpeg.decode_jpeg(
        data, "GRAY" if space == "Gray" else "RGB", min_height=-(-height // 8), min_width=-(-width // 8)
    )
    return pixels


def scans(data: bytes) -> list[bytes]:
    return [segment.payload for segment in segments(data) if segment.marker == SOS]


@pytest.mark.parametrize("size", [(121, 473), (473, 121), (64, 64), (65, 72), (1031, 777)], ids=str)
@pytest.mark.parametrize("subsampling", ["4:4:4", "4:2:2", "4:2:0"])
@pytest.mark.parametrize("restarts", [{}, {"restart_marker_blocks": 5}, {"restart_marker_rows": 1}], ids=str)
def test_pixels_are_identical(size: tuple[int, int], subsampling: str, restarts: dict[str, int]) -> None:
    data = progressive(*size, subsampling=subsampling, **restarts)
    less = without_luma_detail(data)
    assert less is not None
    assert len(less) < len(data)
    numpy.testing.assert_array_equal(eighth(less), eighth(data))


@pytest.mark.parametrize("options", [{"mode": "L"}, {"keep_rgb": True}], ids=str)
def test_gray_and_rgb_need_no_ac_at_all(options: dict[str, Any]) -> None:
    data = progressive(473, 121, **options)
    less = without_luma_detail(data)
    assert less is not None
    numpy.testing.assert_array_equal(eighth(less), eighth(data))


@pytest.mark.parametrize(("subsampling", "chroma_ac_scans"), [("4:2:0", 4), ("4:2:2", 0), ("4:4:4", 0)])
def test_only_what_upsampling_needs_is_kept(subsampling: str, chroma_ac_scans: int) -> None:
    less = without_luma_detail(progressive(473, 121, subsampling=subsampling))
    assert less is not None
    blank = 1 if chroma_ac_scans else 3
    assert sum(payload[-3] > 0 for payload in scans(less)) == chroma_ac_scans + blank


def test_a_run_longer_than_one_code_can_say() -> None:
    data = progressive(2200, 2200, quality=30)
    less = without_luma_detail(data)
    assert less is not None
    numpy.testing.assert_array_equal(eighth(less), eighth(data))


def test_unfinished_coefficients_are_left_to_libjpeg_to_smooth() -> None:
    data = progressive(473, 121)
    last_luma = [s for s in segments(data) if s.marker == SOS and s.payload[-3] > 0 and s.payload[1] == 1][-1]
    assert without_luma_detail(data[: last_luma.start] + data[last_luma.end :]) is None


@pytest.mark.parametrize("share", [0.02, 0.3, 0.6, 0.9, 0.999])
def test_truncated_files_are_left_alone(share: float) -> None:
    data = progressive(473, 121)
    assert without_luma_detail(data[: int(len(data) * share)]) is None


def test_other_layouts_are_left_alone() -> None:
    assert without_luma_detail(progressive(473, 121, progressive=False)) is None
    assert without_luma_detail(progressive(40, 400)) is None
    assert without_luma_detail(b"") is None
    assert without_luma_detail(b"\xff\xd8\xff\xd9") is None


def test_any_byte_may_be_wrong() -> None:
    data = progressive(121, 73)
    chance = numpy.random.default_rng(1)
    for _ in range(400):
        broken = bytearray(data)
        broken[int(chance.integers(len(data)))] = int(chance.integers(256))
        less = without_luma_detail(bytes(broken))
        assert less is None or less[:2] == b"\xff\xd8"


@pytest.mark.corpus("speed", "*_prog.jpg")
def test_photos(row: dict[str, str]) -> None:
    data = Path(row["path"]).read_bytes()
    less = without_luma_detail(data)
    assert less is not None
    assert len(less) < len(data) / 2
    numpy.testing.assert_array_equal(eighth(less), eighth(data))
