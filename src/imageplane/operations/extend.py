from typing import Literal, Self

import pyvips
from pydantic import Field

from imageplane.operation import Example, HexColor, OffsetPx, PixelOperation, Size, Tools, divides
from imageplane.pixels.color import opaque

_SIDES = ("top_in_px", "bottom_in_px", "left_in_px", "right_in_px")


class Extend(PixelOperation):
    """Add a border of one color.

    The border is opaque; a transparent picture keeps its own transparency within it.
    """

    type: Literal["extend"] = "extend"
    top_in_px: OffsetPx = Field(description="Rows to add at the top.")
    bottom_in_px: OffsetPx = Field(description="Rows to add at the bottom.")
    left_in_px: OffsetPx = Field(description="Columns to add at the left.")
    right_in_px: OffsetPx = Field(description="Columns to add at the right.")
    hex_color: HexColor = Field(description="Color of the border, such as `#1a2b3c`.")

    examples = (
        Example(
            "uneven",
            {"top_in_px": 7, "bottom_in_px": 13, "left_in_px": 29, "right_in_px": 3, "hex_color": "#b03a2e"},
        ),
        Example(
            "corner",
            {"top_in_px": 16, "bottom_in_px": 0, "left_in_px": 8, "right_in_px": 0, "hex_color": "#2266aa"},
            picture="alpha",
        ),
        Example(
            "divisible",
            {"top_in_px": 24, "bottom_in_px": 8, "left_in_px": 16, "right_in_px": 40, "hex_color": "#2266aa"},
        ),
    )

    def size_after(self, size: Size) -> Size:
        return Size(
            self.left_in_px + size.width + self.right_in_px,
            self.top_in_px + size.height + self.bottom_in_px,
        )

    def scaled_by(self, shrink: float, size: Size) -> Self | None:
        # A border at the right or the bottom begins where the picture ends, so that edge must lie on the small grid.
        ends = (size.width if self.right_in_px else 0, size.height if self.bottom_in_px else 0)
        widths = {side: getattr(self, side) for side in _SIDES}
        if not divides(shrink, *widths.values(), *ends):
            return None
        return self.model_copy(update={side: int(width / shrink) for side, width in widths.items()})

    def fused_with(self, following: PixelOperation) -> tuple[PixelOperation, ...] | None:
        if not isinstance(following, Extend) or following.hex_color != self.hex_color:
            return None
        sums = {side: getattr(self, side) + getattr(following, side) for side in _SIDES}
        return (following.model_copy(update=sums),)

    def apply(self, image: pyvips.Image, tools: Tools) -> pyvips.Image:
        size = self.size_after(Size(image.width, image.height))
        background = opaque(self.hex_color, image.bands)
        return image.embed(self.left_in_px, self.top_in_px, *size, extend="background", background=background)
