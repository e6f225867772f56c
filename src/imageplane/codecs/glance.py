"""What the first bytes of a source claim, read without any decoder: enough to guess what work on it costs.

Untrusted bytes are decoded in engines only; this looks at numbers in headers, believes them, and decides nothing but
in which line a request waits.
"""

import io
import math
from typing import Final

import imagesize

from imageplane.codecs.formats import InputFormat
from imageplane.codecs.header import Header
from imageplane.codecs.jpeg_markers import PROGRESSIVE, Frame, read_frame
from imageplane.codecs.sniff import sniff
from imageplane.pixels.geometry import Size

# What stands before frames: in GIF a graphic control extension, or else a descriptor at the top left corner.
_FRAME_MARKS: Final[dict[InputFormat, tuple[bytes, ...]]] = {
    "gif": (b"!\xf9\x04", b"\0,\0\0\0\0"),
    "webp": (b"ANMF",),
}
# One directory of at most 65,535 entries, which may stand at the end of the file.
_CLASSIC_TIFF: Final = (b"II*\0", b"MM\0*")
_LARGEST_HEAD_IN_BYTES: Final = 262_144
# Where the frame of a JPEG says how wide it is, and of how many components.
_BEHIND_HEIGHT_IN_BYTES: Final = 5
# Of a photo as phones keep it.
_PIXELS_A_BYTE: Final = 6


def glance(data: bytes) -> Header | None:
    """Give a header as it seems, or None for what is no picture or a drawing. Method: the package imagesize."""
    found = sniff(data)
    if found is None or found == "svg":
        return None
    marks = (data.count(mark) for mark in _FRAME_MARKS.get(found, ()))
    frame = read_frame(data) if found == "jpeg" else None
    return Header(
        found,
        _size(found, data, frame),
        len(data),
        frames=max(marks, default=1) or 1,
        is_progressive=frame is not None and frame.marker == PROGRESSIVE,
    )


def _size(found: InputFormat, data: bytes, frame: Frame | None) -> Size:
    # The package looks for what it wants byte by byte, or box by box: as far as there is anything in a hostile file.
    head_in_bytes = _LARGEST_HEAD_IN_BYTES
    if found == "jpeg":
        head_in_bytes = frame.height_at + _BEHIND_HEIGHT_IN_BYTES if frame is not None else 0
    try:
        width, height = imagesize.get(io.BytesIO(data if data.startswith(_CLASSIC_TIFF) else data[:head_in_bytes]))
    except Exception:
        # Whatever a hostile header does to it: the engine will judge the file.
        width, height = 0, 0
    if width >= 1 and height >= 1:
        return Size(int(width), int(height))
    side = max(1, math.isqrt(_PIXELS_A_BYTE * len(data)))
    return Size(side, side)
