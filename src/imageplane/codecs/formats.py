"""Every format by name: what it can hold, and how a target describes the file to be written."""

import mmap
from dataclasses import dataclass, replace
from typing import Literal

# A source lies in memory, or is a file that is mapped into it.
SourceBytes = bytes | mmap.mmap
# EXIF 2.32 tags, of Artist and Copyright only, and their texts.
Copyright = tuple[tuple[int, str], ...]
InputFormat = Literal["jpeg", "png", "webp", "gif", "avif", "heif", "svg", "tiff", "bmp"]
OutputFormat = Literal["png", "jpeg", "webp", "avif", "heif", "gif"]


@dataclass(frozen=True, slots=True)
class Format:
    """What an output format can hold.

    Takes: `max_side_in_px`, the widest and the tallest that its headers can say; `default_quality` 1–100, or None
    where quality has no meaning.
    """

    name: OutputFormat
    mime_type: str
    suffix: str
    max_side_in_px: int
    has_alpha: bool
    is_animated: bool
    default_quality: int | None


FORMATS: dict[OutputFormat, Format] = {
    entry.name: entry
    for entry in (
        Format("png", "image/png", "png", 65_535, has_alpha=True, is_animated=False, default_quality=None),
        Format("jpeg", "image/jpeg", "jpg", 65_500, has_alpha=False, is_animated=False, default_quality=80),
        Format("webp", "image/webp", "webp", 16_383, has_alpha=True, is_animated=True, default_quality=80),
        Format("avif", "image/avif", "avif", 16_384, has_alpha=True, is_animated=False, default_quality=60),
        Format("heif", "image/heic", "heic", 16_384, has_alpha=True, is_animated=False, default_quality=60),
        Format("gif", "image/gif", "gif", 65_535, has_alpha=True, is_animated=True, default_quality=None),
    )
}


def written_as(source: InputFormat) -> OutputFormat:
    """Give the format of the result when the request names none: the source's own where it can be written."""
    return "png" if source == "svg" or source == "bmp" or source == "tiff" else source  # noqa: PLR1714 - narrows the type


@dataclass(frozen=True, slots=True)
class Target:
    """The file to be written.

    Takes: `quality` 1–100, or None for the format's default; `max_size_in_bytes`, when the file must fit.
    """

    format: OutputFormat
    quality: int | None = None
    max_size_in_bytes: int | None = None

    @property
    def details(self) -> Format:
        return FORMATS[self.format]

    @property
    def effective_quality(self) -> int | None:
        default = self.details.default_quality
        return default if self.quality is None or default is None else self.quality

    def at_quality(self, quality: int) -> "Target":
        """Give the same target at another quality."""
        return replace(self, quality=quality)
