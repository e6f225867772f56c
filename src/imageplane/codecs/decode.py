"""Bytes to pixels: upright, sRGB, 8-bit, 3 bands or 4 with straight alpha."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pyvips

from imageplane.codecs.avif import decode_avif
from imageplane.codecs.formats import InputFormat, SourceBytes
from imageplane.codecs.header import Header, open_lazily
from imageplane.codecs.heif import decode_heif
from imageplane.codecs.jpeg import decode_jpeg, is_fast_jpeg
from imageplane.codecs.pillow import opened
from imageplane.codecs.svg import render_svg
from imageplane.limits import Limits
from imageplane.pixels.orientation import upright

# Above this a decoded JPEG is streamed by libvips and not held whole.
_MAX_HELD_PIXELS = 40_000_000
_DAMAGED = "the file is damaged or cut short; what could be read is shown"


@dataclass(frozen=True, slots=True)
class Decoded:
    """The frames of a source, and what a person should know of how they were read.

    A still is read lazily, once and from top to bottom, unless `is_in_memory`.
    """

    frames: tuple[pyvips.Image, ...]
    is_in_memory: bool = False
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Amount:
    """How much of a source is wanted.

    Takes: `shrink`, one that the header offers; `rows` of the shrunk picture, from the top, that anything looks at,
    or None for all: below them may be anything; `frames`, the first so many; `is_tolerant`, to show what can be read
    of a damaged JPEG.
    """

    shrink: float
    rows: int | None = None
    frames: int = 1
    is_tolerant: bool = False


def decode(data: SourceBytes, header: Header, amount: Amount, limits: Limits) -> Decoded:
    """Decode as much of a source as is wanted.

    Errors: undecodable_image now, or `pyvips.Error` later where pixels are read lazily.
    """
    if header.format == "jpeg":
        decoded = _decode_jpeg(bytes(data), header, amount)
    elif header.format == "svg":
        decoded = _held(render_svg(bytes(data), 1 / amount.shrink, limits.max_pixels), None)
    elif header.format == "avif":
        decoded = _held(*decode_avif(bytes(data), int(amount.shrink)))
    elif header.format in _HELD:
        decoded = _held(*_HELD[header.format](bytes(data)))
    else:
        decoded = _decode_with_libvips(data, header, amount.shrink, amount.frames)
    images = tuple(upright(_to_srgb(image, is_srgb=header.is_srgb), header.orientation) for image in decoded.frames)
    return Decoded(images, decoded.is_in_memory, decoded.warnings)


def _held(pixels: np.ndarray, profile: bytes | None) -> Decoded:
    return Decoded((_image(pixels, profile),), is_in_memory=True)


def _image(pixels: np.ndarray, profile: bytes | None) -> pyvips.Image:
    height, width, bands = pixels.shape
    # The image reads the array where it lies; pyvips keeps it alive.
    image = pyvips.Image.new_from_memory(np.ascontiguousarray(pixels).data, width, height, bands, "uchar")
    image = image.copy(interpretation="b-w" if bands < 3 else "srgb")
    if profile:
        image.set_type(pyvips.GValue.blob_type, "icc-profile-data", profile)
    return image


def _decode_jpeg(data: bytes, header: Header, amount: Amount) -> Decoded:
    shrink = int(amount.shrink)
    pixels = header.size.pixels / shrink**2
    if pixels > _MAX_HELD_PIXELS or not is_fast_jpeg(data):
        return _decode_jpeg_with_libvips(data, amount)
    array, is_damaged = decode_jpeg(data, shrink, rows=amount.rows)
    profile = None
    if not header.is_srgb:
        lazy = open_lazily(data, "jpeg")
        profile = lazy.get("icc-profile-data") if lazy.get_typeof("icc-profile-data") else None
    return Decoded((_image(array, profile),), is_in_memory=True, warnings=(_DAMAGED,) if is_damaged else ())


def _decode_jpeg_with_libvips(data: bytes, amount: Amount) -> Decoded:
    fail_on = "none" if amount.is_tolerant else "truncated"
    image = open_lazily(data, "jpeg", shrink=int(amount.shrink), fail_on=fail_on)
    return Decoded((image,), warnings=(_DAMAGED,) if amount.is_tolerant else ())


def _decode_with_libvips(data: SourceBytes, header: Header, shrink: float, frames: int) -> Decoded:
    # libtiff tells a missing end like any other error.
    options: dict[str, object] = {"fail_on": "error" if header.format == "tiff" else "truncated"}
    if shrink != 1:
        options["scale"] = 1 / shrink
    if frames == 1:
        return Decoded((open_lazily(data, header.format, **options),))
    strip = open_lazily(data, header.format, n=frames, **options).copy_memory()
    height = strip.get("page-height")
    return Decoded(
        tuple(strip.extract_area(0, top, strip.width, height) for top in range(0, strip.height, height)),
        is_in_memory=True,
    )


def _to_srgb(image: pyvips.Image, *, is_srgb: bool) -> pyvips.Image:
    if is_srgb:
        return image if image.bands > 2 else image.colourspace("srgb")
    if image.get_typeof("icc-profile-data") or image.interpretation == "cmyk":
        image = _through_profile(image)
    converted = image.colourspace("srgb") if image.interpretation != "srgb" or image.bands < 3 else image
    converted = converted.cast("uchar") if converted.format != "uchar" else converted
    # TIFF allows further bands after the first alpha; nothing on the web does.
    return converted.extract_band(0, n=4) if converted.bands > 4 else converted


def _through_profile(image: pyvips.Image) -> pyvips.Image:
    # Where CMYK has no profile of its own, or an unfit one, libvips falls back on its built-in press profile.
    options = {"input_profile": "cmyk"} if image.interpretation == "cmyk" else {}
    try:
        return image.icc_transform("srgb", embedded=True, intent="perceptual", depth=8, **options)
    except pyvips.Error:
        return image


def _decode_bmp(data: bytes) -> tuple[np.ndarray, bytes | None]:
    with opened(data, "BMP") as image:
        return np.asarray(image.convert("RGBA" if image.mode == "RGBA" else "RGB")), None


_HELD: dict[InputFormat, Callable[[bytes], tuple[np.ndarray, bytes | None]]] = {
    "heif": decode_heif,
    "bmp": _decode_bmp,
}
