"""What a file says of itself before any pixel is decoded, held against the limits."""

from dataclasses import dataclass

import pyvips

from imageplane.codecs.avif import read_avif
from imageplane.codecs.formats import InputFormat, SourceBytes
from imageplane.codecs.heif import heif_size, require_heic
from imageplane.codecs.icc import is_srgb
from imageplane.codecs.pillow import opened
from imageplane.codecs.sniff import sniff
from imageplane.codecs.svg import svg_size
from imageplane.errors import UndecodableImage, UnsupportedFormat
from imageplane.limits import Limits
from imageplane.pixels.geometry import Size, size_of
from imageplane.pixels.orientation import UPRIGHT, is_turned

_LOADERS: dict[InputFormat, str] = {
    "jpeg": "jpegload_buffer",
    "png": "pngload_buffer",
    "webp": "webpload_buffer",
    "gif": "gifload_buffer",
    "tiff": "tiffload_buffer",
}


_LEAST_AVIF_PIXELS = 2_000_000


@dataclass(frozen=True, slots=True)
class Header:
    """What is known of a source before decoding.

    Takes: `size` after EXIF orientation; `orientation` 1–8 as EXIF counts; `is_srgb`, when no color conversion is
    needed; `delays_in_ms` one per frame; `loop`, how often an animation plays, 0 for ever.
    """

    format: InputFormat
    size: Size
    size_in_bytes: int
    frames: int = 1
    has_alpha: bool = False
    orientation: int = UPRIGHT
    is_srgb: bool = True
    is_progressive: bool = False
    delays_in_ms: tuple[int, ...] = ()
    loop: int = 0

    def shrinks(self) -> tuple[int, ...]:
        """Give the whole factors by which the decoder can shrink, largest first."""
        if self.format == "jpeg":
            return (8, 4, 2)
        # libwebp and libavif mix straight pixels, so hidden colors under alpha would bleed.
        is_opaque_still = self.frames == 1 and not self.has_alpha
        # libavif scales its chroma as it is stored, at half the size: what that loses is worth it in large pictures.
        is_worth_it = self.format == "webp" or (self.format == "avif" and self.size.pixels >= _LEAST_AVIF_PIXELS)
        return (16, 12, 8, 6, 5, 4, 3, 2) if is_opaque_still and is_worth_it else ()

    @property
    def is_vector(self) -> bool:
        """Whether the decoder can render at any scale."""
        return self.format == "svg"

    def extent_after(self, shrink: float) -> tuple[float, float]:
        """Give what the picture covers of the image decoded at this shrink."""
        across, down = self.size.width / shrink, self.size.height / shrink
        # libjpeg keeps whole blocks, so the last pixel is partly filled; the others resample to whole pixels.
        return (across, down) if self.format == "jpeg" else (max(1, round(across)), max(1, round(down)))


def read_header(data: SourceBytes, limits: Limits, *, is_heic_enabled: bool = True) -> Header:
    """Read the header of a source and hold it against the limits.

    Errors: unsupported_format, undecodable_image, too_large, image_too_large.
    """
    limits.check_source(len(data))
    if len(data) == 0:
        raise UndecodableImage("The file is empty.")
    found = sniff(data)
    if found is None:
        raise UnsupportedFormat("The file is none of JPEG, PNG, WebP, GIF, AVIF, HEIF, SVG, TIFF and BMP.")
    if found == "heif":
        require_heic(is_enabled=is_heic_enabled)
    header = _read(data, found)
    if min(header.size) < 1:
        raise UndecodableImage(f"The {found.upper()} image has no pixels.")
    limits.check_pixels(*header.size)
    return header


def _read(data: SourceBytes, found: InputFormat) -> Header:
    if found == "svg":
        return Header(found, Size(*svg_size(bytes(data))), len(data), has_alpha=True)
    if found == "avif":
        return _read_avif(data)
    if found == "bmp":
        return _read_bmp(data)
    if found == "heif":
        return Header(found, heif_size(bytes(data)), len(data), is_srgb=False)
    return _read_with_libvips(data, found)


def open_lazily(data: SourceBytes, found: InputFormat, **options: object) -> pyvips.Image:
    """Open a source with the one libvips loader of its format; no pixel is decoded yet. Errors: undecodable_image."""
    try:
        image: pyvips.Image = pyvips.Operation.call(_LOADERS[found], data, access="sequential", **options)
    except pyvips.Error as error:
        raise UndecodableImage(f"The {found.upper()} image is damaged.", detail=str(error)) from error
    return image


def _read_with_libvips(data: SourceBytes, found: InputFormat) -> Header:
    image = open_lazily(data, found)

    def field(name: str, default: object = None) -> object:
        return image.get(name) if image.get_typeof(name) else default

    orientation = int(str(field("orientation", UPRIGHT)))
    profile = field("icc-profile-data")
    is_plain = image.interpretation in ("srgb", "b-w") and image.format == "uchar"
    frames = int(str(field("n-pages", 1))) if found in ("gif", "webp") else 1
    delays = field("delay", [])
    return Header(
        found,
        size_of(image).turned() if is_turned(orientation) else size_of(image),
        len(data),
        frames=frames,
        has_alpha=bool(image.hasalpha()),
        orientation=orientation,
        is_srgb=is_plain and (not isinstance(profile, bytes) or is_srgb(profile)),
        is_progressive=bool(field("jpeg-multiscan", 0)),
        delays_in_ms=tuple(delays) if isinstance(delays, list) else (),
        loop=int(str(field("loop", 0))),
    )


def _read_avif(data: SourceBytes) -> Header:
    facts = read_avif(bytes(data))
    return Header(
        "avif",
        facts.size.turned() if is_turned(facts.orientation) else facts.size,
        len(data),
        has_alpha=facts.bands == 4,
        orientation=facts.orientation,
        is_srgb=facts.profile is None or is_srgb(facts.profile),
    )


def _read_bmp(data: SourceBytes) -> Header:
    with opened(bytes(data), "BMP") as image:
        return Header("bmp", Size(*image.size), len(data), has_alpha=image.mode == "RGBA")
