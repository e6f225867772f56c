"""Plans to files: one decode, then every plan's steps and its encoding, under one deadline."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

import pyvips

from imageplane.codecs.decode import Amount, Decoded, decode
from imageplane.codecs.encode import Extras, encode
from imageplane.codecs.exif import copyright_of
from imageplane.codecs.fit_size import encode_to_fit
from imageplane.codecs.formats import FORMATS, Copyright, OutputFormat, SourceBytes
from imageplane.codecs.header import Header, read_header
from imageplane.deadline import Deadline
from imageplane.errors import ImageplaneError, UndecodableImage
from imageplane.limits import Limits
from imageplane.operation import Tools
from imageplane.pipeline.plan import Output, Plan, Step, explain_plans
from imageplane.pipeline.planner import plan
from imageplane.pixels.geometry import size_of


@dataclass(frozen=True, slots=True)
class Options:
    """How an installation wants its pictures made."""

    limits: Limits = field(default_factory=Limits)
    keep_copyright: bool = False
    is_heic_enabled: bool = True


@dataclass(frozen=True, slots=True)
class Picture:
    """One finished file."""

    name: str
    data: bytes
    format: OutputFormat
    width_in_px: int
    height_in_px: int

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


def execute(
    data: SourceBytes, outputs: Sequence[Output], options: Options, deadline: Deadline, *, is_naive: bool = False
) -> Execution:
    """Make every output of one source: header, plan, decode, steps, encode.

    Errors: any `ImageplaneError`; nothing that libvips raises gets past here.
    """
    stops = _Stops()
    with stops.timed("header"):
        header = read_header(data, options.limits, is_heic_enabled=options.is_heic_enabled)
    with stops.timed("plan"):
        plans = plan(header, outputs, options.limits, is_naive=is_naive)
    deadline.check()
    with stops.timed("decode"), _damage_is_reported(deadline):
        decoded = decode(data, header, _amount(plans), options.limits)
        if len(plans) > 1 and not decoded.is_in_memory:
            decoded = replace(decoded, frames=tuple(frame.copy_memory() for frame in decoded.frames))
    kept = copyright_of(data, header.format) if options.keep_copyright else ()
    run = _Run(header, decoded, kept, options, deadline, stops)
    pictures = tuple(run.picture(each) for each in plans)
    return Execution(header, pictures, decoded.warnings, stops.spent_in_ms)


def explain(data: SourceBytes, outputs: Sequence[Output], options: Options) -> str:
    """Give the plan of a request in a few readable lines."""
    header = read_header(data, options.limits, is_heic_enabled=options.is_heic_enabled)
    return explain_plans(header, plan(header, outputs, options.limits))


def _amount(plans: Sequence[Plan]) -> Amount:
    rows = [plan.rows for plan in plans if plan.rows is not None]
    return Amount(plans[0].shrink, max(rows) if len(rows) == len(plans) else None, max(plan.frames for plan in plans))


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
    header: Header
    decoded: Decoded
    copyright: Copyright
    options: Options
    deadline: Deadline
    stops: _Stops

    def picture(self, plan: Plan) -> Picture:
        frames = list(self.decoded.frames[: plan.frames])
        with _damage_is_reported(self.deadline):
            with self.stops.timed("steps"):
                for step in plan.steps:
                    frames = self._after(step, frames)
            with self.stops.timed("encode"):
                file = self._encoded(frames, plan)
        return Picture(plan.output, file, plan.target.format, *_size_of_file(frames, file, plan))

    def _after(self, step: Step, frames: list[pyvips.Image]) -> list[pyvips.Image]:
        self.deadline.check()
        if step.operation.random_access:
            frames = [frame.copy_memory() for frame in frames]
        try:
            # Only the pixels can tell some sizes, so what could not be planned is checked as it comes.
            step.operation.size_after(size_of(frames[0]))
            changed = step.operation.apply_to_frames(frames, Tools(self.deadline))
            self.options.limits.check_pixels(*size_of(changed[0]), len(changed))
        except ImageplaneError as error:
            raise error.at(step.path) from error.__cause__
        return changed

    def _encoded(self, frames: list[pyvips.Image], plan: Plan) -> bytes:
        self.deadline.check()
        extras = Extras(
            self.header.delays_in_ms[: len(frames)],
            self.header.loop,
            self.copyright,
        )
        try:
            if plan.target.max_size_in_bytes is not None:
                return encode_to_fit(frames, plan.target, extras, self.deadline)
            return encode([self._stoppable(frame) for frame in frames], plan.target, extras)
        except ImageplaneError as error:
            raise error.at(plan.target_path) from error.__cause__

    def _stoppable(self, image: pyvips.Image) -> pyvips.Image:
        """Let libvips ask the deadline while it computes, through its progress signal."""
        watched, deadline = image.copy(), self.deadline
        watched.set_progress(True)
        # The callback must not hold the image that holds it: such a circle keeps pixels until the next collection.
        watched.signal_connect("eval", lambda asked, _: asked.set_kill(True) if deadline.is_over else None)
        return watched


def _size_of_file(frames: list[pyvips.Image], file: bytes, plan: Plan) -> tuple[int, int]:
    if plan.target.max_size_in_bytes is None:
        return size_of(frames[0])
    return read_header(file, Limits(max_source_in_bytes=len(file))).size
