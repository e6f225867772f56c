from typing import Literal, Self

import pyvips

from imageplane.operation import Example, HexColor, PixelOperation, Size, Tools
from imageplane.pixels.alpha import flatten
from imageplane.pixels.color import rgb


class RemoveTransparency(PixelOperation):
    """Lay the picture on a color; without transparency it stays as it is.

    Method: the operator "over" of Porter and Duff, "Compositing Digital Images", 1984.
    """

    type: Literal["remove_transparency"] = "remove_transparency"
    hex_color: HexColor

    examples = (
        Example("alpha", {"hex_color": "#2a6b1f"}, picture="alpha"),
        Example("opaque", {"hex_color": "fff"}),
    )

    def scaled_by(self, shrink: float, size: Size) -> Self | None:
        return self

    def fused_with(self, following: PixelOperation) -> tuple[PixelOperation, ...] | None:
        return (self,) if isinstance(following, RemoveTransparency) else None

    def apply(self, image: pyvips.Image, tools: Tools) -> pyvips.Image:
        return flatten(image, rgb(self.hex_color))
