"""SVG to pixels: sniffing, size and drawing, after everything but shapes has been taken out.

Text is drawn with the fonts that this machine has; where it has none, text is left out and the rest is drawn.
"""

import io
import math
from collections.abc import Mapping

import numpy as np
import resvg_py
from numpy.typing import NDArray
from PIL.PngImagePlugin import PngImageFile

from imageplane.codecs.svg_cost import check_cost
from imageplane.codecs.svg_fonts import GenericFamilies, generic_families
from imageplane.codecs.svg_length import length_in_px, numbers
from imageplane.codecs.svg_sanitize import Element, read_svg, root_attributes, text_start, unpacked, write_svg
from imageplane.errors import ImageTooLarge, UndecodableImage

MAX_SIDE_IN_PX = 1_000_000

_FIRST_BYTES = (b"<", b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")


def looks_like_svg(data: bytes) -> bool:
    """Say whether the first element of the bytes is an SVG root, packed with gzip or not."""
    start = text_start(data)
    if not start.startswith(_FIRST_BYTES) or start[:5].lower() == b"<?php":
        return False
    try:
        root_attributes(start)
    except UndecodableImage:
        return False
    return True


def svg_size(data: bytes) -> tuple[int, int]:
    """Give the size in CSS pixels (96 to the inch) that an SVG states by width and height, or by its viewBox.

    Method: CSS Images 3 §5: a missing or relative side follows from the other one and the viewBox; without a
    viewBox the size is unknown and the picture refused.
    Errors: `UndecodableImage` for what is no SVG or has no size, `ImageTooLarge` beyond a million pixels a side.
    """
    width, height = _stated_size(root_attributes(unpacked(data)))
    return _rounded(width), _rounded(height)


def render_svg(data: bytes, scale: float, max_pixels: int) -> NDArray[np.uint8]:
    """Draw an SVG at `scale` times its own size.

    Gives: (H, W, 4) uint8 sRGB with straight alpha; H and W are `svg_size` times `scale`, rounded, at least 1.
    Method: resvg, on a document written anew from a sanitized tree whose drawing cost has been bounded.
    Errors: `UndecodableImage` for broken, boundless or undrawable SVGs, `ImageTooLarge` above `max_pixels`.
    """
    text = unpacked(data)
    stated = _stated_size(root_attributes(text))
    width, height = (max(1, round(_rounded(side) * scale)) for side in stated)
    if width * height > max_pixels:
        raise ImageTooLarge(f"The SVG would be drawn at {width}x{height} pixels, more than the {max_pixels:,} allowed.")
    root = read_svg(text, max_pixels)
    scale_to_px = _set_viewport(root, stated, width, height)
    check_cost(root, width * height, scale_to_px)
    return _drawn(write_svg(root), (height, width, 4))


def _stated_size(attributes: Mapping[str, str]) -> tuple[float, float]:
    width, height = (length_in_px(attributes.get(side, "")) for side in ("width", "height"))
    box = _view_box(attributes)
    if box is not None:
        ratio = box[2] / box[3]
        if width is None and height is None:
            width, height = box[2], box[3]
        width = height * ratio if width is None and height is not None else width
        height = width / ratio if height is None and width is not None else height
    if width is None or height is None:
        raise UndecodableImage("The SVG states no size: it needs a width and a height, or a viewBox.")
    if not (width > 0 and height > 0):
        raise UndecodableImage("The SVG states a width or a height that is not above zero.")
    if max(width, height) > MAX_SIDE_IN_PX:
        raise ImageTooLarge(f"The SVG states a size of more than {MAX_SIDE_IN_PX:,} pixels a side.")
    return width, height


def _view_box(attributes: Mapping[str, str]) -> tuple[float, float, float, float] | None:
    box = numbers(attributes.get("viewBox", ""))
    if len(box) != 4 or not (0 < box[2] < math.inf and 0 < box[3] < math.inf):
        return None
    return box[0], box[1], box[2], box[3]


def _set_viewport(root: Element, stated: tuple[float, float], width: int, height: int) -> float:
    """Make the root exactly as large as wanted; gives the scale from user units to pixels."""
    attributes = root.attributes
    box = _view_box(attributes)
    if box is None:
        box = (0.0, 0.0, *stated)
        attributes["preserveAspectRatio"] = "none"
    fit = min(stated[0] / box[2], stated[1] / box[3])
    if all(stated[i] - box[2 + i] * fit < min(1.0, 0.02 * stated[i]) for i in (0, 1)):
        # Sizes rounded to whole pixels must leave no translucent seam at the border.
        attributes["preserveAspectRatio"] = "none"
    attributes.update(width=str(width), height=str(height), viewBox=" ".join(map(repr, box)))
    return max(width / box[2], height / box[3])


def _rounded(side_in_px: float) -> int:
    return max(1, math.floor(side_in_px + 0.5))


def _drawn(text: str, shape: tuple[int, int, int]) -> NDArray[np.uint8]:
    # Loading the system's fonts costs more than drawing an icon.
    has_text = "<text" in text
    fonts = generic_families() if has_text else GenericFamilies()
    try:
        png = resvg_py.svg_to_bytes(
            svg_string=text,
            skip_system_fonts=not has_text,
            dpi=96.0,
            serif_family=fonts.serif,
            sans_serif_family=fonts.sans_serif,
            monospace_family=fonts.monospace,
        )
        # Pillow costs a tenth of libvips for an icon; its own size warnings, which `Image.open` gives, are not wanted.
        pixels: NDArray[np.uint8] = np.array(PngImageFile(io.BytesIO(png)))
    except BaseException as error:
        # A panic of the renderer arrives as a BaseException of no importable type.
        if isinstance(error, KeyboardInterrupt | SystemExit | GeneratorExit):
            raise
        raise UndecodableImage("The SVG cannot be drawn.", detail=f"{type(error).__name__}: {error}") from None
    if pixels.shape != shape or pixels.dtype != np.uint8:
        raise UndecodableImage("The SVG cannot be drawn.", detail=f"drawn as {pixels.shape}, wanted {shape}")
    return pixels
