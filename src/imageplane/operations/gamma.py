from typing import Literal, Self

import numpy as np
import pyvips
from pydantic import Field

from imageplane.operation import Example, PixelOperation, Size, Tools


class Gamma(PixelOperation):
    """Brighten or darken the middle tones; black, white and alpha stay as they are.

    Method: 255·(value/255)^(1/gamma) for each color value, from a table.
    """

    type: Literal["gamma"] = "gamma"
    gamma: float = Field(ge=0.01, le=10, description="Below 1 darkens, above 1 brightens, 1 changes nothing.")

    examples = (
        Example("brighter", {"gamma": 2.17}),
        Example("darker", {"gamma": 0.47}, picture="alpha"),
    )

    def scaled_by(self, shrink: float, size: Size) -> Self | None:
        return self if self.gamma == 1 else None

    def apply(self, image: pyvips.Image, tools: Tools) -> pyvips.Image:
        if self.gamma == 1:
            return image
        values = np.arange(256)
        table = np.repeat(values[:, None], image.bands, axis=1)
        table[:, :3] = np.rint(255 * (values / 255) ** (1 / self.gamma))[:, None]
        return image.maplut(pyvips.Image.new_from_array(table.astype(np.uint8)[None]))
