"""Pixels to bytes: the frames of a result in the target's format, without metadata."""

import io
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pyvips
from PIL import Image as PillowImage

from imageplane.codecs import libwebp
from imageplane.codecs.exif import exif_block
from imageplane.codecs.formats import Copyright, OutputFormat, Target
from imageplane.codecs.heif import encode_heif
from imageplane.errors import UnencodableImage
from imageplane.pixels.alpha import flatten

WHITE = (255, 255, 255)

# Effort 2 takes less than half the time of libwebp's default 4; of AVIF's ten efforts the first saves 3 % of the bytes,
# the others next to nothing (benchmarks/README.md).
_WEBP_EFFORT = 2
_AVIF_EFFORT = 1
# Above this an image streams through libvips and is not held whole.
_MAX_HELD_PIXELS = 4_000_000


@dataclass(frozen=True, slots=True)
class Extras:
    """What a file carries besides pixels.

    Takes: `delays_in_ms`, one per frame; `loop`, how often an animation plays, 0 for ever; `copyright`, EXIF tags.
    """

    delays_in_ms: tuple[int, ...] = ()
    loop: int = 0
    copyright: Copyright = ()


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
    return _ENCODERS[target.format](_joined(images, extras), target, exif_block(extras.copyright))


def _joined(frames: list[pyvips.Image], extras: Extras) -> pyvips.Image:
    if len(frames) == 1:
        return frames[0]
    bands = max(frame.bands for frame in frames)
    strip = pyvips.Image.arrayjoin([frame if frame.bands == bands else frame.addalpha() for frame in frames], across=1)
    strip = strip.copy()
    strip.set_type(pyvips.GValue.gint_type, "page-height", frames[0].height)
    strip.set_type(pyvips.GValue.gint_type, "loop", extras.loop)
    strip.set_type(pyvips.GValue.array_int_type, "delay", list(extras.delays_in_ms) or [100] * len(frames))
    return strip


def _saved(image: pyvips.Image, saver: str, exif: bytes | None, **options: object) -> bytes:
    """Save with libvips, which is told to keep what stands in `exif` and nothing of the image itself."""
    bare = image.copy()
    for name in image.get_fields():
        # libvips writes the orientation into AVIF whatever it is told to keep.
        if name.startswith("exif-") or name == "orientation":
            bare.remove(name)
    if exif is not None:
        bare.set_type(pyvips.GValue.blob_type, "exif-data", exif)
    return bytes(pyvips.Operation.call(saver, bare, keep="exif" if exif else "none", **options))


def _jpeg(image: pyvips.Image, target: Target, exif: bytes | None) -> bytes:
    return _saved(image, "jpegsave_buffer", exif, Q=target.effective_quality, optimize_coding=True)


def _png(image: pyvips.Image, target: Target, exif: bytes | None) -> bytes:  # noqa: ARG001
    return _saved(image, "pngsave_buffer", exif, compression=6)


def _webp(image: pyvips.Image, target: Target, exif: bytes | None) -> bytes:
    if image.get_typeof("page-height") or image.width * image.height > _MAX_HELD_PIXELS:
        return _saved(image, "webpsave_buffer", exif, Q=target.effective_quality, effort=_WEBP_EFFORT)
    pixels = np.ascontiguousarray(image.numpy())
    file = (
        libwebp.encode_lossy(pixels, target.effective_quality or 0) if exif is None and libwebp.is_available() else None
    )
    if file is not None:
        return file
    # Pillow's build of libwebp writes the same bytes as libvips' in about 15 % less time.
    held, buffer = PillowImage.fromarray(pixels), io.BytesIO()
    held.save(buffer, "WEBP", quality=target.effective_quality, method=_WEBP_EFFORT, exif=exif or b"")
    return buffer.getvalue()


def _avif(image: pyvips.Image, target: Target, exif: bytes | None) -> bytes:
    return _saved(image, "heifsave_buffer", exif, compression="av1", Q=target.effective_quality, effort=_AVIF_EFFORT)


def _gif(image: pyvips.Image, target: Target, exif: bytes | None) -> bytes:  # noqa: ARG001
    return _saved(image, "gifsave_buffer", None)


def _heif(image: pyvips.Image, target: Target, exif: bytes | None) -> bytes:
    return encode_heif(np.asarray(image.numpy()), target.effective_quality or 1, exif)


_ENCODERS: dict[OutputFormat, Callable[[pyvips.Image, Target, bytes | None], bytes]] = {
    "jpeg": _jpeg,
    "png": _png,
    "webp": _webp,
    "avif": _avif,
    "heif": _heif,
    "gif": _gif,
}
