from typing import Literal, Self

import pyvips
from pydantic import AliasChoices, Field

from imageplane.errors import ImpossibleOperation
from imageplane.operation import Example, OffsetPx, PixelOperation, SidePx, Size, Tools, divides


class Crop(PixelOperation):
    """Cut out a rectangle.

    The rectangle must lie within the picture as it reaches the operation; otherwise the request is refused.
    """

    type: Literal["crop"] = "crop"
    left_in_px: OffsetPx = Field(description="Columns to leave out at the left.")
    top_in_px: OffsetPx = Field(description="Rows to leave out at the top.")
    width_in_px: SidePx = Field(validation_alias=AliasChoices("width_in_px", "width"), description="Width to keep.")
    height_in_px: SidePx = Field(validation_alias=AliasChoices("height_in_px", "height"), description="Height to keep.")

    examples = (
        Example("inner", {"left_in_px": 61, "top_in_px": 35, "width_in_px": 113, "height_in_px": 87}),
        Example("divisible", {"left_in_px": 16, "top_in_px": 8, "width_in_px": 136, "height_in_px": 104}),
    )

    def size_after(self, size: Size) -> Size:
        if self.left_in_px + self.width_in_px > size.width or self.top_in_px + self.height_in_px > size.height:
            raise ImpossibleOperation(
                f"the rectangle of {self.width_in_px}×{self.height_in_px} at ({self.left_in_px}, {self.top_in_px}) "
                f"reaches outside the image, which is {size} here"
            )
        return Size(self.width_in_px, self.height_in_px)

    def scaled_by(self, shrink: float, size: Size) -> Self | None:
        numbers = {name: getattr(self, name) for name in ("left_in_px", "top_in_px", "width_in_px", "height_in_px")}
        if not divides(shrink, *numbers.values()):
            return None
        return self.model_copy(update={name: int(number / shrink) for name, number in numbers.items()})

    def fused_with(self, following: PixelOperation) -> tuple[PixelOperation, ...] | None:
        if not isinstance(following, Crop) or not self._holds(following):
            return None
        offset = {
            "left_in_px": self.left_in_px + following.left_in_px,
            "top_in_px": self.top_in_px + following.top_in_px,
        }
        return (following.model_copy(update=offset),)

    def _holds(self, inner: "Crop") -> bool:
        return (
            inner.left_in_px + inner.width_in_px <= self.width_in_px
            and inner.top_in_px + inner.height_in_px <= self.height_in_px
        )

    def apply(self, image: pyvips.Image, tools: Tools) -> pyvips.Image:
        return image.extract_area(self.left_in_px, self.top_in_px, self.width_in_px, self.height_in_px)
