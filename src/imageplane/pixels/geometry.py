"""Sizes and the arithmetic of fitting one rectangle to another."""

from typing import Literal, NamedTuple

import pyvips

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

    Takes: `picture`, when it does not fill the last column or row of the image.
    Method: libvips `resize`: box shrink by whole factors, then Lanczos3; enlarging is bicubic.
    """
    across, down = picture.extent if picture else size_of(image)
    if (across, down) == size and size_of(image) == size:
        return image
    scaled = image.resize(size.width / across, vscale=size.height / down, kernel="lanczos3")
    if size_of(scaled) == size:
        return scaled
    # A picture that ends inside the last pixel leaves up to one column or row too many; it never leaves too few.
    return scaled.extract_area(0, 0, *size)
