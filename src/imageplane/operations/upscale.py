from typing import Annotated, Any, Literal

import numpy as np
import pyvips
from pydantic import BeforeValidator, Field

from imageplane.deadline import Deadline
from imageplane.errors import ModelUnavailable
from imageplane.models.super_resolution import SuperResolution
from imageplane.operation import Example, PixelOperation, Size, Tools
from imageplane.pixels.alpha import has_alpha
from imageplane.pixels.color import bytes_again


def _number(value: Any) -> Any:
    # The vendor's client for Go sends a string.
    return int(value) if isinstance(value, str) and value in ("2", "3", "4") else value


class Upscale(PixelOperation):
    """Enlarge two, three or four times, with detail that a network makes up as photos have it.

    Method: Real-ESRGAN general x4 v3 on overlapping tiles, held to the picture by back-projection; two and three times
    are made of four times by Lanczos. Transparency is enlarged by Lanczos. It takes about 20 seconds of CPU for a
    megapixel.
    Errors: model_unavailable, image_too_large, deadline_exceeded.
    """

    type: Literal["upscale"] = "upscale"
    factor: Annotated[Literal[2, 3, 4], BeforeValidator(_number)] = Field(description="How many times larger.")

    examples = (Example("twice", {"factor": 2}, picture="stamp"), Example("thrice", {"factor": 3}, picture="stamp"))
    needs_models = True
    random_access = True

    def size_after(self, size: Size) -> Size:
        return Size(size.width * self.factor, size.height * self.factor)

    def apply(self, image: pyvips.Image, tools: Tools) -> pyvips.Image:
        if tools.models is None:
            raise ModelUnavailable("There are no models here that could enlarge.")
        if not has_alpha(image):
            return self._enlarged(image, tools.models.super_resolution, tools.deadline)
        # Premultiplied, so that colors that nobody can see don't bleed.
        colors = bytes_again(image.premultiply().extract_band(0, n=3))
        large = self._enlarged(colors, tools.models.super_resolution, tools.deadline)
        alpha = image.extract_band(3).resize(self.factor, kernel="lanczos3")
        return bytes_again(large.bandjoin(alpha).unpremultiply())

    def _enlarged(self, image: pyvips.Image, network: SuperResolution, deadline: Deadline) -> pyvips.Image:
        large = network.enlarge(np.ascontiguousarray(image.numpy()), self.factor, deadline)
        height, width, bands = large.shape
        result = pyvips.Image.new_from_memory(np.ascontiguousarray(large).data, width, height, bands, "uchar")
        return result.copy(interpretation="srgb")
