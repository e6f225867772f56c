"""The settings of libwebp's encoder that neither libvips nor Pillow passes on, through its C API.

The library is the one inside Pillow's own wheel, so nothing more is installed. Where it can't be found, or is of
another major version, `is_available` says so and Pillow's way is taken.
"""

import ctypes
from functools import cache
from pathlib import Path

import numpy as np
import PIL
from numpy.typing import NDArray

# The major part of what encode.h 1.x expects of its caller; libwebp refuses another one.
_ABI_VERSION = 0x0200
_DEFAULT_PRESET = 0
# A block is judged by rate and distortion only from effort 3 on, which takes more than twice the time.
_EFFORT = 2
# What the effort costs in SSIM, stronger deblocking than libwebp's default of 60 gives back; what it costs in bytes, a
# little less quality (benchmarks/README.md).
_FILTER_STRENGTH = 100
_QUALITY_BELOW = 0.35
# Small pictures have fewer bytes to win, and show it sooner.
_SMALL_IN_PX, _QUALITY_BELOW_IF_SMALL = 100_000, 0.2

_int, _float, _u32, _pointer = ctypes.c_int, ctypes.c_float, ctypes.c_uint32, ctypes.c_void_p


class _Config(ctypes.Structure):
    """`WebPConfig` of encode.h."""

    _fields_ = (
        ("lossless", _int),
        ("quality", _float),
        ("method", _int),
        ("image_hint", _int),
        ("target_size", _int),
        ("target_psnr", _float),
        ("segments", _int),
        ("sns_strength", _int),
        ("filter_strength", _int),
        # Room for the rest, which keeps its defaults, and for what later minor versions append.
        ("_rest", _int * 40),
    )


class _Picture(ctypes.Structure):
    """`WebPPicture` of encode.h."""

    _fields_ = (
        ("use_argb", _int),
        ("colorspace", _int),
        ("width", _int),
        ("height", _int),
        ("yuv", _pointer * 3),
        ("yuv_strides", _int * 2),
        ("alpha", _pointer),
        ("alpha_stride", _int),
        ("_pad_1", _u32 * 2),
        ("argb", _pointer),
        ("argb_stride", _int),
        ("_pad_2", _u32 * 3),
        ("writer", _pointer),
        ("written_to", _pointer),
        ("_rest", _pointer * 40),
    )


class _Memory(ctypes.Structure):
    """`WebPMemoryWriter` of encode.h."""

    _fields_ = (("data", _pointer), ("size", ctypes.c_size_t), ("capacity", ctypes.c_size_t), ("_pad", _u32))


@cache
def _library() -> ctypes.CDLL | None:
    package = Path(PIL.__file__).parent
    for path in [*package.parent.glob("pillow.libs/libwebp-*"), *package.glob(".dylibs/libwebp.*")]:
        library = ctypes.CDLL(str(path))
        library.WebPConfigInitInternal.argtypes = (_pointer, _int, _float, _int)
        library.WebPPictureInitInternal.argtypes = (_pointer, _int)
        for name in ("WebPPictureImportRGB", "WebPPictureImportRGBA"):
            getattr(library, name).argtypes = (_pointer, _pointer, _int)
        library.WebPEncode.argtypes = (_pointer, _pointer)
        for name in ("WebPMemoryWriterInit", "WebPMemoryWriterClear", "WebPPictureFree"):
            getattr(library, name).argtypes = (_pointer,)
            getattr(library, name).restype = None
        if library.WebPPictureInitInternal(ctypes.byref(_Picture()), _ABI_VERSION):
            return library
    return None


def is_available() -> bool:
    """Tell whether Pillow's wheel carries a libwebp that can be used."""
    return _library() is not None


def encode_lossy(pixels: NDArray[np.uint8], quality: float) -> bytes | None:
    """Write one picture as WebP.

    Takes: contiguous (H, W, 3) sRGB or (H, W, 4) with straight alpha, at most 16383 on a side; quality 0 to 100.
    Gives: the file, or None when libwebp refuses.
    """
    library = _library()
    assert library is not None, "ask is_available first"  # noqa: S101
    config, picture, memory = _Config(), _Picture(), _Memory()
    is_small = pixels.shape[0] * pixels.shape[1] <= _SMALL_IN_PX
    calibrated = max(0.0, quality - (_QUALITY_BELOW_IF_SMALL if is_small else _QUALITY_BELOW))
    library.WebPConfigInitInternal(ctypes.byref(config), _DEFAULT_PRESET, calibrated, _ABI_VERSION)
    config.method, config.filter_strength = _EFFORT, _FILTER_STRENGTH
    library.WebPPictureInitInternal(ctypes.byref(picture), _ABI_VERSION)
    picture.height, picture.width, bands = pixels.shape
    library.WebPMemoryWriterInit(ctypes.byref(memory))
    picture.writer = ctypes.cast(library.WebPMemoryWrite, _pointer)
    picture.written_to = ctypes.addressof(memory)
    take = library.WebPPictureImportRGBA if bands == 4 else library.WebPPictureImportRGB
    try:
        if not take(ctypes.byref(picture), pixels.ctypes.data, pixels.strides[0]):
            return None
        if not library.WebPEncode(ctypes.byref(config), ctypes.byref(picture)):
            return None
        return ctypes.string_at(memory.data, memory.size)
    finally:
        library.WebPPictureFree(ctypes.byref(picture))
        library.WebPMemoryWriterClear(ctypes.byref(memory))
