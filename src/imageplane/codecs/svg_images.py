"""Pictures embedded in an SVG as data URIs: only JPEG, PNG, GIF and WebP, and only as large as allowed."""

import base64
import binascii
import re
from typing import NamedTuple
from urllib.parse import unquote_to_bytes

import pyvips

from imageplane.errors import ImageTooLarge

_MEDIA_TYPES = frozenset({"image/png", "image/jpeg", "image/jpg", "image/gif", "image/webp"})
_TYPE_OF_LOADER = {
    "pngload_buffer": "image/png",
    "jpegload_buffer": "image/jpeg",
    "gifload_buffer": "image/gif",
    "webpload_buffer": "image/webp",
}
_NOT_BASE64 = re.compile(rb"[^A-Za-z0-9+/]+")


class EmbeddedImage(NamedTuple):
    """A data URI written anew, and the number of pixels that decoding it takes."""

    uri: str
    pixels: int


def embedded_image(uri: str, max_pixels: int) -> EmbeddedImage | None:
    """Give an embedded picture as a plain base64 URI of the type that its bytes really are; None if it is none.

    Errors: `ImageTooLarge` where its header states more than `max_pixels`.
    """
    head, _, body = uri.partition(",")
    media_type, *parameters = (part.strip().casefold() for part in head.removeprefix("data:").split(";"))
    if media_type not in _MEDIA_TYPES:
        return None
    data = unquote_to_bytes(body)
    try:
        if "base64" in parameters:
            bare = _NOT_BASE64.sub(b"", data)
            data = base64.b64decode(bare + b"=" * (-len(bare) % 4))
        header = pyvips.Image.new_from_buffer(data, "")
        real_type = _TYPE_OF_LOADER.get(str(header.get("vips-loader")))
    except (binascii.Error, pyvips.Error):
        return None
    if real_type is None:
        return None
    pixels = header.width * header.height
    if pixels > max_pixels:
        raise ImageTooLarge(f"The SVG holds a picture of {header.width}x{header.height} pixels, which is too large.")
    return EmbeddedImage(f"data:{real_type};base64,{base64.b64encode(data).decode('ascii')}", pixels)
