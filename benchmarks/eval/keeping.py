"""What a window keeps of a photo, beside what the best window of its shape could."""

from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.eval.truth import Drawn, Photo
from imageplane.pixels.crop import Window
from imageplane.pixels.geometry import Size

# Boxes that are drawn by eye are no more exact than this.
WHOLE = 0.99


@dataclass(frozen=True, slots=True)
class Kept:
    """What a window keeps.

    Takes: `share`, of the primary subjects on average, as a share of what the best window of the shape keeps;
    `faces_lost`, how many faces it cuts or loses beyond what any window must; `faces`, how many there are.
    """

    share: float
    faces_lost: int
    faces: int


def largest(size: Size, shape: Size) -> Size:
    """Give the largest window of a shape."""
    ratio = shape.width / shape.height
    if size.width / size.height >= ratio:
        return Size(min(size.width, max(1, round(size.height * ratio))), size.height)
    return Size(size.width, min(size.height, max(1, round(size.width / ratio))))


def center(size: Size, shape: Size) -> Window:
    """Give the largest window of a shape in the middle."""
    width, height = largest(size, shape)
    return Window((size.width - width) // 2, (size.height - height) // 2, width, height)


@dataclass(frozen=True, slots=True)
class Bound:
    """The best that windows of one shape can do on a photo: the share of the subjects, and whole faces."""

    share: float
    faces: int

    @classmethod
    def of(cls, photo: Photo, shape: Size) -> "Bound":
        width, height = largest(photo.size, shape)
        windows = [
            Window(left, top, width, height)
            for left in range(photo.size.width - width + 1)
            for top in range(photo.size.height - height + 1)
        ]
        return cls(
            max(_share(photo.primary, each) for each in windows), max(_whole_faces(photo, each) for each in windows)
        )

    def judge(self, photo: Photo, window: Window) -> Kept:
        """Give what a window keeps."""
        faces = sum(box.kind == "face" for box in photo.primary)
        lost = max(0, self.faces - _whole_faces(photo, window))
        return Kept(_share(photo.primary, window) / self.share, lost, faces)


def _share(boxes: Sequence[Drawn], window: Window) -> float:
    return sum(_shown(box, window) for box in boxes) / len(boxes)


def _whole_faces(photo: Photo, window: Window) -> int:
    return sum(box.kind == "face" and _shown(box, window) >= WHOLE for box in photo.primary)


def _shown(box: Drawn, window: Window) -> float:
    across = min(box.right, window.left_in_px + window.width_in_px) - max(box.left, window.left_in_px)
    down = min(box.bottom, window.top_in_px + window.height_in_px) - max(box.top, window.top_in_px)
    return max(0, across) * max(0, down) / ((box.right - box.left) * (box.bottom - box.top))
