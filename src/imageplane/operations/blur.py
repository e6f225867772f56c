from typing import Literal, Self

import pyvips
from pydantic import Field

from imageplane.operation import Example, PixelOperation, Size, Tools
from imageplane.pixels.alpha import mixing
from imageplane.pixels.color import bytes_again
from imageplane.pixels.gaussian import gaussian

# Below this sigma a Gaussian lets through detail that an earlier shrink would have folded into coarser detail.
_LEAST_SIGMA_AFTER_SHRINK = 2


class Blur(PixelOperation):
    """Blur with a Gaussian.

    The edges of the picture are replicated, so they don't darken. Below a sigma of about 0.25 nothing changes that
    8 bits could show.

    Method: a sampled Gaussian, one pass per axis, premultiplied; a large sigma works on a shrunk copy, within one
    step of the exact result on photos.
    """

    type: Literal["blur"] = "blur"
    sigma: float = Field(gt=0, le=1000, description="Standard deviation in pixels.")

    examples = (
        Example("slight", {"sigma": 0.5}),
        Example("soft", {"sigma": 2.7}, picture="alpha"),
        Example("strong", {"sigma": 13.3}),
    )

    def scaled_by(self, shrink: float, size: Size) -> Self | None:
        sigma = self.sigma / shrink
        return self.model_copy(update={"sigma": sigma}) if sigma >= _LEAST_SIGMA_AFTER_SHRINK else None

    def apply(self, image: pyvips.Image, tools: Tools) -> pyvips.Image:
        return bytes_again(mixing(image, lambda bands: gaussian(bands, self.sigma)))
