from typing import Literal

import numpy as np
import pyvips

from imageplane.operation import Example, PixelOperation, Tools
from imageplane.pixels.alpha import has_alpha, on_color

_DARK, _BRIGHT = 0.01, 0.99


class AutoContrast(PixelOperation):
    """Stretch the contrast so that the picture reaches from black to white.

    Hue and alpha stay as they are. Transparent pixels have no say, translucent ones less; all frames of an animation
    are stretched alike. A picture of a single lightness stays as it is.

    Method: the 1st and 99th percentiles of L in CIE Lab at D65 move to 0 and 100, as in Sharp's `normalise`.
    """

    type: Literal["auto_contrast"] = "auto_contrast"

    random_access = True
    examples = (Example("photo", {}), Example("alpha", {}, picture="alpha"))

    def apply(self, image: pyvips.Image, tools: Tools) -> pyvips.Image:
        return self.apply_to_frames([image], tools)[0]

    def apply_to_frames(self, frames: list[pyvips.Image], tools: Tools) -> list[pyvips.Image]:
        held = [frame.copy_memory() for frame in frames]
        dark, bright = _lightness_range(held)
        if bright - dark <= 1:
            return held
        gain = 100 / (bright - dark)

        def stretched(colors: pyvips.Image) -> pyvips.Image:
            return colors.colourspace("lab").linear([gain, 1, 1], [-gain * dark, 0, 0]).colourspace("srgb")

        return [on_color(frame, stretched) for frame in held]


def _lightness_range(frames: list[pyvips.Image]) -> tuple[float, float]:
    """Give L of the darkest and the brightest pixel that count, from 0 to 100."""
    weights = np.zeros(65_536)
    for frame in frames:
        found = _histogram(frame).numpy().ravel()
        weights[: found.size] += found
    summed = np.cumsum(weights)
    levels = np.searchsorted(summed, np.array([_DARK, _BRIGHT]) * summed[-1]).astype(np.uint16)
    gray = pyvips.Image.new_from_array(levels.reshape(1, 2)).copy(interpretation="grey16")
    dark, bright = gray.colourspace("lab").numpy()[0, :, 0]
    return float(dark), float(bright)


def _histogram(image: pyvips.Image) -> pyvips.Image:
    """Give how often every 16-bit gray value occurs; a pixel counts as much as it is opaque."""
    if not has_alpha(image):
        return image.colourspace("grey16").hist_find()
    gray = image.extract_band(0, n=3).colourspace("grey16")
    return image.extract_band(3).hist_find_indexed(gray)
