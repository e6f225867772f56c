"""Sizes and the arithmetic of fitting one rectangle to another."""

import math
from typing import Literal, NamedTuple

import pyvips

# A picture may lie beside its pixels by a quarter of this, in pixels of the result.
_LEAST_LEFTOVER = 0.02
_MOST_PADDING = 256

Fit = Literal["cover", "contain", "fill", "inside", "outside"]


class Size(NamedTuple):
    """Width and height in whole pixels, both at least 1."""

    width: int
    height: int

    @property
    def pixels(self) -> int:
        return self.width * self.height

    def turned(self) -> "Size":
        """Give the size after a quarter turn."""
        return Size(self.height, self.width)

    def __str__(self) -> str:
        return f"{self.width}×{self.height}"


class Shrunk(NamedTuple):
    """How a picture lies on the pixel grid of an image that a decoder has shrunk.

    Takes: `full`, the size before the shrink; `extent`, what the picture covers of the image, in pixels. A JPEG of 473
    columns shrunk by 8 has 60, of which the picture covers 59.125: sizes are computed from the full picture,
    resampling follows the extent.
    """

    full: Size
    extent: tuple[float, float]


def size_of(image: pyvips.Image) -> Size:
    """Give the size of an image."""
    return Size(image.width, image.height)


def scaled_size(size: Size, box: Size, fit: Fit) -> Size:
    """Give the size to which the whole picture is scaled before any crop or padding.

    Method: the five fits of CSS `object-fit` and Sharp's `resize`; halves round up.
    """
    across, down = box.width / size.width, box.height / size.height
    if fit == "fill":
        return box
    if fit == "inside":
        scale = min(across, down, 1.0)
    elif fit == "outside":
        scale = max(across, down, 1.0)
    else:
        scale = max(across, down) if fit == "cover" else min(across, down)
    return Size(
        box.width if scale == across else max(1, int(size.width * scale + 0.5)),
        box.height if scale == down else max(1, int(size.height * scale + 0.5)),
    )


def scale_to(image: pyvips.Image, size: Size, picture: Shrunk | None = None) -> pyvips.Image:
    """Resample to exactly this size.

    Takes: `picture`, when it does not fill the last column or row of the image; it must then become smaller.
    Method: libvips `resize` to shrink: box by whole factors, then Lanczos3; libvips `affine` to enlarge: Catmull-Rom.
    """
    across, down = picture.extent if picture else size_of(image)
    smaller = Size(min(size.width, math.ceil(across)), min(size.height, math.ceil(down)))
    return _enlarged(_reduced(image, smaller, across / smaller.width, down / smaller.height), size)


def _reduced(image: pyvips.Image, size: Size, across: float, down: float) -> pyvips.Image:
    if (across, down) == (1, 1):
        return image
    whole = Size(_whole_length(image.width, across), _whole_length(image.height, down))
    if whole != size_of(image):
        image = image.embed(0, 0, *whole, extend="copy")
    scaled = image.resize(1 / across, vscale=1 / down, kernel="lanczos3")
    return scaled if size_of(scaled) == size else scaled.extract_area(0, 0, *size)


def _whole_length(length: int, factor: float) -> int:
    """Give the length, a little larger perhaps, that a reduction by this factor takes to whole pixels.

    What is left over of a reduction libvips cuts in equal parts from both ends, which moves the picture by up to a
    quarter of a pixel.
    """
    candidates = range(length, length + _MOST_PADDING)
    good = (longer for longer in candidates if _leftover(longer / factor) <= _LEAST_LEFTOVER)
    return next(good, None) or min(candidates, key=lambda longer: _leftover(longer / factor))


def _leftover(length: float) -> float:
    return abs(length - round(length))


def _enlarged(image: pyvips.Image, size: Size) -> pyvips.Image:
    if size_of(image) == size:
        return image
    # `resize` would put the corner of a large pixel where its center belongs.
    return image.affine(
        [size.width / image.width, 0, 0, size.height / image.height],
        interpolate=pyvips.Interpolate.new("bicubic"),
        oarea=[0, 0, *size],
        idx=0.5,
        idy=0.5,
        odx=-0.5,
        ody=-0.5,
        extend="copy",
        premultiplied=True,
    )
