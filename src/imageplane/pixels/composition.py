"""Choosing the window of a picture that a crop keeps."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from imageplane.pixels.crop import Window
from imageplane.pixels.figures import Figure
from imageplane.pixels.geometry import Size
from imageplane.pixels.placement import heart_of, placed
from imageplane.pixels.scene import Scene
from imageplane.pixels.sighting import Box, Kind, Sighting
from imageplane.pixels.windows import Values, Windows

Rule = Literal["face", "person", "animal", "object", "saliency", "center"]
Saliency = Callable[[], NDArray[np.number[Any]]]

_RANKS: Final[tuple[Kind, ...]] = ("face", "person", "animal", "object")
# Boxes are known this well: a share of 0.96 of a body is the whole of it, and one that much smaller is as good.
_NEARLY: Final = 0.96
_SLACK: Final = 0.03
# The part of a face, from its top, that the eyes lie in.
_EYES: Final = 0.55
# Room around a figure, and around one that is zoomed in on, in its own sizes.
_ROOM: Final = 0.15
_ZOOMED_ROOM: Final = 0.25
# What must be won by moving on, in shares of what draws the eye for shares of the picture.
_STAY: Final = 1.0
_STAY_AT_SUBJECT: Final = 2.0
# A window that slides down a picture without subjects rests here.
_UPPER_THIRD: Final = 1 / 3
# Windows that move in two directions are many: only the first subjects are met exactly then.
_MET_IN_TWO_DIRECTIONS: Final = 6


@dataclass(frozen=True, slots=True)
class Choice:
    """Which window of a picture was chosen, and why.

    Takes: `rule`, the kind of subject that decided, or what did in want of one; `window`, as ratios of the picture;
    `subjects`, what was seen and weighed, the most prominent first; `fallback_reason`, why no subject decided, where
    none did.
    """

    rule: Rule
    window: Box
    subjects: tuple[Sighting, ...] = ()
    fallback_reason: str | None = None

    def on(self, size: Size) -> Window:
        """Give the window in whole pixels of a picture of this size; it lies inside."""
        width = max(1, round(self.window.width * size.width))
        height = max(1, round(self.window.height * size.height))
        left, top = round(self.window.left * size.width), round(self.window.top * size.height)
        return Window(min(left, size.width - width), min(top, size.height - height), width, height)


def choose(  # noqa: PLR0913 - two sizes, two kinds of seeing, two wishes
    size: Size,
    box: Size,
    sightings: Sequence[Sighting] | None,
    saliency: Saliency | None = None,
    *,
    zoom: float | None = None,
    subject: Kind | None = None,
) -> Choice:
    """Give the window to cut out of a picture for a box: what matters whole, and placed as a person would.

    Takes: `size` of the picture and `box`, the size that is asked for; `sightings`, None when nobody could look;
    `saliency`, which gives (h, w) of any size and scale, not negative, and is not asked where a face decides; `zoom`,
    from 0, the largest window of the ratio, to 1, the subject with a margin, but never fewer pixels than the box;
    `subject`, the one kind that may decide.
    Method: the windows of the asked ratio are narrowed down by wishes, the dearest first; each leaves the windows that
    grant it, and is passed over where none does. The eyes of faces cheek to cheek; faces whole, by
    prominence; no face cut through; heads with their hair; animals and things whole; room around heads; bodies whole;
    room around all. A group stays together when it fits, or else its most prominent part does. Of the windows left,
    the one is taken in which the subject stands as far along as in the picture, with a third of the room at either
    side, weighed against what else draws the eye.
    Without a subject saliency decides: the window leaves the middle (the upper third, when it slides down) as long
    as what it wins is denser than the picture is at its mean.
    """
    scene = Scene.of(sightings or (), subject)
    width, height = _largest(size, box)
    windows = Windows(width, height, _marks(scene))
    kept = _narrow(windows, scene)
    if zoom and kept:
        scale = _tightest(kept, width, height) ** zoom
        scale = min(1.0, max(scale, box.width / (width * size.width), box.height / (height * size.height)))
        windows = Windows(width * scale, height * scale, _marks(scene, _MET_IN_TWO_DIRECTIONS))
        kept = _narrow(windows, scene)
    rule: Rule = min((figure.kind for figure in kept), key=_RANKS.index, default="saliency")
    reason = None if kept else _reason(sightings, scene, subject)
    drawn = None if any(figure.face for figure in kept) else _shares(saliency)
    window = windows.best(_appeal(windows, kept, scene, drawn))
    return Choice("center" if drawn is None and scene.is_empty else rule, window, scene.sightings, reason)


def _shares(saliency: Saliency | None) -> Values | None:
    """Give what draws the eye as shares that sum to 1, or None where nothing stands out."""
    values = None if saliency is None else np.asarray(saliency(), np.float64)
    return None if values is None or values.sum() <= 0 else values / values.sum()


def _largest(size: Size, box: Size) -> tuple[float, float]:
    """Give width and height, as ratios of the picture, of the largest window of the ratio of a box."""
    across = box.width * size.height / (box.height * size.width)
    return min(1.0, across), min(1.0, 1 / across)


def _tightest(kept: dict[Figure, Box], width: float, height: float) -> float:
    """Give how much smaller than the largest a window may be that shows the heads, or else the bodies, with room."""
    subject = _around(figure.head if figure.face else box for figure, box in kept.items())
    return min(1.0, (1 + 2 * _ZOOMED_ROOM) * max(subject.width / width, subject.height / height))


def _marks(scene: Scene, most: int | None = None) -> list[Box]:
    """Give the boxes that wishes will be about."""
    marks = [figure.face for figure in scene.bystanders[:most] if figure.face]
    for figure in scene.subjects[:most]:
        marks += [figure.head, figure.whole, _with_room(figure.head), _with_room(figure.whole)]
        marks += [figure.face] if figure.face else []
    return marks


def _narrow(windows: Windows, scene: Scene) -> dict[Figure, Box]:
    """Leave the windows that grant the dearest wishes; give what of whom they show."""
    kept = _keep_faces(windows, scene)
    windows.favor([_with_room(figure.head) for figure in kept], _SLACK)
    for figure in scene.subjects:
        if figure.face is None and (windows.keep(figure.head, _NEARLY) or not kept):
            windows.favor([figure.head], _SLACK)
            kept[figure] = figure.head
    for figure in kept:
        if windows.keep(figure.whole, _NEARLY):
            kept[figure] = figure.whole
    fitting = [box for box in kept.values() if box.width <= windows.width and box.height <= windows.height]
    windows.favor(fitting, _SLACK)
    windows.favor([_with_room(box) for box in fitting], _SLACK)
    windows.favor([figure.whole for figure in scene.subjects[:1]], _SLACK)
    for figure in scene.bystanders:
        if figure.face:
            windows.keep(figure.face)
    return kept


def _keep_faces(windows: Windows, scene: Scene) -> dict[Figure, Box]:
    kept: dict[Figure, Box] = {}
    faces = [figure.face for figure in scene.subjects if figure.face]
    for other in faces[1:]:
        # Cheek to cheek one of two is cut: through the chin rather than the eyes.
        if not windows.can_part(faces[0], other):
            windows.keep(_eyes(faces[0]).joined(_eyes(other)))
    for figure in scene.subjects:
        if figure.face and windows.keep(figure.face):
            kept[figure] = figure.head
        elif figure.face and not kept:
            # Larger than any window.
            windows.favor([figure.face], _SLACK)
            kept[figure] = figure.face
    figures = (*scene.subjects, *scene.bystanders)
    windows.spare([(figure.face, figure.prominence) for figure in figures if figure.face])
    windows.favor([figure.head for figure in kept], _SLACK)
    return kept


def _appeal(windows: Windows, kept: dict[Figure, Box], scene: Scene, drawn: Values | None) -> Values:
    """Give how well each window lies: what draws the eye in it, less its distance from where it should be."""
    seen = np.zeros(windows.are_left.shape)
    if drawn is not None:
        seen += windows.totals(drawn)
    for figure in scene.bystanders:
        seen += scene.weight(figure) * windows.shares(figure.whole)
    left, top = _aim(windows, kept, scene, drawn)
    away = np.abs(windows.tops - top)[:, None] + np.abs(windows.lefts - left)
    return np.asarray(seen - (_STAY_AT_SUBJECT if kept else _STAY) * away, np.float64)


def _aim(windows: Windows, kept: dict[Figure, Box], scene: Scene, drawn: Values | None) -> tuple[float, float]:
    """Give left and top of the window that is best by composition alone."""
    if not kept:
        is_blank = drawn is None and scene.is_empty
        return (1 - windows.width) / 2, (1 - windows.height) * (0.5 if is_blank else _UPPER_THIRD)
    subject = _around(kept.values())
    first, box = next(iter(kept.items()))
    across, down = heart_of(first, box, drawn)
    return (
        placed(subject.left, subject.width, windows.width, across),
        placed(subject.top, subject.height, windows.height, down),
    )


def _eyes(face: Box) -> Box:
    return Box(face.left, face.top, face.width, _EYES * face.height)


def _with_room(box: Box) -> Box:
    return box.grown(_ROOM, _ROOM, _ROOM, _ROOM)


def _around(boxes: Iterable[Box]) -> Box:
    return reduce(Box.joined, boxes)


def _reason(sightings: Sequence[Sighting] | None, scene: Scene, subject: Kind | None) -> str:
    if sightings is None:
        return "Faces, people, animals and objects could not be looked for."
    if scene.bystanders:
        return "What was seen is too small or too uncertain to decide."
    if subject is not None:
        return f"No {subject} was seen."
    return "No face, person, animal or object was seen."
