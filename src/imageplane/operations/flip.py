from typing import Literal, Self

import pyvips

from imageplane.operation import Example, PixelOperation, Size, Tools, divides


class Flip(PixelOperation):
    """Mirror top to bottom."""

    type: Literal["flip"] = "flip"

    random_access = True
    examples = (Example("photo", {}), Example("alpha", {}, picture="alpha"))

    def scaled_by(self, shrink: float, size: Size) -> Self | None:
        return self if divides(shrink, size.height) else None

    def fused_with(self, following: PixelOperation) -> tuple[PixelOperation, ...] | None:
        return () if isinstance(following, Flip) else None

    def apply(self, image: pyvips.Image, tools: Tools) -> pyvips.Image:
        return image.flipver()
