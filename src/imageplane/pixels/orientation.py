"""EXIF orientation: turning a picture upright."""

import pyvips

UPRIGHT = 1


def is_turned(orientation: int) -> bool:
    """Tell whether making upright exchanges width and height."""
    return 5 <= orientation <= 8


def upright(image: pyvips.Image, orientation: int) -> pyvips.Image:
    """Turn an image upright; unknown values leave it as it is.

    Takes: an image in any order of access; it is held in memory when it must be read out of order.
    Method: libvips `autorot`, after the eight orientations of EXIF 2.32 §4.6.4.
    """
    if orientation == UPRIGHT or not 1 <= orientation <= 8:
        return image
    tagged = image.copy_memory().copy()
    tagged.set_type(pyvips.GValue.gint_type, "orientation", orientation)
    return tagged.autorot()
