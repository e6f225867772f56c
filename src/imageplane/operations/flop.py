from typing import Literal, Self

import pyvips

from imageplane.operation import Example, PixelOperation, Size, Tools, divides


class Flop(PixelOperation):
    """Mirror left to right."""

    type: Literal["flop"] = "flop"

    examples = (Example("photo", {}), Example("alpha", {}, picture="alpha"))

    def scaled_by(self, shrink: float, size: Size) -> Self | None:
        return self if divides(shrink, size.width) else None

    def fused_with(self, following: PixelOperation) -> tuple[PixelOperation, ...] | None:
        return () if isinstance(following, Flop) else None

    def apply(self, image: pyvips.Image, tools: Tools) -> pyvips.Image:
        return image.fliphor()
