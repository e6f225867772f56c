"""The search for the best file that is no larger than asked for."""

from collections.abc import Sequence

import pyvips

from imageplane.codecs.encode import Extras, encode
from imageplane.codecs.formats import Target
from imageplane.deadline import Deadline
from imageplane.errors import UnreachableSize
from imageplane.pixels.alpha import mixing
from imageplane.pixels.geometry import Size, scale_to, scaled_size, size_of

_LOWEST_QUALITY = 1
# How far above the edge that bisection found another fit is looked for.
_STEPS_BEYOND = 8
_PERCENT_BEYOND = 24


def encode_to_fit(
    frames: Sequence[pyvips.Image], target: Target, extras: Extras, deadline: Deadline
) -> tuple[bytes, Size]:
    """Encode so that the file has at most `target.max_size_in_bytes`; gives the file and the size of its picture.

    Method: bisection for the largest quality that fits; when even the lowest is too large, bisection for the largest
    dimensions at that quality, and then for the quality again. Without a quality only the dimensions shrink. Files do
    not grow quite steadily, so a little beyond each edge is looked at too.
    Errors: unreachable_size.
    """
    search = _Search([frame.copy_memory() for frame in frames], target, extras, deadline)
    side = target.details.max_side_in_px
    full = scaled_size(size_of(frames[0]), Size(side, side), "inside")
    file = search.at_best_quality(full)
    if file is not None:
        return file, full
    size = search.largest_size(full)
    if size is None:
        smallest = len(search.file(Size(1, 1), _LOWEST_QUALITY))
        raise UnreachableSize(
            f"a {target.format.upper()} of at most {target.max_size_in_bytes:,} bytes can't be made of this image; "
            f"the smallest possible has {smallest:,} bytes"
        )
    return search.at_best_quality(size) or search.file(size, _LOWEST_QUALITY), size


class _Search:
    """Encodes at sizes and qualities; only the best file so far is kept."""

    def __init__(self, frames: list[pyvips.Image], target: Target, extras: Extras, deadline: Deadline) -> None:
        self._frames, self._target, self._extras, self._deadline = frames, target, extras, deadline
        self._limit = target.max_size_in_bytes or 0
        self._scaled: tuple[Size, list[pyvips.Image]] | None = None

    def file(self, size: Size, quality: int) -> bytes:
        self._deadline.check()
        return encode(self._frames_at(size), self._target.at_quality(quality), self._extras)

    def _frames_at(self, size: Size) -> list[pyvips.Image]:
        # Every quality is tried at one size before the next, so the pixels are resampled once a size.
        if self._scaled is None or self._scaled[0] != size:
            frames = [mixing(frame, lambda bands: scale_to(bands, size)).copy_memory() for frame in self._frames]
            self._scaled = size, frames
        return self._scaled[1]

    def _fitting(self, size: Size, quality: int) -> bytes | None:
        file = self.file(size, quality)
        return file if len(file) <= self._limit else None

    def at_best_quality(self, size: Size) -> bytes | None:
        """Give the file at the largest quality that fits, or None when none does."""
        highest = self._target.effective_quality or _LOWEST_QUALITY
        best = self._fitting(size, highest)
        if best is not None:
            return best
        low, high = 0, highest
        while high - low > 1:
            middle = (low + high) // 2
            file = self._fitting(size, middle)
            low, high, best = (low, middle, best) if file is None else (middle, high, file)
        # Sizes are not quite monotonic in quality: a few steps above the edge one may fit again.
        for quality in range(min(low + _STEPS_BEYOND, highest - 1), low, -1):
            file = self._fitting(size, quality)
            if file is not None:
                return file
        return best

    def largest_size(self, full: Size) -> Size | None:
        """Give the largest dimensions at which the lowest quality fits, or None when not even one pixel does."""
        if self._fitting(_at_side(full, 1), _LOWEST_QUALITY) is None:
            return None
        low, high = 1, max(full)
        while high - low > 1:
            middle = (low + high) // 2
            fits = self._fitting(_at_side(full, middle), _LOWEST_QUALITY) is not None
            low, high = (middle, high) if fits else (low, middle)
        # Nor are they in dimensions, least of all those of small pictures.
        most = min(max(full) - 1, low + low * _PERCENT_BEYOND // 100)
        for side in range(most, low, -max(1, low * 2 // 100)):
            if self._fitting(_at_side(full, side), _LOWEST_QUALITY) is not None:
                return _at_side(full, side)
        return _at_side(full, low)


def _at_side(full: Size, longer_side: int) -> Size:
    return Size(*(max(1, round(length * longer_side / max(full))) for length in full))
