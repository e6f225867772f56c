"""What operations saw and chose, drawn on the picture that reached them, for people.

The request is done up to its last look, with the decode that it always gets, so that what is drawn is what happens.
Then the pictures that were looked at are made once more, large enough to look at.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal, Self

import pyvips
from pydantic import PrivateAttr

from imageplane.codecs.formats import OutputFormat, SourceBytes, Target
from imageplane.deadline import Deadline
from imageplane.operation import Absorption, Operation, OutputOperation, PixelOperation, Size, Tools, Window
from imageplane.pipeline.plan import Output
from imageplane.pipeline.runner import Options, SmartCrop, execute
from imageplane.pixels.alpha import flatten, mixing
from imageplane.pixels.color import RGB
from imageplane.pixels.drawing import Mark, dimmed_around, drawn
from imageplane.pixels.geometry import scale_to, scaled_size

_MOST: Final = Size(1600, 1600)
# Below this no label could be read; such pictures are enlarged.
_LEAST: Final = Size(640, 640)
_PAPER: Final = (225, 225, 225)

_SUBJECTS: Final[dict[str, RGB]] = {
    "face": (250, 204, 21),
    "person": (249, 115, 22),
    "animal": (74, 222, 128),
    "object": (96, 165, 250),
}
_OTHERS: Final = (200, 200, 200)
_WINDOWS: Final = ((236, 72, 153), (34, 211, 238), (168, 85, 247), (239, 68, 68), (255, 255, 255), (13, 148, 136))


@dataclass(frozen=True, slots=True)
class NamedCrop:
    """A window that was chosen, and the output that it was chosen for."""

    output: str
    crop: SmartCrop


@dataclass(frozen=True, slots=True)
class Drawing:
    """One picture that operations looked at, as a file with boxes and windows drawn, and what they chose."""

    data: bytes
    crops: tuple[NamedCrop, ...]


def draw(
    data: SourceBytes,
    outputs: Sequence[Output],
    options: Options,
    deadline: Deadline,
    format: OutputFormat,  # noqa: A002 - the word of the field
) -> tuple[Drawing, ...]:
    """Draw what every look of a request saw and chose, one file for each picture that was looked at.

    Gives: files of this format, at most 1600 pixels wide and high; none when nothing looks.
    Errors: any `ImageplaneError` of what comes before the last look.
    """
    looking = [up_to for output in outputs if (up_to := _up_to_last_look(output)) is not None]
    if not looking:
        return ()
    by_picture: dict[tuple[Operation, ...], list[NamedCrop]] = {}
    for output, picture in zip(looking, execute(data, looking, options, deadline).pictures, strict=True):
        for crop in picture.smart_crops:
            before = _that_matter(output.operations[: crop.operation_index])
            by_picture.setdefault(before, []).append(NamedCrop(output.name, crop))
    sheets = [
        Output(str(number), (*before, _Drawn.of(crops, is_named=len(outputs) > 1), _Written(format=format)))
        for number, (before, crops) in enumerate(by_picture.items())
    ]
    pictures = execute(data, sheets, options, deadline).pictures
    return tuple(
        Drawing(picture.data, tuple(crops)) for picture, crops in zip(pictures, by_picture.values(), strict=True)
    )


def _up_to_last_look(output: Output) -> Output | None:
    looks = [
        index
        for index, operation in enumerate(output.operations)
        if isinstance(operation, PixelOperation) and operation.looks
    ]
    if not looks:
        return None
    # Nobody reads this file, so it is one that is written quickly.
    return Output(output.name, (*output.operations[: looks[-1] + 1], _Written(format="jpeg")), output.path)


def _that_matter(operations: tuple[Operation, ...]) -> tuple[Operation, ...]:
    """Give the operations that the picture after them owes something to."""
    last = max(
        (index for index, operation in enumerate(operations, 1) if isinstance(operation, PixelOperation)), default=0
    )
    return operations[:last]


class _Written(OutputOperation):
    """Write this format, whatever was asked for."""

    type: Literal["written"] = "written"
    format: OutputFormat

    def retarget(self, target: Target) -> Target:  # noqa: ARG002
        return Target(self.format)


class _Drawn(PixelOperation):
    """Make the picture fit for looking at, and draw on it."""

    type: Literal["drawn"] = "drawn"

    _crops: tuple[NamedCrop, ...] = PrivateAttr(default=())
    _is_named: bool = PrivateAttr(default=False)

    @classmethod
    def of(cls, crops: Sequence[NamedCrop], *, is_named: bool) -> Self:
        drawing = cls()
        drawing._crops, drawing._is_named = tuple(crops), is_named
        return drawing

    def size_after(self, size: Size) -> Size:
        shown = scaled_size(size, _MOST, "inside")
        return scaled_size(shown, _LEAST, "contain") if max(shown) < max(_LEAST) else shown

    def largest_on_the_way(self, size: Size) -> Size:
        # The limits are for what was asked for.
        return size

    def absorb(self, size: Size) -> Absorption:
        return Absorption.of_scaling(size, self.size_after(size))

    def apply_to_frames(self, frames: list[pyvips.Image], tools: Tools) -> list[pyvips.Image]:
        # The first frame is the one that is looked at.
        return [self.apply(frames[0], tools)]

    def apply(self, image: pyvips.Image, tools: Tools) -> pyvips.Image:  # noqa: ARG002
        picture = self.picture_on(image)
        size = self.size_after(picture.full)
        shown = flatten(mixing(image, lambda bands: scale_to(bands, size, picture)), _PAPER).copy_memory()
        windows = list(self._windows(picture.full, size))
        if len(windows) == 1:
            shown = dimmed_around(shown, windows[0].box)
        return drawn(shown, [*windows, *self._subjects(picture.full, size)])

    def _windows(self, full: Size, size: Size) -> Iterator[Mark]:
        """Give a mark for each window, the largest first, so that none is hidden by another."""
        named: dict[Window, list[NamedCrop]] = {}
        for each in self._crops:
            named.setdefault(each.crop.window, []).append(each)
        colors = {window: _WINDOWS[index % len(_WINDOWS)] for index, window in enumerate(named)}
        for window in sorted(named, key=lambda window: -window.width_in_px * window.height_in_px):
            rules = ", ".join(dict.fromkeys(each.crop.rule for each in named[window]))
            names = ", ".join(dict.fromkeys(each.output for each in named[window]))
            label = f"{names}: {rules}" if self._is_named else f"window: {rules}"
            yield Mark(_scaled(window, full, size), label, colors[window], is_bold=True)

    def _subjects(self, full: Size, size: Size) -> Iterator[Mark]:
        for subject in dict.fromkeys(subject for each in self._crops for subject in each.crop.subjects):
            label = f"{subject.kind} {subject.confidence:.2f}"
            yield Mark(_scaled(subject.box, full, size), label, _SUBJECTS.get(subject.kind, _OTHERS))


def _scaled(box: Window, full: Size, size: Size) -> Window:
    """Give the box on a picture of another size, as much of it as lies there."""
    left, right = _span(box.left_in_px, box.width_in_px, size.width / full.width, size.width)
    top, bottom = _span(box.top_in_px, box.height_in_px, size.height / full.height, size.height)
    return Window(left, top, right - left, bottom - top)


def _span(start: int, length: int, scale: float, most: int) -> tuple[int, int]:
    first = min(max(0, round(start * scale)), most - 1)
    return first, min(max(first + 1, round((start + length) * scale)), most)
