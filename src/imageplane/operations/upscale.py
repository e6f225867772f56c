from typing import Annotated, Any, Literal

import numpy as np
import pyvips
from pydantic import BeforeValidator, Field

from imageplane.deadline import Deadline
from imageplane.errors import ModelUnavailable
from imageplane.models.super_resolution import SuperResolution
from imageplane.operation import Cost, Example, PixelOperation, Size, Tools, size_of
from imageplane.pixels.alpha import has_alpha
from imageplane.pixels.color import bytes_again
from imageplane.pixels.geometry import scale_to


def _number(value: Any) -> Any:
    # The vendor's client for Go sends a string.
    return int(value) if isinstance(value, str) and value in ("2", "3", "4") else value


# How colors spread to where nothing can be seen: the near ones first, others as far as the network looks.
_NEAR_SIGMA, _FAR_SIGMA, _NEARNESS = 1.0, 8.0, 1000.0
_NOTHING = 1e-6
# A color with less opacity than this was rounded too roughly to be believed.
_LEAST_OPACITY = 32

_PIXEL_IN_S = 20e-6
_NETWORK_IN_BYTES = 200_000_000


class Upscale(PixelOperation):
    """Enlarge two, three or four times, with detail that a network makes up as photos have it.

    Method: Real-ESRGAN general x4 v3 on overlapping tiles, held to the picture by back-projection; two and three times
    are made of four times by Lanczos. Transparency is enlarged by Catmull-Rom. It takes about 20 seconds of CPU for
    a megapixel.
    Errors: model_unavailable, image_too_large, deadline_exceeded.
    """

    type: Literal["upscale"] = "upscale"
    factor: Annotated[Literal[2, 3, 4], BeforeValidator(_number)] = Field(description="How many times larger.")

    examples = (Example("twice", {"factor": 2}, picture="stamp"), Example("thrice", {"factor": 3}, picture="stamp"))
    needs_models = True
    random_access = True

    def size_after(self, size: Size) -> Size:
        return Size(size.width * self.factor, size.height * self.factor)

    def cost(self, size: Size) -> Cost:
        return Cost(_PIXEL_IN_S * size.pixels, _NETWORK_IN_BYTES)

    def apply(self, image: pyvips.Image, tools: Tools) -> pyvips.Image:
        if tools.models is None:
            raise ModelUnavailable("There are no models here that could enlarge.")
        if not has_alpha(image):
            return self._enlarged(image, tools.models.super_resolution, tools.deadline)
        large = self._enlarged(_spread(image), tools.models.super_resolution, tools.deadline)
        alpha = bytes_again(scale_to(image.extract_band(3).cast("float"), size_of(large)))
        return (alpha > 0).ifthenelse(large, 0).bandjoin(alpha).copy(interpretation="srgb")

    def _enlarged(self, image: pyvips.Image, network: SuperResolution, deadline: Deadline) -> pyvips.Image:
        large = network.enlarge(np.ascontiguousarray(image.numpy()), self.factor, deadline)
        height, width, bands = large.shape
        result = pyvips.Image.new_from_memory(np.ascontiguousarray(large).data, width, height, bands, "uchar")
        return result.copy(interpretation="srgb")


def _spread(image: pyvips.Image) -> pyvips.Image:
    """Give the colors without alpha, where nothing can be seen those of what can be seen nearby.

    A network takes any other color there for a part of the picture, and draws an edge along it.
    """
    alpha = image.extract_band(3)
    visible = image.premultiply()
    near, far = (visible.gaussblur(sigma, min_ampl=0.01) for sigma in (_NEAR_SIGMA, _FAR_SIGMA))
    spread = near * _NEARNESS + far
    around = spread.extract_band(0, n=3) * 255 / (spread.extract_band(3) + _NOTHING)
    belief = (alpha > _LEAST_OPACITY).ifthenelse(1, alpha / _LEAST_OPACITY)
    return bytes_again(image.extract_band(0, n=3) * belief + around * (1 - belief))
