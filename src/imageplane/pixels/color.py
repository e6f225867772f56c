"""Colors as the wire writes them, and color spaces as the operations need them."""

import pyvips

RGB = tuple[int, int, int]


def rgb(hex_color: str) -> RGB:
    """Give the three bytes of `#rrggbb`."""
    return int(hex_color[1:3], 16), int(hex_color[3:5], 16), int(hex_color[5:7], 16)


def opaque(hex_color: str, bands: int) -> list[int]:
    """Give a pixel of this color for an image with this many bands, fully opaque."""
    return [*rgb(hex_color), 255][:bands]


def bytes_again(image: pyvips.Image) -> pyvips.Image:
    """Round to the nearest byte and clip: the way back from float arithmetic to 8-bit sRGB."""
    return (image.rint() if image.format in ("float", "double") else image).cast("uchar").copy(interpretation="srgb")


def luma(image: pyvips.Image) -> pyvips.Image:
    """Give the weighted sum of the color bands as one float band (ITU-R BT.709)."""
    return image.extract_band(0, n=3).recomb(_LUMA_WEIGHTS)


_LUMA_WEIGHTS = pyvips.Image.new_from_array([[0.2126, 0.7152, 0.0722]])
