from functools import cache
from typing import Literal

import numpy as np
import pyvips
from pydantic import Field

from imageplane.operation import Example, PixelOperation, Tools
from imageplane.pixels.alpha import has_alpha, on_color
from imageplane.pixels.color import luma
from imageplane.pixels.gaussian import gaussian, small_mask

# The curve of libvips `sharpen` with the defaults of Sharp, its lightness 0–100 as steps of luma 0–255: what differs
# little from its surroundings is taken once, what lies beyond twice, and no edge rises or falls without bound.
FLAT_SLOPE, EDGE_SLOPE = 1.0, 2.0
EDGE_FROM = 2 * 2.55
MOST_BRIGHTER, MOST_DARKER = 10 * 2.55, 20 * 2.55


class Sharpen(PixelOperation):
    """Sharpen edges and texture.

    Edges are sharpened twice as much as fine texture and noise, and never so far that they get a rim. Transparency
    stays as it is, and colors that lie hidden under it have no influence.

    Method: unsharp mask on luma; the difference to a Gaussian blur goes through the curve of libvips `sharpen` and is
    added to every color band.
    """

    type: Literal["sharpen"] = "sharpen"
    sigma: float = Field(gt=0, le=1000, description="Standard deviation of the blur in pixels; 0.5 to 2 is usual.")

    examples = (
        Example("slight", {"sigma": 0.5}),
        Example("clear", {"sigma": 1.3}, picture="alpha"),
        Example("wide", {"sigma": 7.1}, max_delta=3),
    )

    def apply(self, image: pyvips.Image, tools: Tools) -> pyvips.Image:
        # Luma, the blur of it and the colors are read each at its own pace.
        held = image.copy_memory()
        added = _difference(held, self.sigma).maplut(_curve())
        return on_color(held, lambda color: (color + added).cast("uchar").copy(interpretation="srgb"))


def _difference(image: pyvips.Image, sigma: float) -> pyvips.Image:
    """Give luma less its blur as one band of bytes, 128 where nothing differs."""
    mask = small_mask(sigma)
    if mask is not None and not has_alpha(image):
        # The fraction that is cut off is missing on both sides of the difference.
        return luma(image).cast("uchar").conv(mask, precision="integer")
    # Premultiplied blur divided by blurred alpha: the mean of the visible neighbors, without a rim.
    blurred = gaussian(image.premultiply(), sigma).unpremultiply() if has_alpha(image) else gaussian(luma(image), sigma)
    surroundings = luma(blurred) if has_alpha(image) else blurred
    return (luma(image) - surroundings + 128).rint().cast("uchar")


@cache
def _curve() -> pyvips.Image:
    difference = np.arange(256) - 128.0
    size = np.abs(difference)
    beyond = np.maximum(size - EDGE_FROM, 0)
    added = np.sign(difference) * (FLAT_SLOPE * (size - beyond) + EDGE_SLOPE * beyond)
    return pyvips.Image.new_from_array(np.rint(np.clip(added, -MOST_DARKER, MOST_BRIGHTER)).astype(np.int16)[None, :])
