import math
from typing import Literal

import pyvips
from pydantic import Field

from imageplane.operation import Example, PixelOperation, Tools
from imageplane.pixels.alpha import has_alpha
from imageplane.pixels.color import bytes_again
from imageplane.pixels.gaussian import gaussian

# How much of what the Gaussian takes away is added. Nearest to libvips `sharpen` with Sharp's defaults, on photos.
AMOUNT = 1.2

# Between these sigmas a mask of 3×3 holds the Gaussian, and 32nds tell its weights apart.
_SMALL_SIGMAS = (0.4, 0.75)


class Sharpen(PixelOperation):
    """Sharpen edges and texture.

    Transparency stays as it is, and colors that lie hidden under it have no influence.

    Method: unsharp mask: 1.2 times the difference to a Gaussian blur is added to every color band.
    """

    type: Literal["sharpen"] = "sharpen"
    sigma: float = Field(gt=0, le=1000, description="Standard deviation of the blur in pixels; 0.5 to 2 is usual.")

    examples = (
        Example("slight", {"sigma": 0.5}),
        Example("clear", {"sigma": 1.3}, picture="alpha"),
        Example("wide", {"sigma": 7.1}, max_delta=3),
    )

    def apply(self, image: pyvips.Image, tools: Tools) -> pyvips.Image:
        if not has_alpha(image) and _SMALL_SIGMAS[0] <= self.sigma <= _SMALL_SIGMAS[1]:
            return image.conv(_mask(self.sigma), precision="integer")
        # The blur and the difference to it read every pixel, each at its own pace.
        image = image.copy_memory()
        if has_alpha(image):
            # Premultiplied blur divided by blurred alpha: the mean of the visible neighbors, without a rim.
            blurred = gaussian(image.premultiply(), self.sigma).unpremultiply().extract_band(0, n=3)
            return _unsharp(image.extract_band(0, n=3), blurred).bandjoin(image.extract_band(3))
        return _unsharp(image, gaussian(image, self.sigma))


def _unsharp(image: pyvips.Image, blurred: pyvips.Image) -> pyvips.Image:
    return bytes_again(image * (1 + AMOUNT) - blurred * AMOUNT)


def _mask(sigma: float) -> pyvips.Image:
    # The vector code of libvips keeps 32nds for weights between 1 and 2, drops what is finer, and shifts the
    # brightness by what it drops. A mask of whole 32nds with a sum of 1 is exact there.
    beside = math.exp(-0.5 / sigma**2)
    center = 1 / (1 + 2 * beside) ** 2
    edge = round(32 * AMOUNT * center * beside)
    corner = round(8 * AMOUNT * (1 - center)) - edge
    middle = 32 + 4 * (edge + corner)
    rows = [[-corner, -edge, -corner], [-edge, middle, -edge], [-corner, -edge, -corner]]
    return pyvips.Image.new_from_array(rows, scale=32)
