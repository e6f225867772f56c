"""The few functions of libavif's C API that Pillow does not pass on: decode, and scale before the colors are converted.

The library is the one inside Pillow's own wheel, so nothing more is installed. Where it can't be found, or is of
another major version, `is_available` says so and Pillow's way is taken.
"""

import ctypes
from functools import cache
from pathlib import Path

import numpy as np
import PIL
from numpy.typing import NDArray

from imageplane.pixels.geometry import Size

_OK = 0
_RGB, _RGBA = 0, 1
# `avifDiagnostics` is a text of 256 bytes; libavif writes to it without asking whether it is there.
_DIAGNOSTICS_IN_BYTES = 1024
# `avifDecoder` of avif.h 1.x starts with eleven 32-bit settings; the image follows at the next multiple of 8, and
# starts with its own width and height.
_IMAGE_OFFSET = 48


class _RGBImage(ctypes.Structure):
    """`avifRGBImage` of avif.h 1.x."""

    _fields_ = (
        ("width", ctypes.c_uint32),
        ("height", ctypes.c_uint32),
        ("depth", ctypes.c_uint32),
        ("format", ctypes.c_int),
        ("chroma_upsampling", ctypes.c_int),
        ("chroma_downsampling", ctypes.c_int),
        ("avoid_libyuv", ctypes.c_int),
        ("ignore_alpha", ctypes.c_int),
        ("alpha_premultiplied", ctypes.c_int),
        ("is_float", ctypes.c_int),
        ("max_threads", ctypes.c_int),
        ("pixels", ctypes.c_void_p),
        ("row_bytes", ctypes.c_uint32),
        # Room for what later minor versions append.
        ("_reserve", ctypes.c_uint8 * 64),
    )


@cache
def _library() -> ctypes.CDLL | None:
    package = Path(PIL.__file__).parent
    for path in [*package.parent.glob("pillow.libs/libavif-*"), *package.glob(".dylibs/libavif*")]:
        library = ctypes.CDLL(str(path))
        library.avifVersion.restype = ctypes.c_char_p
        if library.avifVersion().startswith(b"1."):
            return _declared(library)
    return None


def _declared(library: ctypes.CDLL) -> ctypes.CDLL:
    pointer, number = ctypes.c_void_p, ctypes.c_uint32
    library.avifDecoderCreate.restype = pointer
    library.avifDecoderDestroy.argtypes = (pointer,)
    library.avifDecoderDestroy.restype = None
    library.avifDecoderSetIOMemory.argtypes = (pointer, ctypes.c_char_p, ctypes.c_size_t)
    library.avifDecoderParse.argtypes = (pointer,)
    library.avifDecoderNextImage.argtypes = (pointer,)
    library.avifImageScale.argtypes = (pointer, number, number, pointer)
    library.avifRGBImageSetDefaults.argtypes = (ctypes.POINTER(_RGBImage), pointer)
    library.avifRGBImageSetDefaults.restype = None
    library.avifImageYUVToRGB.argtypes = (pointer, ctypes.POINTER(_RGBImage))
    return library


def is_available() -> bool:
    """Tell whether Pillow's wheel carries a libavif that can be used."""
    return _library() is not None


def decode_scaled(data: bytes, full: Size, size: Size, bands: int) -> NDArray[np.uint8] | None:
    """Decode and scale.

    Takes: `full`, the stored size by the header; `size`, the one that is wanted.
    Gives: (height, width, bands) uint8 RGB, with straight alpha as the 4th band; None when libavif refuses the file.
    Method: libavif `avifImageScale`, a box filter on the YUV planes, so that only what is wanted becomes RGB.
    """
    library = _library()
    assert library is not None, "ask is_available first"  # noqa: S101
    decoder = library.avifDecoderCreate()
    try:
        if (
            library.avifDecoderSetIOMemory(decoder, data, len(data)) != _OK
            or library.avifDecoderParse(decoder) != _OK
            or library.avifDecoderNextImage(decoder) != _OK
        ):
            return None
        image = ctypes.c_void_p.from_address(decoder + _IMAGE_OFFSET).value
        if image is None or tuple((ctypes.c_uint32 * 2).from_address(image)) != full:
            return None
        diagnostics = ctypes.create_string_buffer(_DIAGNOSTICS_IN_BYTES)
        if size != full and library.avifImageScale(image, *size, diagnostics) != _OK:
            return None
        return _rgb(library, image, np.empty((size.height, size.width, bands), np.uint8))
    finally:
        library.avifDecoderDestroy(decoder)


def _rgb(library: ctypes.CDLL, image: int, pixels: NDArray[np.uint8]) -> NDArray[np.uint8] | None:
    rgb = _RGBImage()
    library.avifRGBImageSetDefaults(ctypes.byref(rgb), image)
    if (rgb.height, rgb.width) != pixels.shape[:2]:
        return None
    rgb.depth, rgb.format = 8, _RGBA if pixels.shape[2] == 4 else _RGB
    rgb.pixels, rgb.row_bytes = pixels.ctypes.data, pixels.strides[0]
    return pixels if library.avifImageYUVToRGB(image, ctypes.byref(rgb)) == _OK else None
