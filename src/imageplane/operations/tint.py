from typing import Literal

import numpy as np
import pyvips

from imageplane.operation import Example, HexColor, PixelOperation, Tools
from imageplane.pixels.alpha import on_color
from imageplane.pixels.color import rgb

_HALVINGS = 10

# In linear light; what conversions back and forth add to black and white.
_SLACK = 5e-4


class Tint(PixelOperation):
    """Color the picture in shades of one color and keep its luminance.

    Only the chroma of the color counts. Black and white stay black and white; alpha stays as it is.

    Method: CIE Lab at D65: L is the pixel's, a and b are the color's, fading out toward black and white by the weight
    of Sharp, 4·(L/100)·(1 - L/100). Where sRGB has no such color, the chroma gives way until it has, so that the
    luminance is kept. As L follows from the gray value alone, this is one table of 256 colors.
    """

    type: Literal["tint"] = "tint"
    hex_color: HexColor

    examples = (
        Example("sepia", {"hex_color": "#704214"}),
        Example("red", {"hex_color": "e1173d"}),
        Example("alpha", {"hex_color": "#2a6"}, picture="alpha"),
    )

    def apply(self, image: pyvips.Image, tools: Tools) -> pyvips.Image:
        table = _shades(rgb(self.hex_color))
        return on_color(image, lambda colors: colors.colourspace("b-w").maplut(table).copy(interpretation="srgb"))


def _shades(color: tuple[int, int, int]) -> pyvips.Image:
    """Give the tinted color of each of the 256 grays, as a lookup table."""
    lightness = _lab_of(np.repeat(np.arange(256, dtype=np.uint8), 3).reshape(1, 256, 3))[..., :1]
    weight = 4 * (lightness / 100) * (1 - lightness / 100)
    chroma = weight * _lab_of(np.array([[color]], np.uint8))[..., 1:]
    least, most = np.zeros_like(lightness), np.ones_like(lightness)
    for _ in range(_HALVINGS):
        middle = (least + most) / 2
        fits = _exists(np.concatenate([lightness, middle * chroma], axis=-1))
        least, most = np.where(fits, middle, least), np.where(fits, most, middle)
    return _image_of(np.concatenate([lightness, least * chroma], axis=-1)).colourspace("srgb")


def _lab_of(colors: np.ndarray) -> np.ndarray:
    return np.asarray(pyvips.Image.new_from_array(colors).copy(interpretation="srgb").colourspace("lab").numpy())


def _image_of(lab: np.ndarray) -> pyvips.Image:
    return pyvips.Image.new_from_array(lab.astype(np.float32)).copy(interpretation="lab")


def _exists(lab: np.ndarray) -> np.ndarray:
    """Tell which of these colors lie within sRGB."""
    linear = _image_of(lab).colourspace("scrgb").numpy()
    return np.asarray(((linear >= -_SLACK) & (linear <= 1 + _SLACK)).all(axis=-1, keepdims=True))
