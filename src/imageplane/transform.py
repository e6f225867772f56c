"""The hall: what is asked for, and what comes of it, the same for every door.

A door reads a `TransformRequest`, and has a `Transformer` do it in an engine. `transform_bytes` does it in this
process instead: for programs that trust their bytes.
"""

import mmap
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from imageplane.codecs.formats import OutputFormat
from imageplane.codecs.glance import glance
from imageplane.codecs.header import Header
from imageplane.cost import Cost
from imageplane.deadline import Deadline
from imageplane.engine.job import Together
from imageplane.engine.pool import Pool
from imageplane.engine.terms import Outfit
from imageplane.engine.wire import Answer
from imageplane.errors import ImageplaneError
from imageplane.models import ModelOptions, rest
from imageplane.models.eyes import Seen
from imageplane.models.memory import Known, Memory, digest_of
from imageplane.operation import Subject, Window
from imageplane.pipeline import (
    Drawing,
    Execution,
    NamedCrop,
    Options,
    Picture,
    SmartCrop,
    Wish,
    draw,
    estimate,
    execute,
    execute_together,
    explain,
    plan,
)
from imageplane.pixels.geometry import Size
from imageplane.pixels.sighting import Box, Sighting
from imageplane.request import TransformRequest

if TYPE_CHECKING:
    # The engines import this module too, and need no settings.
    from imageplane.settings import Settings


@dataclass(frozen=True, slots=True)
class Result:
    """What came of one request.

    Takes: `pictures` in the order of the outputs; `timings_in_ms` per stop.
    """

    source: Header
    pictures: tuple[Picture, ...]
    warnings: tuple[str, ...]
    timings_in_ms: dict[str, float]
    seen: dict[str, Seen]

    @property
    def picture(self) -> Picture:
        """The only picture, or the first."""
        return self.pictures[0]


_ANSWERS: Final = (Result, Header, Size, Picture, SmartCrop, Window, Subject, Seen, Sighting, Box)
# How long a drawing takes says no number in its header.
_COST_OF_A_DRAWING: Final = Cost(cpu_in_s=0.3, memory_in_bytes=200_000_000)
_DRAWN_ANSWERS: Final = (Drawing, NamedCrop, SmartCrop, Window, Subject)


@dataclass(frozen=True, slots=True)
class Transformer:
    """Requests to results, in the engines of a pool."""

    pool: Pool
    options: Options
    memory: Memory = field(default_factory=Memory)

    def transform(
        self,
        source: bytes | Path,
        request: TransformRequest,
        deadline: Deadline | None = None,
        tenant: str = "",
        weight: float = 1.0,
    ) -> "Future[Result]":
        """Start the work; the future gives the result or an `ImageplaneError`.

        Takes: `tenant`, who takes turns with others by its `weight`, and whose requests for one source may be done at
        once.
        Errors: busy, at once, when the work could not be done in time.
        """
        submit = partial(
            self.pool.submit,
            _transform,
            source,
            request,
            self.options,
            deadline=deadline,
            answers=_ANSWERS,
            tenant=tenant,
            weight=weight,
        )
        if isinstance(source, Path):
            return submit({})
        digest = digest_of(source)
        together = Together((tenant, digest), _transform_together)
        future = submit(Known(self.memory, digest), cost=self._cost(source, request), together=together)
        if request.looks:
            future.add_done_callback(lambda done: self._remember(digest, done))
        return future

    def _cost(self, source: bytes, request: TransformRequest) -> Cost:
        header = glance(source)
        if header is None:
            return _COST_OF_A_DRAWING
        try:
            return estimate(header, plan(header, request.outputs, self.options.limits))
        except ImageplaneError:
            # An engine will say so too, as soon as it has read the header.
            return Cost()

    def _remember(self, digest: bytes, done: "Future[Result]") -> None:
        if not done.cancelled() and done.exception() is None:
            self.memory.add(digest, done.result().seen)

    def explain(
        self, source: bytes | Path, request: TransformRequest, deadline: Deadline | None = None
    ) -> "Future[str]":
        """Start to plan; the future gives the plan in a few readable lines or an `ImageplaneError`."""
        return self.pool.submit(_explain, source, request, self.options, deadline=deadline)

    def draw(
        self,
        source: bytes | Path,
        request: TransformRequest,
        format: OutputFormat,  # noqa: A002 - the word of the field
        deadline: Deadline | None = None,
    ) -> "Future[tuple[Drawing, ...]]":
        """Start to draw what the request sees and chooses; the future gives files or an `ImageplaneError`."""
        return self.pool.submit(_draw, source, request, self.options, format, deadline=deadline, answers=_DRAWN_ANSWERS)


def transform_bytes(
    data: bytes,
    operations: Sequence[Mapping[str, Any]],
    *,
    options: Options | None = None,
    deadline: Deadline | None = None,
) -> Result:
    """Do a list of operations in this process.

    Takes: bytes that are trusted: a hostile file can crash this process or fill its memory, where an engine of a
    `Transformer` would die for it; operations as on the wire.
    Errors: any `ImageplaneError`.
    """
    request = TransformRequest.parse({"operations": list(operations)}, options.limits if options else None)
    return _transform(data, request, options or Options(), {}, deadline or Deadline())


def options_of(settings: "Settings") -> Options:
    """Give what the craft is told of the settings."""
    return Options(
        limits=settings.limits.of_a_source,
        keep_copyright=settings.keep_copyright,
        is_heic_enabled=settings.heic,
        models=ModelOptions(
            settings.models_dir, settings.models.execution_providers, settings.models.idle_release_in_s
        ),
    )


def outfit_of(settings: "Settings") -> Outfit:
    """Give what engines need beside their libraries."""
    return Outfit((settings.models_dir,), on_idle=rest, idle_after_in_s=settings.models.idle_release_in_s)


def _transform(
    data: bytes | mmap.mmap,
    request: TransformRequest,
    options: Options,
    known: dict[str, Seen],
    deadline: Deadline,
) -> Result:
    return _result(request, execute(data, request.outputs, options, deadline, known))


def _transform_together(
    data: bytes | mmap.mmap,
    wishes: Sequence[tuple[TransformRequest, Options, dict[str, Seen]]],
    deadline: Deadline,
) -> list[Answer]:
    options = wishes[0][1]
    done = execute_together(data, [Wish(request.outputs, known) for request, _, known in wishes], options, deadline)
    return [
        Answer(error=each) if isinstance(each, ImageplaneError) else Answer(_result(request, each))
        for (request, _, _), each in zip(wishes, done, strict=True)
    ]


def _result(request: TransformRequest, done: Execution) -> Result:
    return Result(done.header, done.pictures, request.warnings + done.warnings, done.timings_in_ms, done.seen)


def _explain(data: bytes | mmap.mmap, request: TransformRequest, options: Options, _deadline: Deadline) -> str:
    return explain(data, request.outputs, options)


def _draw(
    data: bytes | mmap.mmap,
    request: TransformRequest,
    options: Options,
    format: OutputFormat,  # noqa: A002
    deadline: Deadline,
) -> tuple[Drawing, ...]:
    return draw(data, request.outputs, options, deadline, format)
