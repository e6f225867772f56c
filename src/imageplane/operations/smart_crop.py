from typing import Literal, NamedTuple, Self

import pyvips
from pydantic import AliasChoices, Field, PrivateAttr

from imageplane.operation import (
    Absorption,
    Cost,
    CropChoice,
    Example,
    PixelOperation,
    Seen,
    SidePx,
    Size,
    Subject,
    Tools,
    Window,
)
from imageplane.pixels.alpha import mixing
from imageplane.pixels.composition import Choice, choose
from imageplane.pixels.geometry import scale_to, scaled_size
from imageplane.pixels.sighting import Box

_LOOK_IN_S = 0.03


class _Place(NamedTuple):
    """Where a window lies on the whole picture when that is scaled so that the window becomes the box."""

    scaled: Size
    left: int
    top: int


class SmartCrop(PixelOperation):
    """Scale and cut to exactly this size, keeping whom or what the picture is of.

    Faces come before people, people before animals, animals before objects; without any of them what draws the eye
    decides. No face is cut where a window can avoid it, and heads keep room above them. Without `zoom` the window is
    the largest of its ratio; an image never fails for want of a subject.

    Method: YuNet finds faces and PicoDet people, animals and objects on a small copy; among the windows of the ratio
    the one is taken that keeps most of what matters (`pixels/composition.py`).
    """

    type: Literal["smart_crop"] = "smart_crop"
    width_in_px: SidePx = Field(validation_alias=AliasChoices("width_in_px", "width"), description="Exact width.")
    height_in_px: SidePx = Field(validation_alias=AliasChoices("height_in_px", "height"), description="Exact height.")
    zoom: float | None = Field(
        None, ge=0, le=1, description="How tight around the subject: 0 the largest window, 1 the subject with a margin."
    )
    subject: Literal["face", "person", "animal", "object"] | None = Field(
        None, description="The one kind of subject that may decide."
    )

    examples = (
        Example("portrait", {"width_in_px": 61, "height_in_px": 121}),
        Example("wide", {"width_in_px": 121, "height_in_px": 53}, picture="alpha"),
    )
    looks = True
    random_access = True

    _choice: Choice | None = PrivateAttr(default=None)

    @property
    def _box(self) -> Size:
        return Size(self.width_in_px, self.height_in_px)

    def size_after(self, size: Size) -> Size:
        return self._box

    def largest_on_the_way(self, size: Size) -> Size:
        return scaled_size(size, self._box, "cover")

    def absorb(self, size: Size) -> Absorption | None:
        # How much a zoomed window needs is known only when it was chosen.
        if self.zoom:
            return None
        scaled, bottom = scaled_size(size, self._box, "cover"), 1.0
        if self._choice is not None:
            place = self._place(self._choice, size)
            bottom = (place.top + self.height_in_px) / place.scaled.height
        return Absorption.of_scaling(size, scaled, bottom)

    def knowing(self, seen: Seen, size: Size) -> Self:
        if self.zoom:
            return self
        informed = self.model_copy()
        informed._choice = self._chosen(seen, size)
        return informed

    def cost(self, size: Size) -> Cost:
        scaling = super().cost(size)
        return Cost(_LOOK_IN_S + scaling.cpu_in_s, scaling.memory_in_bytes)

    def apply(self, image: pyvips.Image, tools: Tools) -> pyvips.Image:
        return self.apply_to_frames([image], tools)[0]

    def apply_to_frames(self, frames: list[pyvips.Image], tools: Tools) -> list[pyvips.Image]:
        picture = self.picture_on(frames[0])
        choice = self._choice or self._chosen(tools.look(frames[0]), picture.full)
        tools.choices.append(_told(choice, picture.full))
        scaled, left, top = self._place(choice, picture.full)
        return [
            mixing(frame, lambda bands: scale_to(bands, scaled, picture).extract_area(left, top, *self._box))
            for frame in frames
        ]

    def _chosen(self, seen: Seen, full: Size) -> Choice:
        return choose(full, self._box, seen.sightings, seen.saliency, zoom=self.zoom, subject=self.subject)

    def _place(self, choice: Choice, full: Size) -> _Place:
        scaled = _scaled_for(choice.window, self._box, full)
        left = min(round(choice.window.left * scaled.width), scaled.width - self.width_in_px)
        top = min(round(choice.window.top * scaled.height), scaled.height - self.height_in_px)
        return _Place(scaled, left, top)


def _scaled_for(window: Box, box: Size, full: Size) -> Size:
    """Give the size to which the whole picture is scaled so that the window becomes the box."""
    if max(window.width, window.height) > 1 - 1e-9:
        return scaled_size(full, box, "cover")
    return Size(max(box.width, round(box.width / window.width)), max(box.height, round(box.height / window.height)))


def _told(choice: Choice, full: Size) -> CropChoice:
    subjects = tuple(Subject(each.kind, round(each.confidence, 3), _pixels(each.box, full)) for each in choice.subjects)
    return CropChoice(choice.rule, choice.on(full), subjects, choice.fallback_reason)


def _pixels(box: Box, full: Size) -> Window:
    left, top = round(box.left * full.width), round(box.top * full.height)
    return Window(left, top, max(1, round(box.width * full.width)), max(1, round(box.height * full.height)))
