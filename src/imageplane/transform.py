"""The hall: what is asked for, and what comes of it, the same for every door.

A door reads a `TransformRequest`, and has a `Transformer` do it in an engine. `transform_bytes` does it in this
process instead: for programs that trust their bytes.
"""

import mmap
import re
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

from imageplane import operations as catalog
from imageplane.codecs.header import Header
from imageplane.deadline import Deadline
from imageplane.engine.pool import Pool
from imageplane.engine.terms import Outfit
from imageplane.errors import Fault, RequestError
from imageplane.limits import Limits
from imageplane.models import ModelOptions, rest
from imageplane.models.eyes import Seen
from imageplane.models.memory import Memory, digest_of
from imageplane.operation import PixelOperation, Subject, Window
from imageplane.pipeline import Options, Output, Picture, SmartCrop, execute, explain
from imageplane.pixels.geometry import Size
from imageplane.pixels.sighting import Box, Sighting

if TYPE_CHECKING:
    # The engines import this module too, and need no settings.
    from imageplane.settings import Settings

MAX_OUTPUTS: Final = 20
_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")


@dataclass(frozen=True, slots=True)
class TransformRequest:
    """What is wanted of one source.

    Takes: `outputs`, at least one; `is_single`, when the request listed operations rather than named outputs: then
    the one output has the name "image"; `warnings` about the request itself.
    """

    outputs: tuple[Output, ...]
    is_single: bool
    warnings: tuple[str, ...] = ()

    @property
    def looks(self) -> bool:
        """Whether any operation asks what is in the picture."""
        operations = (operation for output in self.outputs for operation in output.operations)
        return any(isinstance(operation, PixelOperation) and operation.looks for operation in operations)

    @classmethod
    def parse(cls, raw: object, limits: Limits | None = None, also_known: Collection[str] = ()) -> Self:
        """Read a request from decoded JSON.

        Takes: `{"operations": […]}` or `{"outputs": [{"name": …, "operations": […]}, …]}`; fields beside these that
        the door reads itself.
        Errors: invalid_request, with every fault of the whole request at once.
        """
        if not isinstance(raw, Mapping):
            raise RequestError.of([Fault("request", "expected an object with operations or outputs")])
        reading = _Reading(limits or Limits())
        reading.warn_of_unknown(raw, "", {"operations", "outputs", *also_known})
        is_single = "operations" in raw
        if is_single:
            reading.add_output("image", raw["operations"], "operations")
        if "outputs" in raw:
            reading.read_outputs(raw["outputs"])
        if is_single == ("outputs" in raw):
            reading.faults.append(Fault("operations", "give either operations or outputs"))
        if reading.faults:
            raise RequestError.of(reading.faults)
        return cls(tuple(reading.outputs), is_single, tuple(reading.warnings))


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


@dataclass(frozen=True, slots=True)
class Transformer:
    """Requests to results, in the engines of a pool."""

    pool: Pool
    options: Options
    memory: Memory = field(default_factory=Memory)

    def transform(
        self, source: bytes | Path, request: TransformRequest, deadline: Deadline | None = None
    ) -> "Future[Result]":
        """Start the work; the future gives the result or an `ImageplaneError`."""
        if not request.looks or isinstance(source, Path):
            return self._submit(source, request, {}, deadline)
        digest = digest_of(source)
        future = self._submit(source, request, self.memory.of(digest), deadline)
        future.add_done_callback(lambda done: self._remember(digest, done))
        return future

    def _submit(
        self, source: bytes | Path, request: TransformRequest, known: dict[str, Seen], deadline: Deadline | None
    ) -> "Future[Result]":
        return self.pool.submit(_transform, source, request, self.options, known, deadline=deadline, answers=_ANSWERS)

    def _remember(self, digest: bytes, done: "Future[Result]") -> None:
        if not done.cancelled() and done.exception() is None:
            self.memory.add(digest, done.result().seen)

    def explain(
        self, source: bytes | Path, request: TransformRequest, deadline: Deadline | None = None
    ) -> "Future[str]":
        """Start to plan; the future gives the plan in a few readable lines or an `ImageplaneError`."""
        return self.pool.submit(_explain, source, request, self.options, deadline=deadline)


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
    done = execute(data, request.outputs, options, deadline, known)
    return Result(done.header, done.pictures, request.warnings + done.warnings, done.timings_in_ms, done.seen)


def _explain(data: bytes | mmap.mmap, request: TransformRequest, options: Options, _deadline: Deadline) -> str:
    return explain(data, request.outputs, options)


class _Reading:
    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self.outputs: list[Output] = []
        self.faults: list[Fault] = []
        self.warnings: list[str] = []

    def read_outputs(self, raw: object) -> None:
        if not isinstance(raw, list) or not 1 <= len(raw) <= MAX_OUTPUTS:
            self.faults.append(Fault("outputs", f"expected a list of 1 to {MAX_OUTPUTS} outputs"))
            return
        for index, item in enumerate(raw):
            place = f"outputs[{index}]"
            if not isinstance(item, Mapping):
                self.faults.append(Fault(place, "expected an object with name and operations"))
                continue
            self.warn_of_unknown(item, f"{place}.", {"name", "operations"})
            name = self._checked_name(item.get("name"), f"{place}.name")
            self.add_output(name, item.get("operations"), f"{place}.operations")

    def add_output(self, name: str, raw_operations: object, path: str) -> None:
        try:
            operations, warnings = catalog.parse(raw_operations, path, self._limits)
        except RequestError as error:
            self.faults.extend(error.faults)
        else:
            self.outputs.append(Output(name, operations, path))
            self.warnings.extend(warnings)

    def warn_of_unknown(self, raw: Mapping[str, object], prefix: str, known: Collection[str]) -> None:
        self.warnings.extend(f"{prefix}{name}: unknown field, ignored" for name in raw if name not in known)

    def _checked_name(self, name: object, path: str) -> str:
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            self.faults.append(Fault(path, "expected 1 to 64 letters, digits, dashes or underscores"))
            return ""
        # Names become file names, and some file systems don't tell capitals from small letters.
        if name.lower() in {output.name.lower() for output in self.outputs}:
            self.faults.append(Fault(path, f"the name {name!r} is taken by another output"))
        return name
