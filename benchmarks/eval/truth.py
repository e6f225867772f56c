"""Photos with boxes drawn by eye: what a crop must keep of each."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from imageplane.pixels.geometry import Size

DEFAULT_FOLDER = Path(__file__).parents[3] / "shared" / "corpus" / "subject"

# The shapes that are measured, and a size of each to ask for.
SHAPES: dict[str, Size] = {"1:1": Size(600, 600), "1200×630": Size(1200, 630), "9:16": Size(540, 960)}


@dataclass(frozen=True, slots=True)
class Drawn:
    """A box that was drawn by eye, in pixels; `is_primary`, when a crop must keep it."""

    kind: str
    left: int
    top: int
    right: int
    bottom: int
    is_primary: bool


@dataclass(frozen=True, slots=True)
class Photo:
    """A photo and what is on it.

    Takes: `is_control`, when the middle loses nothing in any shape; `parent`, the photo that this one was cut from,
    which decides the half that it falls in.
    """

    path: Path
    size: Size
    category: str
    boxes: tuple[Drawn, ...]
    is_control: bool
    parent: str

    @property
    def name(self) -> str:
        return self.path.name

    @property
    def primary(self) -> tuple[Drawn, ...]:
        return tuple(box for box in self.boxes if box.is_primary)

    @property
    def half(self) -> str:
        """A or B, by the hash of the name: what was tuned on one must hold on the other."""
        return "AB"[hashlib.sha256(self.parent.encode()).digest()[0] % 2]


def read(folder: Path) -> list[Photo]:
    """Give the photos of a folder with a `ground_truth.json`. Errors: SystemExit when there is none."""
    try:
        entries = json.loads((folder / "ground_truth.json").read_text())
    except FileNotFoundError:
        raise SystemExit(
            f"There is no ground_truth.json in {folder}; name a folder that has one with --photos."
        ) from None
    return [_photo(folder, entry) for entry in entries]


def _photo(folder: Path, entry: dict[str, Any]) -> Photo:
    return Photo(
        folder / entry["file"],
        Size(entry["width"], entry["height"]),
        entry["category"],
        _boxes(entry["subjects"]),
        is_control=not entry["centre_crop_loses"],
        parent=entry["file"],
    )


def _boxes(subjects: Sequence[dict[str, Any]]) -> tuple[Drawn, ...]:
    return tuple(Drawn(each["kind"], *_edges(each["box"]), is_primary=each["primary"]) for each in subjects)


def _edges(box: Sequence[int]) -> tuple[int, int, int, int]:
    left, top, right, bottom = box
    return left, top, right, bottom
