"""Pixels to bytes: the frames of a result in the target's format, without metadata."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyvips

from imageplane.codecs.formats import OutputFormat, Target
from imageplane.codecs.heif import encode_heif
from imageplane.errors import UnencodableImage
from imageplane.pixels.alpha import flatten

WHITE = (255, 255, 255)


@dataclass(frozen=True, slots=True)
class Extras:
    """What a file carries besides pixels.

    Takes: `delays_in_ms`, one per frame; `loop`, how often an animation plays, 0 for ever; `copyright`, EXIF tags by
    their libvips names.
    """

    delays_in_ms: tuple[int, ...] = ()
    loop: int = 0
    copyright: tuple[tuple[str, str], ...] = ()


def encode(frames: list[pyvips.Image], target: Target, extras: Extras) -> bytes:
    """Write frames of one size in the target's format at its quality.

    Errors: unencodable_image; `pyvips.Error` where lazy pixels turn out to be damaged.
    """
    largest = max(frames[0].width, frames[0].height)
    if largest > target.details.max_side_in_px:
        raise UnencodableImage(
            f"{target.format.upper()} holds at most {target.details.max_side_in_px} pixels a side, "
            f"but the result is {frames[0].width}×{frames[0].height}"
        )
    images = frames if target.details.has_alpha else [flatten(frame, WHITE) for frame in frames]
    return _ENCODERS[target.format](_with_extras(images, extras), target, _kept(extras))


def _with_extras(frames: list[pyvips.Image], extras: Extras) -> pyvips.Image:
    image = frames[0]
    if len(frames) > 1:
        bands = max(frame.bands for frame in frames)
        image = pyvips.Image.arrayjoin(
            [frame if frame.bands == bands else frame.addalpha() for frame in frames], across=1
        )
    # Only what is set below may be written, so nothing of the source's own metadata can slip through.
    image = _without_metadata(image)
    if len(frames) > 1:
        image.set_type(pyvips.GValue.gint_type, "page-height", frames[0].height)
        image.set_type(pyvips.GValue.gint_type, "loop", extras.loop)
        image.set_type(pyvips.GValue.array_int_type, "delay", list(extras.delays_in_ms) or [100] * len(frames))
    for tag, text in extras.copyright:
        image.set_type(pyvips.GValue.gstr_type, tag, text)
    return image


def _without_metadata(image: pyvips.Image) -> pyvips.Image:
    bare = image.copy()
    for name in bare.get_fields():
        if bare.get_typeof(name) and name not in _STRUCTURE:
            bare.remove(name)
    return bare


_STRUCTURE = frozenset(
    "width height bands format coding interpretation xres yres xoffset yoffset filename".split()  # noqa: SIM905
)


def _kept(extras: Extras) -> str:
    return "exif" if extras.copyright else "none"


def _jpeg(image: pyvips.Image, target: Target, keep: str) -> bytes:
    return bytes(image.jpegsave_buffer(Q=target.effective_quality, optimize_coding=True, keep=keep))


def _png(image: pyvips.Image, target: Target, keep: str) -> bytes:  # noqa: ARG001
    return bytes(image.pngsave_buffer(compression=6, keep=keep))


def _webp(image: pyvips.Image, target: Target, keep: str) -> bytes:
    # Effort 2 halves the time of the default 4 at the same SSIM for 2 % more bytes (benchmarks/README.md).
    return bytes(image.webpsave_buffer(Q=target.effective_quality, effort=2, keep=keep))


def _avif(image: pyvips.Image, target: Target, keep: str) -> bytes:
    options: dict[str, Any] = {"Q": target.effective_quality, "effort": 1, "keep": keep}
    return bytes(image.heifsave_buffer(compression="av1", **options))


def _gif(image: pyvips.Image, target: Target, keep: str) -> bytes:  # noqa: ARG001
    return bytes(image.gifsave_buffer(keep=keep))


def _heif(image: pyvips.Image, target: Target, keep: str) -> bytes:
    quality = target.effective_quality or 60
    # libvips writes the few EXIF tags that are kept; pillow-heif takes them as one block.
    exif = image.extract_area(0, 0, 1, 1).jpegsave_buffer(keep=keep) if keep == "exif" else None
    return encode_heif(np.asarray(image.numpy()), quality, _exif_block(exif) if exif else None)


def _exif_block(jpeg: bytes) -> bytes | None:
    start = jpeg.find(b"Exif\0\0")
    return jpeg[start : start - 2 + int.from_bytes(jpeg[start - 2 : start], "big")] if start > 0 else None


_ENCODERS: dict[OutputFormat, Callable[[pyvips.Image, Target, str], bytes]] = {
    "jpeg": _jpeg,
    "png": _png,
    "webp": _webp,
    "avif": _avif,
    "heif": _heif,
    "gif": _gif,
}
