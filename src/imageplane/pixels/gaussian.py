"""The Gaussian blur, true to its sigma from a hundredth of a pixel to a thousand, at a bounded cost."""

import math

import pyvips

# A blur is done on an image shrunk by k while sigma stays at least this many small pixels: the box of the shrink and
# the triangle of the enlarging then leave at least three quarters of the variance to the Gaussian itself.
LEAST_SHRUNK_SIGMA = 3

# Where the mask ends, as a part of its peak: the tails beyond add up to less than half of an 8-bit step.
_LEAST_WEIGHT = 0.001

# Between these sigmas a mask of 3×3 holds the Gaussian, and 32nds tell its weights apart.
_SMALL_SIGMAS = (0.4, 0.75)


def gaussian(image: pyvips.Image, sigma: float) -> pyvips.Image:
    """Blur with a Gaussian; edges are replicated.

    Takes: `sigma` in pixels; with alpha, premultiplied bands.
    Gives: float bands, not rounded. Within 1 step of the exact Gaussian on photos, 3 on black and white noise.
    Method: one pass per axis with a float mask. For a large sigma the image is shrunk by a box of k, blurred with what
    is left of the variance, and enlarged bilinearly, because variances add up when filters follow one another.
    """
    shrink = int(sigma / LEAST_SHRUNK_SIGMA)
    if shrink < 2:
        return _masked(image, sigma)
    # One small pixel of margin holds nothing but the replicated edge, which the small blur can replicate further.
    width, height = (shrink * (math.ceil(length / shrink) + 2) for length in (image.width, image.height))
    small = image.embed(shrink, shrink, width, height, extend="copy").shrink(shrink, shrink)
    box, triangle = (shrink**2 - 1) / 12, shrink**2 / 6
    blurred = _masked(small, math.sqrt(sigma**2 - box - triangle) / shrink)
    # Held in memory, so that the enlarging may read it out of order while the source is read once.
    return blurred.copy_memory().affine(
        [shrink, 0, 0, shrink],
        interpolate=pyvips.Interpolate.new("bilinear"),
        oarea=[shrink, shrink, image.width, image.height],
        odx=(shrink - 1) / 2,
        ody=(shrink - 1) / 2,
        extend="copy",
        premultiplied=True,
    )


def _masked(image: pyvips.Image, sigma: float) -> pyvips.Image:
    return image.gaussblur(sigma, min_ampl=_LEAST_WEIGHT, precision="float").cast("float")


def small_mask(sigma: float) -> pyvips.Image | None:
    """Give a 3×3 integer mask for a picture less its blur, plus 128; None where 3×3 can't hold the Gaussian.

    Method: the vector code of libvips keeps 32nds for such weights and drops what is finer, which would shift the
    brightness; a mask of whole 32nds that sum to 0 is exact there.
    """
    if not _SMALL_SIGMAS[0] <= sigma <= _SMALL_SIGMAS[1]:
        return None
    beside = math.exp(-0.5 / sigma**2)
    center = 1 / (1 + 2 * beside) ** 2
    around = round(8 * (1 - center))
    corner = max(1, round(32 * center * beside**2))
    edge = around - corner
    rows = [[-corner, -edge, -corner], [-edge, 4 * around, -edge], [-corner, -edge, -corner]]
    return pyvips.Image.new_from_array(rows, scale=32, offset=128)
