"""The two EXIF tags that may be kept: who made a picture, and whose it is."""

from PIL import Image as PillowImage

from imageplane.codecs.formats import Copyright, InputFormat, SourceBytes
from imageplane.codecs.heif import heif_exif
from imageplane.codecs.pillow import opened
from imageplane.errors import ImageplaneError

# EXIF 2.32 §4.6.4: Artist and Copyright.
_KEPT_TAGS = (0x013B, 0x8298)
_READERS = {"jpeg": "JPEG", "png": "PNG", "webp": "WEBP", "tiff": "TIFF", "avif": "AVIF"}


def copyright_of(data: SourceBytes, found: InputFormat) -> Copyright:
    """Give the artist and the copyright that a source names; broken metadata names none."""
    try:
        exif = _exif_of(bytes(data), found)
        texts = [(tag, str(exif.get(tag, "")).strip("\0 ")) for tag in _KEPT_TAGS]
    except (ImageplaneError, OSError, ValueError, SyntaxError, RuntimeError, KeyError, TypeError):
        return ()
    return tuple((tag, text) for tag, text in texts if text)


def _exif_of(data: bytes, found: InputFormat) -> PillowImage.Exif:
    if found in _READERS:
        with opened(data, _READERS[found]) as image:
            return image.getexif()
    exif = PillowImage.Exif()
    if found == "heif":
        exif.load(heif_exif(data))
    return exif


def exif_block(kept: Copyright) -> bytes | None:
    """Give an EXIF block with these tags and nothing else, or None when there are none."""
    if not kept:
        return None
    exif = PillowImage.Exif()
    for tag, text in kept:
        # Pillow reads every byte as Latin-1 but writes ASCII only; bytes it writes as they were.
        exif[tag] = text.encode("latin-1", "replace")
    return exif.tobytes()
