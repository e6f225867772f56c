import math
from typing import Literal, Self

import pyvips
from pydantic import Field

from imageplane.operation import Example, HexColor, PixelOperation, Size, Tools, divides, size_of
from imageplane.pixels.alpha import has_alpha, mixing
from imageplane.pixels.color import bytes_again, opaque

_QUARTERS = {90: "rot90", 180: "rot180", 270: "rot270"}


class Rotate(PixelOperation):
    """Turn the picture clockwise.

    Right angles are exact. Any other angle lets the canvas grow until the whole picture fits, and fills the corners
    with an opaque color.

    Method: bicubic about the center, premultiplied (libvips `affine`).
    """

    type: Literal["rotate"] = "rotate"
    angle_in_degrees: float = Field(description="Clockwise angle; it may be negative or more than a whole turn.")
    hex_color: HexColor = Field(default="#000000", description="Color of the corners, such as `#1a2b3c`.")

    random_access = True
    examples = (
        Example("right", {"angle_in_degrees": 90}),
        Example("back", {"angle_in_degrees": -90.0}, picture="alpha"),
        Example("half", {"angle_in_degrees": 540}),
        Example("slanted", {"angle_in_degrees": 33.7, "hex_color": "#2266aa"}, max_delta=3),
        Example("soft", {"angle_in_degrees": -101.3, "hex_color": "#f4d03f"}, picture="alpha", max_delta=3),
    )

    @property
    def _angle(self) -> float:
        # A tiny negative angle rounds to a whole turn, so one remainder is not enough.
        return self.angle_in_degrees % 360 % 360

    @property
    def _is_right(self) -> bool:
        return self._angle % 90 == 0

    @property
    def _cos_and_sin(self) -> tuple[float, float]:
        angle = math.radians(self._angle)
        return math.cos(angle), math.sin(angle)

    def size_after(self, size: Size) -> Size:
        if self._is_right:
            return Size(size.height, size.width) if self._angle % 180 else size
        across, along = (abs(part) for part in self._cos_and_sin)
        width, height = size.width * across + size.height * along, size.width * along + size.height * across
        # Less than a thousandth of a pixel shows nothing, but rounding errors would cost a column.
        return Size(math.ceil(width - 0.001), math.ceil(height - 0.001))

    def scaled_by(self, shrink: float, size: Size) -> Self | None:
        if not self._is_right:
            return None
        # The bottom edge comes to the left or the top at 90 and 180 degrees, the right edge at 180 and 270.
        moved = {0: (), 90: (size.height,), 180: tuple(size), 270: (size.width,)}[int(self._angle)]
        return self if divides(shrink, *moved) else None

    def fused_with(self, following: PixelOperation) -> tuple[PixelOperation, ...] | None:
        if not isinstance(following, Rotate) or not (self._is_right and following._is_right):
            return None
        angle = (self._angle + following._angle) % 360
        return (following.model_copy(update={"angle_in_degrees": angle}),) if angle else ()

    def apply(self, image: pyvips.Image, tools: Tools) -> pyvips.Image:
        if self._is_right:
            return getattr(image, _QUARTERS[int(self._angle)])() if self._angle else image
        return bytes_again(mixing(image, self._turned))

    def _turned(self, image: pyvips.Image) -> pyvips.Image:
        cos, sin = self._cos_and_sin
        canvas = self.size_after(size_of(image))
        return image.affine(
            [cos, -sin, sin, cos],
            interpolate=pyvips.Interpolate.new("bicubic"),
            oarea=[0, 0, *canvas],
            idx=(1 - image.width) / 2,
            idy=(1 - image.height) / 2,
            odx=(canvas.width - 1) / 2,
            ody=(canvas.height - 1) / 2,
            extend="background",
            background=opaque(self.hex_color, image.bands),
            premultiplied=has_alpha(image),
        )
