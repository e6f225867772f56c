"""What a picture ought to look like, and how near a file comes to it."""

import importlib.util
import io
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import pyvips
from numpy.typing import NDArray
from PIL import Image, ImageCms, ImageOps
from skimage.metrics import structural_similarity

from benchmarks.jobs import Wanted

if importlib.util.find_spec("pillow_heif"):
    import pillow_heif

    pillow_heif.register_heif_opener()

Pixels = NDArray[np.uint8]

# libvips' strongest sharpening with the defaults of Sharp, whatever a contender uses itself.
_SHARPEN = {"m1": 1.0, "m2": 2.0, "x1": 2.0, "y2": 10.0, "y3": 20.0}
_SRGB = ImageCms.createProfile("sRGB")


@dataclass(frozen=True, slots=True)
class Quality:
    """Structural similarity to the reference, 1 when they are the same."""

    luma: float
    rgb: float


def references(photo: Path, wanted: Wanted) -> list[Pixels]:
    """Give the right pictures, as (H, W, 3) sRGB: more than one when the cut falls between two pixels.

    Method: full decode, ICC to sRGB, Lanczos3 over all pixels (Pillow), sharpened by libvips; lossless. Where the
    scaled picture is an odd number of pixels too large, its cut at either side and the one at half a pixel are
    equally right.
    """
    cuts = _cuts(_full(photo), wanted.width_in_px, wanted.height_in_px)
    return [_sharpened(cut, wanted.sigma) for cut in cuts]


def compare(file: bytes, right: list[Pixels], wanted: Wanted) -> Quality:
    """Give how near a file comes to the nearest of the right pictures. Errors: ValueError for another size."""
    with Image.open(io.BytesIO(file)) as image:
        made = np.asarray(image.convert("RGB"))
    if made.shape != right[0].shape:
        raise ValueError(
            f"the picture is {made.shape[1]}×{made.shape[0]}, not {wanted.width_in_px}×{wanted.height_in_px}"
        )
    luma, nearest = max(((_ssim(_luma(made), _luma(each)), each) for each in right), key=lambda pair: pair[0])
    return Quality(round(luma, 5), round(_ssim(made, nearest), 5))


@lru_cache(maxsize=1)
def _full(photo: Path) -> Image.Image:
    with Image.open(photo) as opened:
        profile = opened.info.get("icc_profile")
        image = ImageOps.exif_transpose(opened).convert("RGB")
    if not profile:
        return image
    return ImageCms.profileToProfile(image, ImageCms.ImageCmsProfile(io.BytesIO(profile)), _SRGB) or image


def _cuts(image: Image.Image, width: int, height: int) -> list[Pixels]:
    scale = max(width / image.width, height / image.height)
    size = (max(width, int(image.width * scale + 0.5)), max(height, int(image.height * scale + 0.5)))
    scaled = np.asarray(image.resize(size, Image.Resampling.LANCZOS))
    odd = (size[0] - width) % 2 or (size[1] - height) % 2
    places = {((size[0] - width + more) // 2, (size[1] - height + more) // 2) for more in (0, 1)}
    cuts = [scaled[top : top + height, left : left + width] for left, top in sorted(places)]
    if odd or size[0] != image.width * scale or size[1] != image.height * scale:
        cuts.append(np.asarray(ImageOps.fit(image, (width, height), Image.Resampling.LANCZOS)))
    return cuts


def _sharpened(pixels: Pixels, sigma: float | None) -> Pixels:
    if sigma is None:
        return pixels
    image = pyvips.Image.new_from_array(np.ascontiguousarray(pixels)).copy(interpretation="srgb")
    return np.asarray(image.sharpen(sigma=sigma, **_SHARPEN).cast("uchar").numpy())


def _luma(pixels: Pixels) -> Pixels:
    return np.asarray(Image.fromarray(pixels).convert("L"))


def _ssim(one: Pixels, other: Pixels) -> float:
    """Method: Wang et al. 2004, Gaussian window of sigma 1.5; for colors the mean of the bands."""
    similarity = structural_similarity(
        one,
        other,
        data_range=255,
        channel_axis=2 if one.ndim == 3 else None,
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=False,
    )
    return float(similarity)
