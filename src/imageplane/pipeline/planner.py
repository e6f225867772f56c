"""Operations and a header to plans: pure, quick, and never changing the order that the user wrote.

A plan only cancels, fuses, and moves a shrink forward through operations that say that it may follow them. The planner
names no operation: it asks each one the questions of `PixelOperation`.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from imageplane.codecs.formats import Target, written_as
from imageplane.codecs.header import Header
from imageplane.errors import ImageplaneError
from imageplane.limits import Limits
from imageplane.operation import OutputOperation, PixelOperation, divides
from imageplane.pipeline.plan import Output, Plan, Step
from imageplane.pixels.geometry import Shrunk, Size
from imageplane.pixels.orientation import UPRIGHT

_LANCZOS_REACH = 3
# Rounding to whole pixels must not lift a drawing over the limit.
_VECTOR_MARGIN = 1.01


@dataclass(frozen=True, slots=True)
class _Draft:
    """An output read as far as it goes without choosing a shrink."""

    output: Output
    steps: tuple[Step, ...]
    target: Target
    target_path: str
    limit_path: str
    frames: int
    notes: tuple[str, ...]


def plan(header: Header, outputs: Sequence[Output], limits: Limits, *, is_naive: bool = False) -> tuple[Plan, ...]:
    """Plan several outputs of one source, which all start from one decode.

    Takes: `is_naive`, to decode in full and do every operation as written: what the clever plan is tested against.
    Errors: impossible_operation and image_too_large, with the place in the request.
    """
    drafts = [_draft(header, output, limits, is_naive=is_naive) for output in outputs]
    if is_naive:
        return tuple(_finish(header, draft, 1) for draft in drafts)
    # The output that needs the most pixels decides; what suits it must suit the others too.
    shrink = min(_best_shrink(header, draft, limits) for draft in drafts)
    if any(_shrunk_steps(header, draft, shrink) is None for draft in drafts):
        shrink = 1
    return tuple(_finish(header, draft, shrink) for draft in drafts)


def _draft(header: Header, output: Output, limits: Limits, *, is_naive: bool) -> _Draft:
    target, target_path, limit_path, pixel_steps = _split(header, output)
    frames = header.frames if target.details.is_animated else 1
    steps: list[Step] = []
    size: Size | None = header.size
    limits.check_pixels(*header.size, frames)
    for operation, path in pixel_steps:
        size = _checked_size(operation, path, size, frames, limits)
        steps.append(Step(operation, path, size))
    fused = steps if is_naive else _fused(steps, header.size)
    saved = len(steps) - len(fused)
    notes = (f"{saved} operation{'s' if saved > 1 else ''} cancelled or fused",) if saved else ()
    return _Draft(output, tuple(fused), target, target_path, limit_path, frames, notes)


def _split(header: Header, output: Output) -> tuple[Target, str, str, list[tuple[PixelOperation, str]]]:
    """Give the target, the places where its format and its limit were set, and the operations on pixels."""
    target = Target(output.format or written_as(header.format))
    target_path = limit_path = output.path
    steps: list[tuple[PixelOperation, str]] = []
    for index, operation in enumerate(output.operations):
        path = f"{output.path}[{index}]"
        if isinstance(operation, OutputOperation):
            before, target = target, operation.retarget(target)
            if target.max_size_in_bytes != before.max_size_in_bytes:
                limit_path = path
            else:
                target_path = path
        elif isinstance(operation, PixelOperation):
            steps.append((operation.for_format(target.format), path))
    return target, target_path, limit_path, steps


def _checked_size(operation: PixelOperation, path: str, size: Size | None, frames: int, limits: Limits) -> Size | None:
    if size is None:
        return None
    try:
        after = operation.size_after(size)
        limits.check_pixels(*operation.largest_on_the_way(size), frames)
    except ImageplaneError as error:
        raise error.at(path) from None
    return after


def _fused(steps: Sequence[Step], source: Size) -> list[Step]:
    """Fuse neighbors until no two of them come to something simpler; what becomes neighbors is asked again."""
    done: list[Step] = []
    waiting = list(reversed(steps))
    while waiting:
        step = waiting.pop()
        fusion = done[-1].operation.fused_with(step.operation) if done else None
        if fusion is None:
            done.append(step)
            continue
        before = done.pop()
        size = done[-1].size if done else source
        pieces: list[Step] = []
        for operation in fusion:
            size = operation.size_after(size) if size is not None else None
            pieces.append(Step(operation, before.path, size))
        waiting.extend(reversed(pieces))
    return done


def _best_shrink(header: Header, draft: _Draft, limits: Limits) -> float:
    """Give the largest shrink that the decoder can do and that every step up to the absorbing one can follow."""
    size = header.size
    for index, step in enumerate(draft.steps):
        absorption = step.operation.absorb(size)
        if absorption is not None:
            if header.is_vector:
                smallest = math.sqrt(size.pixels / limits.max_pixels) * _VECTOR_MARGIN
                return max(absorption.exact, smallest) if index == 0 else 1
            for shrink in header.shrinks():
                if shrink <= absorption.most and _shrunk_steps(header, draft, shrink) is not None:
                    return shrink
            return 1
        if step.operation.scaled_by(1, size) is None or step.size is None:
            return 1
        size = step.size
    return 1


def _shrunk_steps(header: Header, draft: _Draft, shrink: float) -> tuple[Step, ...] | None:
    """Give the steps as they are after a shrink of the decoder, or None when one of them can't follow it."""
    if shrink == 1:
        return draft.steps
    grid_must_hold = header.orientation != UPRIGHT or header.extent_after(shrink) != _plain_extent(header, shrink)
    if header.orientation != UPRIGHT and not divides(shrink, *header.size):
        return None
    size, rewritten = header.size, list(draft.steps)
    for index, step in enumerate(draft.steps):
        if step.operation.absorb(size) is not None:
            extent = header.extent_after(shrink) if index == 0 else (size.width / shrink, size.height / shrink)
            rewritten[index] = replace(step, operation=step.operation.after_shrink(Shrunk(size, extent)))
            return tuple(rewritten)
        scaled = None if grid_must_hold and not divides(shrink, *size) else step.operation.scaled_by(shrink, size)
        if scaled is None or step.size is None:
            return None
        rewritten[index] = replace(step, operation=scaled, size=_divided(step.size, shrink))
        size = step.size
    return None


def _plain_extent(header: Header, shrink: float) -> tuple[float, float]:
    return header.size.width / shrink, header.size.height / shrink


def _divided(size: Size, shrink: float) -> Size:
    return Size(math.ceil(size.width / shrink), math.ceil(size.height / shrink))


def _rows(header: Header, draft: _Draft, shrink: float, height: int) -> int | None:
    """Give how many decoded rows, from the top, the first step looks at, or None for all."""
    absorption = draft.steps[0].operation.absorb(header.size) if draft.steps else None
    if absorption is None or absorption.bottom == 1 or shrink == 1 or header.orientation != UPRIGHT:
        return None
    # Lanczos3 reaches three output pixels further; shrinking by whole factors first never reaches as far.
    reach = math.ceil(_LANCZOS_REACH * absorption.exact / shrink) + 1
    rows = math.ceil(height * absorption.bottom) + reach
    return rows if rows < height else None


def _finish(header: Header, draft: _Draft, shrink: float) -> Plan:
    steps = _shrunk_steps(header, draft, shrink) or draft.steps
    across, down = header.extent_after(shrink)
    return Plan(
        output=draft.output.name,
        source=header.size,
        decoded=Size(math.ceil(across), math.ceil(down)),
        shrink=shrink,
        rows=_rows(header, draft, shrink, math.ceil(down)),
        frames=draft.frames,
        steps=steps,
        target=draft.target,
        target_path=draft.target_path,
        limit_path=draft.limit_path,
        notes=draft.notes,
    )
