"""Baseline JPEGs at 1/8 by the compiled decoder of `native/jpeg_eighth.c`, where this installation has it.

`make install` compiles it where there is a C compiler. Without it libjpeg-turbo gives the same pixels in about twice
the time.
"""

import ctypes
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy
from numpy.typing import NDArray

_LIBRARY = Path(__file__).parent / "native" / "jpeg_eighth.so"


def is_available() -> bool:
    """Tell whether the decoder was compiled when this was installed."""
    return _decoder() is not None


def fill_eighth(pixels: NDArray[numpy.uint8], data: bytes, rows: int) -> bool:
    """Decode a JPEG at 1/8 of its size.

    Takes: `pixels`, contiguous (H, W, 3) for RGB or (H, W, 1) for gray, H and W an eighth of the full size rounded
    up; `rows`, how many of them, from the top, are wanted.
    Gives: whether it was done. If not, the file is unusual or damaged, and what is in `pixels` has no meaning.
    Method: the DC coefficients alone, walking over several AC symbols at a time; the pixels are those of
    libjpeg-turbo.
    """
    decoder = _decoder()
    if decoder is None:
        return False
    height, width, bands = pixels.shape
    return bool(decoder(data, len(data), pixels.ctypes.data, width, height, bands, rows))


@cache
def _decoder() -> Callable[..., int] | None:
    if not _LIBRARY.is_file():
        return None
    decoder = ctypes.CDLL(str(_LIBRARY)).imageplane_jpeg_eighth
    number = ctypes.c_int
    decoder.argtypes = (ctypes.c_char_p, ctypes.c_size_t, ctypes.c_void_p, number, number, number, number)
    decoder.restype = number
    return decoder
