"""What plans are thought to cost an engine, before any pixel is decoded."""

from collections.abc import Sequence
from typing import Final

from imageplane.codecs.costs import decoding_in_s, encoding_in_s
from imageplane.codecs.header import Header
from imageplane.cost import Cost
from imageplane.pipeline.plan import Plan
from imageplane.pixels.geometry import Size

_ALWAYS_IN_S: Final = 0.002
# Decoded pixels are held in three or four bands, and once more while they are handed over.
_BYTES_A_PIXEL: Final = 8
_ALWAYS_IN_BYTES: Final = 30_000_000


def estimate(header: Header, plans: Sequence[Plan]) -> Cost:
    """Give what it takes to do these plans of one source with one decode."""
    decoded = max(plan.pixels_decoded for plan in plans)
    costs = [_cost_of_steps(plan) for plan in plans]
    return Cost(
        _ALWAYS_IN_S + decoding_in_s(header, decoded) + sum(cost.cpu_in_s for cost in costs),
        _ALWAYS_IN_BYTES
        + header.size_in_bytes
        + _BYTES_A_PIXEL * decoded
        + max(cost.memory_in_bytes for cost in costs),
    )


def _cost_of_steps(plan: Plan) -> Cost:
    """Give what it takes to do the steps of a plan and to encode what comes of them."""
    size: Size = plan.decoded
    spent_in_s, held_in_bytes = 0.0, 0
    for step in plan.steps:
        cost = step.operation.cost(size)
        spent_in_s += plan.frames * cost.cpu_in_s
        held_in_bytes = max(held_in_bytes, cost.memory_in_bytes)
        # Where only the pixels can tell a size, nothing says that it shrinks.
        size = step.size or size
    pixels = size.pixels * plan.frames
    must_fit = plan.target.max_size_in_bytes is not None
    spent_in_s += encoding_in_s(plan.target.format, pixels, must_fit=must_fit)
    return Cost(spent_in_s, held_in_bytes + _BYTES_A_PIXEL * pixels)
