"""The one base of all operations: wire fields, page, planner hints and pixels in one class.

A file in `operations/` holds one class below `PixelOperation` or `OutputOperation`, named after its wire `type`.
Its docstring is its published page; its `examples` feed the goldens, the laws and the benchmarks.
"""

import re
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, NamedTuple, Self

import pyvips
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, PrivateAttr, model_validator

from imageplane.codecs.formats import OutputFormat, Target
from imageplane.cost import Cost
from imageplane.deadline import Deadline
from imageplane.models import Models
from imageplane.models.eyes import Eyes, Seen
from imageplane.pixels.crop import Window
from imageplane.pixels.geometry import Shrunk, Size, size_of

MAX_SIDE_IN_PX = 65_535

# What must be left to filter after the decoder has shrunk: below this its box filter shows (benchmarks/README.md).
LEAST_RESIDUAL = 1.3

# Of the ordinary operations, as measured; those that take more say so themselves.
_PIXEL_IN_S = 10e-9

_HEX_COLOR = "#?([0-9a-fA-F]{3}|[0-9a-fA-F]{6})"


def _normal_hex_color(value: str) -> str:
    match = re.fullmatch(_HEX_COLOR, value)
    if match is None:
        raise ValueError("expected a color such as #1a2b3c")
    digits = match[1].lower()
    return "#" + (digits if len(digits) == 6 else "".join(2 * digit for digit in digits))


HexColor = Annotated[
    str,
    AfterValidator(_normal_hex_color),
    Field(
        description="An RGB color such as `#1a2b3c`; the `#` may be left out.",
        json_schema_extra={"pattern": f"^{_HEX_COLOR}$"},
    ),
]
SidePx = Annotated[int, Field(gt=0, le=MAX_SIDE_IN_PX)]
OffsetPx = Annotated[int, Field(ge=0, le=MAX_SIDE_IN_PX)]


@dataclass(frozen=True, slots=True)
class Example:
    """One use of an operation with awkward numbers, kept as a golden picture.

    Takes: `fields` as on the wire without `type`; `picture`, the name of a test picture made by `tests/pictures.py`;
    the largest and the mean difference that another build of libvips may show, in 8-bit steps on straight RGBA.
    """

    name: str
    fields: dict[str, Any]
    picture: str = "photo"
    max_delta: int = 2
    mean_delta: float = 0.25


@dataclass(frozen=True, slots=True)
class Subject:
    """Something that was seen in a picture: a face, a person, an animal, an object."""

    kind: str
    confidence: float
    box: Window


@dataclass(frozen=True, slots=True)
class CropChoice:
    """Which window an operation chose to cut out, and why; `window` and boxes lie on the picture that reached it.

    Takes: `rule`, what decided: face, person, animal, object, saliency or center; `fallback_reason`, why no better
    rule did, where there is something to say.
    """

    rule: str
    window: Window
    subjects: tuple[Subject, ...] = ()
    fallback_reason: str | None = None


@dataclass(frozen=True, slots=True)
class Tools:
    """What an operation may use while it works on pixels; what it chose itself it notes in `choices`.

    Takes: `models`, None where there are none; `done`, what tells the operations before this one apart from others.
    """

    deadline: Deadline
    models: Models | None = None
    eyes: Eyes = field(default_factory=Eyes)
    done: str = ""
    choices: list[CropChoice] = field(default_factory=list)

    def look(self, image: pyvips.Image) -> Seen:
        """Give what is in the picture that this operation works on."""
        return self.eyes.look(image, self.done)


def _whole(value: Any) -> Any:
    return int(value) if isinstance(value, float) and value.is_integer() else value


class Operation(BaseModel):
    """A request to change the picture, exactly as it stands on the wire."""

    model_config = ConfigDict(frozen=True, extra="ignore", strict=True, populate_by_name=True, allow_inf_nan=False)

    type: str
    examples: ClassVar[tuple[Example, ...]] = ()

    @model_validator(mode="before")
    @classmethod
    def _as_json_means_it(cls, raw: Any) -> Any:
        """Take null for absent, and 200.0 for 200: JSON has one kind of number."""
        if not isinstance(raw, dict):
            return raw
        return {name: _whole(value) for name, value in raw.items() if value is not None}


class Absorption(NamedTuple):
    """How much of an operation's work a decoder may do instead.

    Takes: `exact`, the whole reduction (below 1 for enlarging), which a vector renderer can do alone; `most`, the
    largest shrink that leaves enough to filter well; `bottom`, the share of the height, from the top, that the result
    shows: rows below need not be decoded.
    """

    exact: float
    most: float
    bottom: float = 1.0

    @classmethod
    def of_scaling(cls, size: Size, scaled: Size, bottom: float = 1.0) -> "Absorption":
        """Give what a decoder may do of scaling one size to another."""
        exact = min(size.width / scaled.width, size.height / scaled.height)
        return cls(exact, exact / LEAST_RESIDUAL, bottom)


class PixelOperation(Operation):
    """An operation that makes pixels of pixels; every hint has a safe default."""

    needs_models: ClassVar[bool] = False
    """Whether `apply` can't do without the weights of a network."""

    looks: ClassVar[bool] = False
    """Whether `apply` asks what is in the picture, so that what was seen is worth keeping."""

    random_access: ClassVar[bool] = False
    """Whether `apply` reads pixels out of order or more than once."""

    _picture: Shrunk | None = PrivateAttr(default=None)

    def size_after(self, size: Size) -> Size | None:
        """Give the size of the result, or None when only the pixels can tell. Errors: impossible_operation."""
        return size

    def largest_on_the_way(self, size: Size) -> Size:
        """Give the largest picture that is made on the way to the result: what the limits are held against."""
        return self.size_after(size) or size

    def scaled_by(self, shrink: float, size: Size) -> Self | None:
        """Give the operation that does the same to an image `shrink` times smaller, or None when there is none.

        Takes: `size`, of the image before it is shrunk. The pixel grid must stay where it is: an operation that moves
        the right or the bottom edge to the left or the top may only answer when the shrink divides the size.
        """
        return None

    def absorb(self, size: Size) -> Absorption | None:
        """Give how much of the work the decoder may do for an image of this size, or None."""
        return None

    def after_shrink(self, picture: Shrunk) -> Self:
        """Give what is left to do when the decoder has done its part; sizes stay pinned to the full picture."""
        rest = self.model_copy()
        rest._picture = picture
        return rest

    def picture_on(self, image: pyvips.Image) -> Shrunk:
        """Give how the picture lies on the image that reaches this operation."""
        return self._picture or Shrunk(size_of(image), size_of(image))

    def cost(self, size: Size) -> Cost:
        """Give what `apply` is thought to take on a picture of this size, for the line that a request waits in."""
        return Cost(_PIXEL_IN_S * (size.pixels + self.largest_on_the_way(size).pixels), 0)

    def for_format(self, format: OutputFormat) -> Self:  # noqa: A002 - the word of the field
        """Give the same operation where this format is in effect; overridden where the format matters to pixels."""
        return self

    def knowing(self, seen: Seen, size: Size) -> Self:
        """Give the same operation where it is known what is in the picture of this size that reaches it."""
        return self

    def fused_with(self, following: "PixelOperation") -> tuple["PixelOperation", ...] | None:
        """Give what this operation and the next come to, or None when both must be done."""
        return None

    def apply(self, image: pyvips.Image, tools: Tools) -> pyvips.Image:
        """Give the changed image; 8-bit sRGB with 3 bands, or 4 with straight alpha, in and out."""
        raise NotImplementedError

    def apply_to_frames(self, frames: list[pyvips.Image], tools: Tools) -> list[pyvips.Image]:
        """Do the same to every frame of an animation; overridden where the frames must agree on something first."""
        return [self.apply(frame, tools) for frame in frames]


class OutputOperation(Operation):
    """An operation that touches no pixel, but changes how the result is encoded."""

    def retarget(self, target: Target) -> Target:
        """Give the target in effect from here on."""
        raise NotImplementedError


def divides(shrink: float, *lengths: int) -> bool:
    """Tell whether a shrink leaves every one of these lengths whole."""
    return all(length % shrink == 0 for length in lengths)


__all__ = [
    "MAX_SIDE_IN_PX",
    "Absorption",
    "Cost",
    "CropChoice",
    "Example",
    "HexColor",
    "OffsetPx",
    "Operation",
    "OutputOperation",
    "PixelOperation",
    "Seen",
    "Shrunk",
    "SidePx",
    "Size",
    "Subject",
    "Tools",
    "Window",
    "divides",
    "size_of",
]
