"""What decoders and encoders take, for guesses only: CPU time of one core of 2020 or later, rounded."""

from dataclasses import dataclass
from typing import Final

from imageplane.codecs.formats import InputFormat, OutputFormat
from imageplane.codecs.header import Header


@dataclass(frozen=True, slots=True)
class _Decoder:
    """Nanoseconds for each byte of the file, each pixel of the source, and each pixel that is given."""

    byte_in_ns: float = 0.0
    source_pixel_in_ns: float = 0.0
    pixel_in_ns: float = 4.0


_DECODERS: Final[dict[InputFormat, _Decoder]] = {
    "jpeg": _Decoder(byte_in_ns=6),
    "png": _Decoder(source_pixel_in_ns=10),
    "webp": _Decoder(source_pixel_in_ns=6),
    "gif": _Decoder(source_pixel_in_ns=8),
    "avif": _Decoder(source_pixel_in_ns=11, pixel_in_ns=12),
    "heif": _Decoder(byte_in_ns=180),
    "tiff": _Decoder(source_pixel_in_ns=6),
    "bmp": _Decoder(source_pixel_in_ns=2),
}
# Every scan of a progressive file is read before its first pixel.
_PROGRESSIVE: Final = _Decoder(byte_in_ns=35)
_PIXEL_WRITTEN_IN_NS: Final[dict[OutputFormat, float]] = {
    "jpeg": 15,
    "png": 60,
    "webp": 35,
    "gif": 60,
    "avif": 110,
    "heif": 1200,
}
# What an encoder that must meet a size tries.
_TRIES: Final = 6


def decoding_in_s(header: Header, pixels: int) -> float:
    """Give what it takes to decode a source to so many pixels, all frames together."""
    decoder = _PROGRESSIVE if header.is_progressive else _DECODERS.get(header.format, _Decoder())
    source = header.size.pixels * header.frames
    spent_in_ns = (
        decoder.byte_in_ns * header.size_in_bytes + decoder.source_pixel_in_ns * source + decoder.pixel_in_ns * pixels
    )
    return spent_in_ns / 1e9


def encoding_in_s(written: OutputFormat, pixels: int, *, must_fit: bool) -> float:
    """Give what it takes to encode so many pixels, all frames together."""
    return _PIXEL_WRITTEN_IN_NS[written] * pixels * (_TRIES if must_fit else 1) / 1e9
