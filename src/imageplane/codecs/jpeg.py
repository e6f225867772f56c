"""Fast JPEG decoding at a power-of-two fraction of its size, straight into a NumPy array."""

import numpy
import simplejpeg
from numpy.typing import NDArray

from imageplane.codecs.jpeg_eighth import fill_eighth
from imageplane.codecs.jpeg_markers import BASELINE, EXTENDED, PROGRESSIVE, Frame, read_frame
from imageplane.codecs.jpeg_progressive import without_luma_detail
from imageplane.errors import UndecodableImage

SHRINKS = (1, 2, 4, 8)

_NOT_A_PICTURE = "The file is not a JPEG that can be decoded."
# The only warning of a sound file whose frame was cut short: the rows below it are still in the stream.
_LEAST_READABLE_SHARE = 0.05
_ROWS_LEFT_OVER = "extraneous bytes before marker"


def is_fast_jpeg(data: bytes) -> bool:
    """Tell whether `decode_jpeg` takes this file: 8-bit, Huffman-coded, gray or of three components.

    CMYK, YCCK, lossless, arithmetic and 12-bit files are for libvips.
    """
    frame = read_frame(data)
    return frame is not None and _is_fast(frame)


def decode_jpeg(data: bytes, shrink: int, *, rows: int | None = None) -> tuple[NDArray[numpy.uint8], bool]:
    """Decode a JPEG at 1/`shrink` of its size, upright or not as it is stored, without color management.

    Takes: `shrink` of 1, 2, 4 or 8; `rows`, how many rows of the result, from the top, are looked at: a crop that
    needs nothing below them saves the time of decoding it. The array keeps its full height, so that no coordinate
    changes; what is in it below `rows` has no meaning.

    Gives: (H, W, 3) RGB or (H, W, 1) gray in the file's own color space, H and W the full size over `shrink`
    rounded up; and whether the file is damaged but still shows a picture, as a browser would show it. What a
    truncated file does not say is gray or black, never memory left over from another image.

    Method: libjpeg-turbo's scaled inverse DCT. At 1/8 what cannot matter is passed over: of a baseline file by our own
    decoder, of a progressive one by leaving scans out. Pixels are the same as of a plain decode.

    Errors: `undecodable_image`.
    """
    frame = read_frame(data)
    if frame is None or not _is_fast(frame):
        raise UndecodableImage(_NOT_A_PICTURE)
    if shrink not in SHRINKS:
        raise ValueError(f"shrink must be one of {SHRINKS}, not {shrink}")
    shape = (-(-frame.height // shrink), -(-frame.width // shrink), len(frame.components))
    if shrink == 8 and frame.marker != PROGRESSIVE:
        pixels = numpy.zeros(shape, numpy.uint8)
        if fill_eighth(pixels, data, shape[0] if rows is None else rows):
            return pixels, False
    stream = (without_luma_detail(data) if shrink == 8 else None) or data
    height = _height_to_decode(frame, shrink, rows)
    is_cut = height < frame.height
    if is_cut:
        stream = _with_height(stream, height)
    return _decode(stream, shape, -(-height // shrink), is_cut=is_cut)


def _is_fast(frame: Frame) -> bool:
    return (
        frame.marker in (BASELINE, EXTENDED, PROGRESSIVE)
        and frame.precision_in_bits == 8
        and len(frame.components) in (1, 3)
    )


def _height_to_decode(frame: Frame, shrink: int, rows: int | None) -> int:
    if rows is None:
        return frame.height
    # Upsampling looks one row of blocks further down.
    row_of_blocks = 8 * frame.largest_vertical
    return min(frame.height, (-(-rows * shrink // row_of_blocks) + 1) * row_of_blocks)


def _with_height(stream: bytes, height: int) -> bytes:
    frame = read_frame(stream)
    if frame is None:
        raise UndecodableImage(_NOT_A_PICTURE)
    return stream[: frame.height_at] + height.to_bytes(2, "big") + stream[frame.height_at + 2 :]


def _decode(
    stream: bytes, shape: tuple[int, int, int], rows: int, *, is_cut: bool
) -> tuple[NDArray[numpy.uint8], bool]:
    pixels = numpy.zeros(shape, numpy.uint8)
    try:
        _fill(pixels[:rows], stream, strict=True)
    except ValueError as fault:
        # libjpeg reports a warning after it has written every row.
        if is_cut and _ROWS_LEFT_OVER in str(fault):
            return pixels, False
    else:
        return pixels, False
    pixels = numpy.zeros(shape, numpy.uint8)
    try:
        _fill(pixels[:rows], stream, strict=False)
    except (ValueError, KeyError) as fault:
        raise UndecodableImage(_NOT_A_PICTURE, detail=str(fault)) from fault
    if not pixels.any():
        raise UndecodableImage(_NOT_A_PICTURE, detail="not one row was decoded")
    if 0 < _readable_share(pixels[:rows]) < _LEAST_READABLE_SHARE:
        raise UndecodableImage("The JPEG is cut short: almost nothing of the picture is there.")
    return pixels, True


def _readable_share(pixels: NDArray[numpy.uint8]) -> float:
    """Give the share of rows above the single color with which libjpeg fills what a truncated file does not say."""
    differs = (pixels != pixels[-1, 0]).any(axis=(1, 2))
    return float(numpy.flatnonzero(differs)[-1] + 1) / len(pixels) if differs.any() else 0.0


def _fill(pixels: NDArray[numpy.uint8], stream: bytes, *, strict: bool) -> None:
    height, width, bands = pixels.shape
    simplejpeg.decode_jpeg(
        stream, "GRAY" if bands == 1 else "RGB", min_height=height, min_width=width, buffer=pixels, strict=strict
    )
