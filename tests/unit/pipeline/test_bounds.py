"""What could be made too large, or fail in a way that names nothing, is refused with its place in the request."""

import io
import struct
from typing import Any

import encoded
import numpy as np
import pictures
import pytest
from absent import NO_HEIC
from PIL import Image

from imageplane.codecs.heif import encode_heif, is_heic_available
from imageplane.deadline import Deadline
from imageplane.errors import ImageplaneError, ImageTooLarge, UnencodableImage, UnsupportedFormat
from imageplane.operations import parse
from imageplane.pipeline import Execution, Options, Output, execute

PHOTO = pictures.photo()


def made(data: bytes, *operations: dict[str, Any], options: Options | None = None) -> Execution:
    return execute(data, [Output("image", parse(list(operations))[0])], options or Options(), Deadline())


@pytest.mark.parametrize(
    ("operations", "place"),
    [
        ([{"type": "smart_crop", "width_in_px": 10, "height_in_px": 60_000}], 0),
        ([{"type": "resize", "width_in_px": 60_000, "height_in_px": 10, "fit": "cover", "position": "smart_crop"}], 0),
        ([{"type": "flip"}, {"type": "resize", "width_in_px": 1, "height_in_px": 65_000, "fit": "cover"}], 1),
        ([{"type": "trim", "threshold": 3}, {"type": "smart_crop", "width_in_px": 30_000, "height_in_px": 30_000}], 1),
        ([{"type": "trim", "threshold": 3}, {"type": "extend", "top_in_px": 60_000, "bottom_in_px": 60_000,
           "left_in_px": 60_000, "right_in_px": 60_000, "hex_color": "fff"}], 1),
    ],
)  # fmt: skip
def test_a_result_that_passes_through_something_huge(operations: list[dict[str, Any]], place: int) -> None:
    with pytest.raises(ImageTooLarge) as caught:
        made(encoded.saved(PHOTO, "PNG"), *operations)
    assert caught.value.faults[0].path == f"operations[{place}]"


def test_heic_that_is_turned_off_is_not_written() -> None:
    with pytest.raises(UnsupportedFormat) as caught:
        made(
            encoded.saved(PHOTO, "PNG"),
            {"type": "flip"},
            {"type": "convert", "format": "heif"},
            options=Options(is_heic_enabled=False),
        )
    assert caught.value.faults[0].path == "operations[1]"


def test_a_format_that_cannot_hold_the_result_names_what_chose_it() -> None:
    wide = {"type": "resize", "width_in_px": 17_000, "height_in_px": 5, "fit": "fill"}
    with pytest.raises(UnencodableImage) as caught:
        made(encoded.saved(PHOTO, "PNG"), wide, {"type": "convert", "format": "webp"})
    assert caught.value.faults[0].path == "operations[1]"


@pytest.mark.parametrize("size", [(0, 0), (0, 9), (16_000, 16_000), (60_000, 60_000)])
@pytest.mark.parametrize("name", ["AVIF", "HEIF"])
def test_a_header_that_lies_about_the_size(name: str, size: tuple[int, int]) -> None:
    if name == "HEIF" and not is_heic_available():
        pytest.skip(NO_HEIC)
    data = encode_heif(PHOTO, 60, None) if name == "HEIF" else encoded.saved(PHOTO, name)
    at = data.index(b"ispe") + 8
    lying = data[:at] + struct.pack(">II", *size) + data[at + 8 :]
    with pytest.raises(ImageplaneError) as caught:
        made(lying, {"type": "resize", "width_in_px": 9, "height_in_px": 9, "fit": "cover"})
    assert caught.value.status in (413, 422)


def test_a_flat_drawing_stretched_to_a_tower() -> None:
    svg = b'<svg xmlns="http://www.w3.org/2000/svg" width="1000" height="10"><rect width="500" height="10"/></svg>'
    done = made(svg, {"type": "resize", "width_in_px": 20, "height_in_px": 3000, "fit": "fill"})
    assert (done.pictures[0].width_in_px, done.pictures[0].height_in_px) == (20, 3000)


def test_a_cmyk_jpeg_that_is_cut_short_is_shown() -> None:
    buffer = io.BytesIO()
    Image.fromarray(PHOTO).convert("CMYK").save(buffer, "JPEG", quality=95)
    data = buffer.getvalue()
    done = made(data[: len(data) * 2 // 3], {"type": "convert", "format": "png"})
    assert done.warnings
    shown = np.asarray(encoded.opened(done.pictures[0].data).convert("RGB")).astype(int)
    assert np.abs(shown[:60] - PHOTO[:60].astype(int)).mean() < 40


def test_an_artist_of_any_name_is_kept() -> None:
    exif = Image.Exif()
    exif[encoded.ARTIST] = "Jürgen Ö".encode()
    buffer = io.BytesIO()
    Image.fromarray(PHOTO).save(buffer, "JPEG", exif=exif.tobytes())
    assert "Jürgen Ö".encode() in buffer.getvalue()
    done = made(buffer.getvalue(), {"type": "flip"}, options=Options(keep_copyright=True))
    assert "Jürgen Ö".encode() in done.pictures[0].data


def test_null_is_absent_and_a_whole_number_is_whole() -> None:
    done = made(
        encoded.saved(PHOTO, "PNG"),
        {"type": "resize", "width_in_px": 61.0, "height_in_px": 43, "fit": "contain", "hex_color": None},
    )
    assert (done.pictures[0].width_in_px, done.pictures[0].height_in_px) == (61, 43)
