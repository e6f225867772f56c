"""What is seen in a picture: a kind, a name, a confidence and a box."""

from dataclasses import dataclass
from typing import Literal, NamedTuple

Kind = Literal["face", "person", "animal", "object"]


class Box(NamedTuple):
    """A part of a picture, as ratios of its width and height."""

    left: float
    top: float
    width: float
    height: float

    @property
    def right(self) -> float:
        return self.left + self.width

    @property
    def bottom(self) -> float:
        return self.top + self.height

    @property
    def area(self) -> float:
        return self.width * self.height

    @classmethod
    def between(cls, left: float, top: float, right: float, bottom: float) -> "Box":
        """Give the box with these edges, as much of it as lies on the picture."""
        left, right = _on_picture(left), _on_picture(right)
        top, bottom = _on_picture(top), _on_picture(bottom)
        return cls(left, top, max(0.0, right - left), max(0.0, bottom - top))

    def grown(self, left: float, top: float, right: float, bottom: float) -> "Box":
        """Give the box with more at each side, as shares of its own width and height."""
        return Box.between(
            self.left - left * self.width,
            self.top - top * self.height,
            self.right + right * self.width,
            self.bottom + bottom * self.height,
        )

    def joined(self, other: "Box") -> "Box":
        """Give the smallest box around both."""
        return Box.between(
            min(self.left, other.left),
            min(self.top, other.top),
            max(self.right, other.right),
            max(self.bottom, other.bottom),
        )

    def shared(self, other: "Box") -> float:
        """Give the area that both cover."""
        across = min(self.right, other.right) - max(self.left, other.left)
        down = min(self.bottom, other.bottom) - max(self.top, other.top)
        return max(0.0, across) * max(0.0, down)

    def lies_in(self, other: "Box") -> float:
        """Give the share of this box that the other covers."""
        return self.shared(other) / self.area if self.area > 0 else 0.0

    def overlap(self, other: "Box") -> float:
        """Give intersection over union."""
        shared = self.shared(other)
        return shared / (self.area + other.area - shared) if shared > 0 else 0.0


@dataclass(frozen=True, slots=True)
class Sighting:
    """Something that was seen in a picture.

    Takes: `label`, `face` or a name of COCO; `confidence`, 0 to 1.
    """

    kind: Kind
    label: str
    confidence: float
    box: Box


def _on_picture(ratio: float) -> float:
    return max(0.0, min(1.0, ratio))
