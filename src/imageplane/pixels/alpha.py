"""Transparency: straight alpha between the operations, premultiplied where filters mix neighbors."""

from collections.abc import Callable

import pyvips

from imageplane.pixels.color import bytes_again

PixelFunction = Callable[[pyvips.Image], pyvips.Image]


def has_alpha(image: pyvips.Image) -> bool:
    """Tell whether the last band is alpha."""
    return bool(image.bands == 4)


def mixing(image: pyvips.Image, function: PixelFunction) -> pyvips.Image:
    """Apply a function that mixes neighboring pixels, so that hidden colors under alpha never bleed.

    Method: premultiply, filter, unpremultiply (Porter and Duff, "Compositing Digital Images", 1984).
    """
    if not has_alpha(image):
        return function(image)
    # libvips premultiplies into float, so nothing is lost before the rounding at the end.
    return bytes_again(function(image.premultiply()).unpremultiply())


def on_color(image: pyvips.Image, function: PixelFunction) -> pyvips.Image:
    """Apply a function to the color bands alone and put the alpha back untouched."""
    if not has_alpha(image):
        return function(image)
    return function(image.extract_band(0, n=3)).bandjoin(image.extract_band(3))


def with_alpha(image: pyvips.Image) -> pyvips.Image:
    """Add an opaque alpha band when there is none."""
    return image if has_alpha(image) else image.bandjoin(255).copy(interpretation="srgb")


def flatten(image: pyvips.Image, background: tuple[int, int, int]) -> pyvips.Image:
    """Lay the image on a color; without alpha it stays as it is."""
    # On bytes libvips cuts the fraction off, which darkens by half a step.
    return bytes_again(image.cast("float").flatten(background=list(background))) if has_alpha(image) else image
