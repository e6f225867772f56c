from typing import Literal, Self

import pyvips

from imageplane.operation import Example, PixelOperation, Size, Tools
from imageplane.pixels.alpha import on_color


class InvertColors(PixelOperation):
    """Turn every color into its opposite, as a negative does; alpha stays as it is.

    Method: 255 minus each color value.
    """

    type: Literal["invert_colors"] = "invert_colors"

    examples = (Example("photo", {}), Example("alpha", {}, picture="alpha"))

    def scaled_by(self, shrink: float, size: Size) -> Self | None:
        return self

    def fused_with(self, following: PixelOperation) -> tuple[PixelOperation, ...] | None:
        return () if isinstance(following, InvertColors) else None

    def apply(self, image: pyvips.Image, tools: Tools) -> pyvips.Image:
        return on_color(image, lambda colors: colors.invert())
