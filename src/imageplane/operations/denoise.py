from typing import Literal

import pyvips
from pydantic import Field

from imageplane.operation import Cost, Example, PixelOperation, Size, Tools
from imageplane.pixels.alpha import has_alpha
from imageplane.pixels.color import bytes_again
from imageplane.pixels.gaussian import gaussian

_PIXEL_IN_S, _PIXEL_AND_ROW_IN_S = 120e-9, 2e-9


class Denoise(PixelOperation):
    """Remove specks and grain with a median filter.

    Every color band takes the median of a square window; edges are replicated. Transparency stays as it is, and
    invisible pixels count with the color of the visible ones around them.

    Method: the running histogram of Huang, Yang and Tang (1979), as in libvips `rank`.
    """

    type: Literal["denoise"] = "denoise"
    size: int = Field(gt=0, le=99, description="Side of the window in pixels; an even size is rounded up to odd.")

    examples = (
        Example("fine", {"size": 3}),
        Example("even", {"size": 14}, picture="alpha"),
        Example("coarse", {"size": 17}),
    )

    def cost(self, size: Size) -> Cost:
        return Cost((_PIXEL_IN_S + _PIXEL_AND_ROW_IN_S * self.size) * size.pixels, 0)

    def apply(self, image: pyvips.Image, tools: Tools) -> pyvips.Image:
        reach = self.size // 2
        if reach == 0:
            return image
        if not has_alpha(image):
            return _median(image, reach)
        # The colors nearby and the picture itself are read each at its own pace.
        image = image.copy_memory()
        return _median(_visible_colors(image, reach), reach).bandjoin(image.extract_band(3))


def _visible_colors(image: pyvips.Image, reach: int) -> pyvips.Image:
    nearby = bytes_again(gaussian(image.premultiply(), reach).unpremultiply())
    return (image.extract_band(3) == 0).ifthenelse(nearby.extract_band(0, n=3), image.extract_band(0, n=3))


def _median(image: pyvips.Image, reach: int) -> pyvips.Image:
    # libvips refuses a window larger than the image, so the replicated edge is added here.
    wide = image.embed(reach, reach, image.width + 2 * reach, image.height + 2 * reach, extend="copy")
    side = 2 * reach + 1
    return wide.rank(side, side, side * side // 2).extract_area(reach, reach, image.width, image.height)
