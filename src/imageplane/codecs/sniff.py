"""Which format some bytes are, told by the bytes alone: names and media types are hints that lie."""

from imageplane.codecs.formats import InputFormat, SourceBytes
from imageplane.codecs.svg import looks_like_svg

_SIGNATURES: tuple[tuple[bytes, InputFormat], ...] = (
    (b"\xff\xd8\xff", "jpeg"),
    (b"\x89PNG\r\n\x1a\n", "png"),
    (b"GIF87a", "gif"),
    (b"GIF89a", "gif"),
    (b"II*\0", "tiff"),
    (b"MM\0*", "tiff"),
    (b"II+\0", "tiff"),
    (b"MM\0+", "tiff"),
    (b"BM", "bmp"),
)
_SVG_START_IN_BYTES = 262_144
_AVIF_BRANDS = {b"avif", b"avis"}
_HEIF_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"mif1", b"msf1", b"hevc", b"hevx"}


def sniff(data: SourceBytes) -> InputFormat | None:
    """Give the format whose signature the bytes carry, or None."""
    head = bytes(data[:16])
    for signature, found in _SIGNATURES:
        if head.startswith(signature):
            return found
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "webp"
    if head[4:8] == b"ftyp":
        return _of_brands(data)
    # An engine maps its source, and a map knows no string methods.
    return "svg" if looks_like_svg(bytes(data[:_SVG_START_IN_BYTES])) else None


def _of_brands(data: SourceBytes) -> InputFormat | None:
    # ISO/IEC 14496-12: the major brand, four bytes of version, then the compatible brands to the end of the box.
    end = min(int.from_bytes(data[:4], "big"), 256)
    brands = [bytes(data[8:12]), *(bytes(data[at : at + 4]) for at in range(16, end - 3, 4))]
    for brand in brands:
        if brand in _AVIF_BRANDS:
            return "avif"
        if brand in _HEIF_BRANDS - {b"mif1", b"msf1"}:
            return "heif"
    return "heif" if _HEIF_BRANDS.intersection(brands) else None
