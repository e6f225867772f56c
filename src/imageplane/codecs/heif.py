"""HEIF with HEVC inside, through pillow-heif where it is installed (its wheel carries the GPL x265 encoder)."""

import importlib.util
import io
from functools import cache
from typing import Any

import numpy as np

from imageplane.errors import UndecodableImage, UnsupportedFormat
from imageplane.pixels.geometry import Size


@cache
def is_heic_available() -> bool:
    """Tell whether the `heic` extra is installed."""
    return importlib.util.find_spec("pillow_heif") is not None


def require_heic(*, is_enabled: bool = True) -> None:
    """Raise when HEIF can't be read and written here. Errors: unsupported_format."""
    if not (is_enabled and is_heic_available()):
        raise UnsupportedFormat("HEIF images are not enabled on this installation.")


@cache
def _library() -> Any:
    require_heic()
    import pillow_heif  # noqa: PLC0415 - an extra that may be left out

    pillow_heif.options.DECODE_THREADS = 1
    return pillow_heif


def _open(data: bytes) -> Any:
    library = _library()
    try:
        # 10 and 12 bits are reduced to 8; orientation boxes are applied by libheif.
        opened = library.open_heif(data, convert_hdr_to_8bit=True, bgr_mode=False)
        if not len(opened):
            raise ValueError("the file holds no image")
        return opened
    except (OSError, ValueError, RuntimeError, SyntaxError) as error:
        raise UndecodableImage("The HEIF image is damaged.", detail=str(error)) from error


def heif_size(data: bytes) -> Size:
    """Give the upright size of the primary image. Errors: undecodable_image."""
    return Size(*_open(data).size)


def heif_exif(data: bytes) -> bytes:
    """Give the EXIF block of the primary image, empty when it has none. Errors: undecodable_image."""
    return _open(data).info.get("exif") or b""


def decode_heif(data: bytes) -> tuple[np.ndarray, bytes | None]:
    """Decode the primary image.

    Gives: (H, W, 3) or (H, W, 4) uint8 with straight alpha in the file's own RGB, upright; and its ICC profile.
    Errors: undecodable_image.
    """
    opened = _open(data)
    try:
        pixels = np.asarray(opened)
    except (OSError, ValueError, RuntimeError, EOFError) as error:
        raise UndecodableImage("The HEIF image is damaged.", detail=str(error)) from error
    return pixels, opened.info.get("icc_profile") or None


def encode_heif(pixels: np.ndarray, quality: int, exif: bytes | None) -> bytes:
    """Encode to HEIF with HEVC (x265), 4:2:0.

    Takes: (H, W, 3) or (H, W, 4) uint8 sRGB with straight alpha; `quality` 1–100.
    """
    library = _library()
    mode = "RGBA" if pixels.shape[2] == 4 else "RGB"
    file = library.from_bytes(mode=mode, size=(pixels.shape[1], pixels.shape[0]), data=pixels.tobytes())
    buffer = io.BytesIO()
    file.save(buffer, quality=quality, **({"exif": exif} if exif else {}))
    return buffer.getvalue()
