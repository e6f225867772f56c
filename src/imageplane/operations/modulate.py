import math
from typing import Literal, Self

import pyvips
from pydantic import ConfigDict, Field, model_validator

from imageplane.operation import Example, PixelOperation, Size, Tools
from imageplane.pixels.alpha import on_color


class Modulate(PixelOperation):
    """Change brightness, saturation and hue; at least one of them must be given.

    Colors that leave sRGB on the way are clipped; alpha stays as it is.

    Method: CIE LCh at D65: lightness and chroma are multiplied, the hue is turned. The turn is done as a rotation of
    a and b in CIE Lab, which is the same and spares two conversions.
    """

    model_config = ConfigDict(
        json_schema_extra={"anyOf": [{"required": [name]} for name in ("brightness", "saturation", "hue")]}
    )

    type: Literal["modulate"] = "modulate"
    brightness: float | None = Field(
        default=None, ge=0, le=100, description="Multiplies the lightness; 1 leaves it unchanged."
    )
    saturation: float | None = Field(
        default=None, ge=0, le=100, description="Multiplies the chroma; 1 leaves it unchanged, 0 makes gray."
    )
    hue: float | None = Field(default=None, description="Turns the hue by so many degrees, in either direction.")

    examples = (
        Example("all", {"brightness": 1.13, "saturation": 0.73, "hue": -47}),
        Example("hue", {"hue": 473}, picture="alpha"),
        Example("vivid", {"brightness": 0.87, "saturation": 1.61}, picture="alpha"),
    )

    @model_validator(mode="after")
    def _changes_something(self) -> Self:
        if self.brightness is None and self.saturation is None and self.hue is None:
            raise ValueError("expected at least one of brightness, saturation and hue")
        return self

    @property
    def _factors(self) -> tuple[float, float, float]:
        """Give the factors of lightness and chroma, and the turn in degrees from 0 to 360."""
        lightness = 1.0 if self.brightness is None else self.brightness
        chroma = 1.0 if self.saturation is None else self.saturation
        return lightness, chroma, (self.hue or 0.0) % 360

    @property
    def _is_identity(self) -> bool:
        return self._factors == (1, 1, 0)

    def scaled_by(self, shrink: float, size: Size) -> Self | None:
        return self if self._is_identity else None

    def apply(self, image: pyvips.Image, tools: Tools) -> pyvips.Image:
        if self._is_identity:
            return image
        lightness, chroma, turn = self._factors
        return on_color(image, lambda colors: _modulated(colors, lightness, chroma, math.radians(turn)))


def _modulated(colors: pyvips.Image, lightness: float, chroma: float, turn: float) -> pyvips.Image:
    lab = colors.colourspace("lab")
    if turn == 0:
        return lab.linear([lightness, chroma, chroma], [0, 0, 0]).colourspace("srgb")
    along, across = chroma * math.cos(turn), chroma * math.sin(turn)
    matrix = pyvips.Image.new_from_array([[lightness, 0, 0], [0, along, -across], [0, across, along]])
    return lab.recomb(matrix).copy(interpretation="lab").colourspace("srgb")
