"""What several callers want of one source, done with one decode and one look."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from imageplane.codecs.formats import SourceBytes
from imageplane.deadline import Deadline
from imageplane.errors import DeadlineExceeded, ImageplaneError
from imageplane.models.eyes import Seen
from imageplane.pipeline.plan import Output
from imageplane.pipeline.runner import Execution, Options, Picture, execute


@dataclass(frozen=True, slots=True)
class Wish:
    """What one caller wants, and what is known of the source."""

    outputs: tuple[Output, ...]
    known: Mapping[str, Seen] = field(default_factory=dict)


def execute_together(
    data: SourceBytes, wishes: Sequence[Wish], options: Options, deadline: Deadline
) -> list[Execution | ImageplaneError]:
    """Give what each wish comes to, as if it had been alone: what is impossible for one stops no other."""
    different = {wish.outputs: wish for wish in wishes}
    try:
        done = _all_at_once(data, list(different.values()), options, deadline)
    except DeadlineExceeded as error:
        return [error for _ in wishes]
    except ImageplaneError:
        done = {wish.outputs: _alone(data, wish, options, deadline) for wish in different.values()}
    return [done[wish.outputs] for wish in wishes]


def _all_at_once(
    data: SourceBytes, wishes: Sequence[Wish], options: Options, deadline: Deadline
) -> dict[tuple[Output, ...], Execution | ImageplaneError]:
    # Names may be the same in two wishes, but here the order tells them apart.
    outputs = [output for wish in wishes for output in wish.outputs]
    known = {what: seen for wish in wishes for what, seen in wish.known.items()}
    execution = execute(data, outputs, options, deadline, known)
    pictures = iter(execution.pictures)
    return {wish.outputs: replace(execution, pictures=_next(pictures, len(wish.outputs))) for wish in wishes}


def _next(pictures: Iterator[Picture], count: int) -> tuple[Picture, ...]:
    return tuple(next(pictures) for _ in range(count))


def _alone(data: SourceBytes, wish: Wish, options: Options, deadline: Deadline) -> Execution | ImageplaneError:
    try:
        return execute(data, wish.outputs, options, deadline, wish.known)
    except ImageplaneError as error:
        return error
