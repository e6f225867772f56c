"""Pillow as its users call it for thumbnails: draft mode at twice the size, Lanczos, its own unsharp mask."""

import io
from typing import Any

import PIL
from PIL import AvifImagePlugin, Image, ImageCms, ImageFilter, ImageOps, UnidentifiedImageError, features

from benchmarks.peers.child import Upload, refusing, serve

# The gap that `Image.thumbnail` keeps between what the decoder gives and what is asked for.
_GAP = 2
# Nearest in SSIM to the sharpening of the reference, on camera photos at 800×600.
_PERCENT = 120
_SRGB = ImageCms.createProfile("sRGB")


def make(upload: Upload) -> list[bytes]:
    """Make every picture from the bytes anew."""
    return [_picture(upload.data, wanted) for wanted in upload.wanted]


def _picture(data: bytes, wanted: dict[str, Any]) -> bytes:
    size = (wanted["width_in_px"], wanted["height_in_px"])
    with refusing(UnidentifiedImageError):
        opened = Image.open(io.BytesIO(data))
    opened.draft("RGB", (_GAP * size[0], _GAP * size[1]))
    upright = ImageOps.exif_transpose(opened)
    image = ImageOps.fit(upright.convert("RGB"), size, Image.Resampling.LANCZOS)
    image = _in_srgb(image, opened.info.get("icc_profile"))
    if wanted["sigma"] is not None:
        image = image.filter(ImageFilter.UnsharpMask(radius=wanted["sigma"], percent=_PERCENT, threshold=0))
    file = io.BytesIO()
    image.save(file, wanted["format"].upper(), quality=wanted["quality"])
    return file.getvalue()


def _in_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    if not profile:
        return image
    source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
    if "sRGB" in ImageCms.getProfileDescription(source):
        return image
    converted = ImageCms.profileToProfile(image, source, _SRGB)
    return converted or image


if __name__ == "__main__":
    AvifImagePlugin.DEFAULT_MAX_THREADS = 1
    serve(
        make,
        {
            "pillow": PIL.__version__,
            "libjpeg-turbo": str(features.version("libjpeg_turbo")),
            "libwebp": str(features.version("webp")),
            "libavif": str(features.version("avif")),
        },
    )
