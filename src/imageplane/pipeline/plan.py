"""What is wanted and how it will be done: frozen data between the planner and the runner."""

from collections.abc import Sequence
from dataclasses import dataclass

from imageplane.codecs.formats import OutputFormat, Target
from imageplane.codecs.header import Header
from imageplane.operation import Operation, PixelOperation
from imageplane.pixels.geometry import Size


@dataclass(frozen=True, slots=True)
class Output:
    """One wanted picture: its name, its operations, and where in the request they stand.

    Takes: `format`, what is written when no operation says otherwise, or None for the source's own.
    """

    name: str
    operations: tuple[Operation, ...]
    path: str = "operations"
    format: OutputFormat | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """One operation to run, with its place in the request.

    Takes: `size` of the result, or None when only the pixels can tell.
    """

    operation: PixelOperation
    path: str
    size: Size | None

    @property
    def index(self) -> int:
        """The place of the operation in its list."""
        return int(self.path.rpartition("[")[2].rstrip("]"))


@dataclass(frozen=True, slots=True)
class Plan:
    """How one output is made of the decoded source.

    Takes: `shrink` of the decoder, below 1 where a vector is rendered larger; `rows` of the decoded picture, from the
    top, that anything looks at, or None for all; `steps` after it; `target_path`, the place of the operation that
    chose the format, and `limit_path` of the one that bounds the file's size; `notes`, what the planner saved.
    """

    output: str
    source: Size
    decoded: Size
    shrink: float
    rows: int | None
    frames: int
    steps: tuple[Step, ...]
    target: Target
    target_path: str
    limit_path: str
    notes: tuple[str, ...] = ()

    @property
    def pixels_decoded(self) -> int:
        """How many pixels leave the decoder: what most of the time and memory goes with."""
        return self.decoded.width * (self.rows or self.decoded.height) * self.frames

    @property
    def is_sequential(self) -> bool:
        """Whether the source can be read once from top to bottom and never be held whole."""
        return self.frames == 1 and not any(step.operation.random_access for step in self.steps)

    def lines(self) -> list[str]:
        """Give the plan as a person reads it, one stop a line."""
        frames = f", {self.frames} frames" if self.frames > 1 else ""
        rows = f", only the first {self.rows} rows" if self.rows is not None else ""
        access = "read once" if self.is_sequential else "held in memory"
        lines = [f"decode {_shrink_text(self.shrink)} {self.source} → {self.decoded}{frames}{rows}, {access}"]
        lines += [f"{_operation_text(step.operation)} → {step.size or 'size not known yet'}" for step in self.steps]
        quality = self.target.effective_quality
        within = self.target.max_size_in_bytes
        lines.append(
            f"encode {self.target.format}"
            + (f" at quality {quality}" if quality is not None else "")
            + (f" within {within:,} bytes" if within is not None else "")
        )
        return lines + [f"note: {note}" for note in self.notes]


def _shrink_text(shrink: float) -> str:
    if shrink == 1:
        return "in full,"
    return f"shrunk by {shrink:g}," if shrink > 1 else f"rendered {1 / shrink:.3g} times larger,"


def _operation_text(operation: PixelOperation) -> str:
    fields = operation.model_dump(exclude={"type"}, exclude_defaults=True)
    return f"{operation.type} {' '.join(f'{name}={value}' for name, value in fields.items())}".rstrip()


def explain_plans(header: Header, plans: Sequence[Plan]) -> str:
    """Give the plans of one request as text."""
    lines = [
        f"source: {header.format}, {header.size}, {header.size_in_bytes:,} bytes"
        + (f", {header.frames} frames" if header.frames > 1 else "")
        + (f", orientation {header.orientation}" if header.orientation != 1 else "")
        + (", progressive" if header.is_progressive else "")
        + ("" if header.is_srgb else ", converted to sRGB")
    ]
    for plan in plans:
        lines.append(f"output {plan.output}:" if len(plans) > 1 else "plan:")
        lines.extend(
            f"  {index}. {line}" if not line.startswith("note") else f"  {line}"
            for index, line in enumerate(plan.lines(), 1)
        )
    return "\n".join(lines)
