"""Plans to files: one decode, then every plan's steps and its encoding, under one deadline."""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

import pyvips

from imageplane.codecs.decode import Amount, Decoded, decode
from imageplane.codecs.encode import Extras, encode
from imageplane.codecs.exif import copyright_of
from imageplane.codecs.fit_size import encode_to_fit
from imageplane.codecs.formats import FORMATS, OutputFormat, SourceBytes
from imageplane.codecs.header import Header, read_header
from imageplane.codecs.heif import require_heic
from imageplane.deadline import Deadline
from imageplane.errors import ImageplaneError, UndecodableImage, UnreachableSize
from imageplane.limits import Limits
from imageplane.models import ModelOptions, Models, models_of
from imageplane.models.eyes import Eyes, Seen
from imageplane.operation import PixelOperation, Subject, Tools, Window
from imageplane.pipeline.plan import Output, Plan, Step, explain_plans
from imageplane.pipeline.planner import plan
from imageplane.pixels.geometry import Size, size_of


@dataclass(frozen=True, slots=True)
class Options:
    """How an installation wants its pictures made."""

    limits: Limits = field(default_factory=Limits)
    keep_copyright: bool = False
    is_heic_enabled: bool = True
    models: ModelOptions | None = None


@dataclass(frozen=True, slots=True)
class SmartCrop:
    """Which window an operation of the request chose, and why; in pixels of the upright picture that reached it."""

    operation_index: int
    rule: str
    window: Window
    subjects: tuple[Subject, ...]
    fallback_reason: str | None


@dataclass(frozen=True, slots=True)
class Picture:
    """One finished file, the windows that operations chose on the way to it, and the way, one stop a line."""

    name: str
    data: bytes
    format: OutputFormat
    width_in_px: int
    height_in_px: int
    smart_crops: tuple[SmartCrop, ...] = ()
    plan: tuple[str, ...] = ()

    @property
    def mime_type(self) -> str:
        return FORMATS[self.format].mime_type

    @property
    def suffix(self) -> str:
        return FORMATS[self.format].suffix


@dataclass(frozen=True, slots=True)
class Execution:
    """Everything that came of one source."""

    header: Header
    pictures: tuple[Picture, ...]
    warnings: tuple[str, ...]
    timings_in_ms: dict[str, float]
    seen: dict[str, Seen] = field(default_factory=dict)


def execute(  # noqa: PLR0913 - what is wanted of what, and what is known already
    data: SourceBytes,
    outputs: Sequence[Output],
    options: Options,
    deadline: Deadline,
    known: Mapping[str, Seen] | None = None,
    *,
    is_naive: bool = False,
) -> Execution:
    """Make every output of one source: header, plan, decode, steps, encode.

    Takes: `known`, what was seen of this source before.
    Errors: any `ImageplaneError`; nothing that libvips raises gets past here.
    """
    stops = _Stops()
    with stops.timed("header"):
        header = read_header(data, options.limits, is_heic_enabled=options.is_heic_enabled)
    with stops.timed("plan"):
        informed = outputs if is_naive else [_knowing(output, header.size, known or {}) for output in outputs]
        plans = plan(header, informed, options.limits, is_naive=is_naive)
    _require_writable(plans, options)
    models = models_of(options.models) if options.models else None
    run = _Run(data, header, plans, options, deadline, stops, models, Eyes(models, known))
    try:
        return run.execution()
    except UndecodableImage:
        # A JPEG that libvips reads row by row shows its damage only now; what can be read is shown all the same.
        if header.format != "jpeg":
            raise
        return replace(run, is_tolerant=True).execution()


def _knowing(output: Output, size: Size, known: Mapping[str, Seen]) -> Output:
    """Tell the operation that works on the source itself what was seen of that before."""
    seen, first = known.get(_told(())), next(iter(output.operations), None)
    if seen is None or not isinstance(first, PixelOperation):
        return output
    return replace(output, operations=(first.knowing(seen, size), *output.operations[1:]))


def explain(data: SourceBytes, outputs: Sequence[Output], options: Options) -> str:
    """Give the plan of a request in a few readable lines."""
    header = read_header(data, options.limits, is_heic_enabled=options.is_heic_enabled)
    return explain_plans(header, plan(header, outputs, options.limits))


def _require_writable(plans: Sequence[Plan], options: Options) -> None:
    for each in plans:
        if each.target.format == "heif":
            try:
                require_heic(is_enabled=options.is_heic_enabled)
            except ImageplaneError as error:
                raise error.at(each.target_path) from None


class _Stops:
    """Wall-clock time by stop; lazy pixels are counted where they are pulled, which is mostly the encoder."""

    def __init__(self) -> None:
        self.spent_in_ms: dict[str, float] = {}

    @contextmanager
    def timed(self, stop: str) -> Iterator[None]:
        started = time.perf_counter()
        try:
            yield
        finally:
            spent = (time.perf_counter() - started) * 1000
            self.spent_in_ms[stop] = round(self.spent_in_ms.get(stop, 0.0) + spent, 3)


def _told(steps: Sequence[Step]) -> str:
    """Give what tells a picture that these steps made from what others made of the same source."""
    return "\n".join(step.operation.model_dump_json() for step in steps)


@contextmanager
def _damage_is_reported(deadline: Deadline) -> Iterator[None]:
    """Turn what libvips raises into the one thing it can mean here: the pixels of the source can't be read."""
    try:
        yield
    except pyvips.Error as error:
        # An error is also what comes of an image that was stopped because time is up.
        deadline.check()
        raise UndecodableImage("The image data is damaged.", detail=str(error)) from error


@dataclass(frozen=True, slots=True)
class _Run:
    data: SourceBytes
    header: Header
    plans: tuple[Plan, ...]
    options: Options
    deadline: Deadline
    stops: _Stops
    models: Models | None
    eyes: Eyes
    is_tolerant: bool = False

    def execution(self) -> Execution:
        self.deadline.check()
        with self.stops.timed("decode"), _damage_is_reported(self.deadline):
            decoded = decode(self.data, self.header, self._amount(), self.options.limits)
            if len(self.plans) > 1 and not decoded.is_in_memory:
                held = tuple(frame.copy_memory() for frame in decoded.frames)
                decoded = replace(decoded, frames=held, is_in_memory=True)
        extras = Extras(
            self.header.delays_in_ms,
            self.header.loop,
            copyright_of(self.data, self.header.format) if self.options.keep_copyright else (),
        )
        pictures = tuple(self._picture(plan, decoded, extras) for plan in self.plans)
        return Execution(self.header, pictures, decoded.warnings, self.stops.spent_in_ms, self.eyes.seen)

    def _amount(self) -> Amount:
        rows = [plan.rows for plan in self.plans if plan.rows is not None]
        return Amount(
            self.plans[0].shrink,
            max(rows) if len(rows) == len(self.plans) else None,
            max(plan.frames for plan in self.plans),
            self.is_tolerant,
        )

    def _picture(self, plan: Plan, decoded: Decoded, extras: Extras) -> Picture:
        frames = list(decoded.frames[: plan.frames])
        is_held = decoded.is_in_memory
        crops: list[SmartCrop] = []
        with _damage_is_reported(self.deadline):
            with self.stops.timed("steps"):
                for number, step in enumerate(plan.steps):
                    tools = Tools(self.deadline, self.models, self.eyes, _told(plan.steps[:number]))
                    frames = self._after(step, frames, tools, is_held=is_held)
                    is_held = False
                    crops += [
                        SmartCrop(step.index, choice.rule, choice.window, choice.subjects, choice.fallback_reason)
                        for choice in tools.choices
                    ]
            with self.stops.timed("encode"):
                file, size = self._encoded(frames, plan, extras)
        self.deadline.check()
        return Picture(plan.output, file, plan.target.format, *size, tuple(crops), tuple(plan.lines()))

    def _after(self, step: Step, frames: list[pyvips.Image], tools: Tools, *, is_held: bool) -> list[pyvips.Image]:
        self.deadline.check()
        if step.operation.random_access and not is_held:
            frames = [frame.copy_memory() for frame in frames]
        try:
            # Only the pixels can tell some sizes, so what could not be planned is checked as it comes.
            largest = step.operation.largest_on_the_way(size_of(frames[0]))
            self.options.limits.check_pixels(*largest, len(frames))
            return step.operation.apply_to_frames(frames, tools)
        except ImageplaneError as error:
            raise error.at(step.path) from error.__cause__

    def _encoded(self, frames: list[pyvips.Image], plan: Plan, extras: Extras) -> tuple[bytes, Size]:
        self.deadline.check()
        extras = replace(extras, delays_in_ms=extras.delays_in_ms[: len(frames)])
        try:
            if plan.target.max_size_in_bytes is not None:
                return encode_to_fit(frames, plan.target, extras, self.deadline)
            return encode([self._stoppable(frame) for frame in frames], plan.target, extras), size_of(frames[0])
        except UnreachableSize as error:
            raise error.at(plan.limit_path) from error.__cause__
        except ImageplaneError as error:
            raise error.at(plan.target_path) from error.__cause__

    def _stoppable(self, image: pyvips.Image) -> pyvips.Image:
        """Let libvips ask the deadline while it computes, through its progress signal."""
        watched, deadline = image.copy(), self.deadline
        watched.set_progress(True)
        # The callback must not hold the image that holds it: such a circle keeps pixels until the next collection.
        watched.signal_connect("eval", lambda asked, _: asked.set_kill(True) if deadline.is_over else None)
        return watched
