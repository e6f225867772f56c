from typing import Literal, Self

import numpy as np
import pyvips
from numpy.typing import NDArray
from pydantic import AliasChoices, Field, PrivateAttr

from imageplane.codecs.formats import OutputFormat
from imageplane.errors import ModelUnavailable
from imageplane.operation import Cost, Example, HexColor, PixelOperation, Size, Tools
from imageplane.pixels.alpha import flatten
from imageplane.pixels.color import rgb

_WITHOUT_ALPHA = ("jpeg", "gif")
# What is brighter on the whole could not be told from white.
_BRIGHT = 220

_NETWORK_IN_S, _PIXEL_IN_S = 0.9, 100e-9
_NETWORK_IN_BYTES, _PIXEL_IN_BYTES = 170_000_000, 12


class RemoveBackground(PixelOperation):
    """Cut out what stands in front: the background becomes transparent, or one color.

    It is filled where a color is given, and with white where the format in effect can't be transparent (JPEG, GIF).
    The colors of hair and edges are freed of the background that shone through.

    Method: U²-Net says what is in front; a local color model says where exactly, at full size (`models/matting.py`).
    Errors: model_unavailable.
    """

    type: Literal["remove_background"] = "remove_background"
    background_hex_color: HexColor | None = Field(
        None,
        validation_alias=AliasChoices("background_hex_color", "hex_color"),
        description="An RGB color such as `#1a2b3c` for the background; the `#` may be left out.",
    )

    examples = (Example("transparent", {}), Example("filled", {"background_hex_color": "#c83c28"}))
    needs_models = True
    random_access = True

    _is_opaque: bool = PrivateAttr(default=False)

    def for_format(self, format: OutputFormat) -> Self:  # noqa: A002
        same = self.model_copy()
        same._is_opaque = format in _WITHOUT_ALPHA
        return same

    def cost(self, size: Size) -> Cost:
        return Cost(_NETWORK_IN_S + _PIXEL_IN_S * size.pixels, _NETWORK_IN_BYTES + _PIXEL_IN_BYTES * size.pixels)

    def apply(self, image: pyvips.Image, tools: Tools) -> pyvips.Image:
        if tools.models is None:
            raise ModelUnavailable("There are no models here that could tell the background.")
        pixels = np.asarray(image.numpy())
        cut = tools.models.matting.cut_out(_visible(pixels))
        if pixels.shape[2] == 4:
            cut[:, :, 3] = (cut[:, :, 3].astype(np.uint16) * pixels[:, :, 3] + 127) // 255
        height, width, bands = cut.shape
        result = pyvips.Image.new_from_memory(np.ascontiguousarray(cut).data, width, height, bands, "uchar")
        result = result.copy(interpretation="srgb")
        if self.background_hex_color is None and not self._is_opaque:
            return result
        return flatten(result, rgb(self.background_hex_color or "#ffffff"))


def _visible(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Give the colors (H, W, 3), white or black where nobody can see them, whichever the rest stands out from."""
    colors = np.ascontiguousarray(pixels[:, :, :3])
    if pixels.shape[2] == 4:
        is_hidden = pixels[:, :, 3] == 0
        is_bright = not is_hidden.all() and np.mean(colors, where=~is_hidden[..., None]) > _BRIGHT
        colors[is_hidden] = 0 if is_bright else 255
    return colors
