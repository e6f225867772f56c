"""The search for the best file that is no larger than asked for."""

import pyvips

from imageplane.codecs.encode import Extras, encode
from imageplane.codecs.formats import Target
from imageplane.deadline import Deadline
from imageplane.errors import UnreachableSize
from imageplane.pixels.alpha import mixing
from imageplane.pixels.geometry import Size, scale_to, size_of

_LOWEST_QUALITY = 1


def encode_to_fit(frames: list[pyvips.Image], target: Target, extras: Extras, deadline: Deadline) -> bytes:
    """Encode so that the file has at most `target.max_size_in_bytes`.

    Method: bisection for the largest quality that fits; when even the lowest is too large, bisection for the largest
    dimensions at that quality, and then for the quality again. Without a quality only the dimensions shrink.
    Errors: unreachable_size.
    """
    search = _Search([frame.copy_memory() for frame in frames], target, extras, deadline)
    full = size_of(frames[0])
    best = search.best_quality(full)
    if best is not None:
        return best
    side = search.largest_side(full)
    if side is None:
        smallest = len(search.file(Size(1, 1), _LOWEST_QUALITY))
        raise UnreachableSize(
            f"a {target.format.upper()} of at most {target.max_size_in_bytes:,} bytes can't be made of this image; "
            f"the smallest possible has {smallest:,} bytes"
        )
    size = search.at_side(full, side)
    return search.best_quality(size) or search.file(size, _LOWEST_QUALITY)


class _Search:
    """Every file that was tried, so that none is encoded twice."""

    def __init__(self, frames: list[pyvips.Image], target: Target, extras: Extras, deadline: Deadline) -> None:
        self._frames, self._target, self._extras, self._deadline = frames, target, extras, deadline
        self._limit = target.max_size_in_bytes or 0
        self._tried: dict[tuple[Size, int], bytes] = {}

    def file(self, size: Size, quality: int) -> bytes:
        self._deadline.check()
        key = size, quality
        if key not in self._tried:
            frames = [mixing(frame, lambda bands: scale_to(bands, size)) for frame in self._frames]
            self._tried[key] = encode(frames, self._target.at_quality(quality), self._extras)
        return self._tried[key]

    def fits(self, size: Size, quality: int) -> bool:
        return len(self.file(size, quality)) <= self._limit

    def best_quality(self, size: Size) -> bytes | None:
        """Give the file at the largest quality that fits, or None when none does."""
        highest = self._target.effective_quality or _LOWEST_QUALITY
        if self.fits(size, highest):
            return self.file(size, highest)
        low, high = 0, highest
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if self.fits(size, middle) else (low, middle)
        # Sizes are not quite monotonic in quality: a step or two above the edge may fit again.
        for quality in range(min(low + 3, highest), low, -1):
            if self.fits(size, quality):
                return self.file(size, quality)
        return self.file(size, low) if low else None

    def largest_side(self, full: Size) -> int | None:
        """Give the largest longer side at which the lowest quality fits, or None when not even one pixel does."""
        if not self.fits(self.at_side(full, 1), _LOWEST_QUALITY):
            return None
        low, high = 1, max(full)
        while high - low > 1:
            middle = (low + high) // 2
            fits = self.fits(self.at_side(full, middle), _LOWEST_QUALITY)
            low, high = (middle, high) if fits else (low, middle)
        return low

    @staticmethod
    def at_side(full: Size, side: int) -> Size:
        return Size(*(max(1, round(length * side / max(full))) for length in full))
