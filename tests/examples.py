"""Every example of every operation, read as from the wire, and what the tests on operations do with them."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import pyvips
from absent import NO_WEIGHTS, WEIGHTS

from imageplane.deadline import Deadline
from imageplane.models import ModelOptions, models_of
from imageplane.operation import Example, Operation, PixelOperation, Tools, size_of
from imageplane.operations import catalog, parse

TOOLS = Tools(Deadline(), models_of(ModelOptions(WEIGHTS)) if WEIGHTS else None)


@dataclass(frozen=True)
class Case:
    """One example with the operation that it describes."""

    operation: Operation
    example: Example

    @property
    def name(self) -> str:
        return f"{self.operation.type}.{self.example.name}"


def _case(kind: str, example: Example) -> Case:
    (operation,), warnings = parse([{"type": kind, **example.fields}])
    assert warnings == ()
    return Case(operation, example)


CASES = tuple(_case(kind, example) for kind, operation in catalog().items() for example in operation.examples)
PIXEL_CASES = tuple(case for case in CASES if isinstance(case.operation, PixelOperation))


def as_parameters(cases: tuple[Case, ...]) -> list[Any]:
    """Give cases to parametrize a test with; those that need weights are skipped, visibly, where there are none."""
    absent = pytest.mark.skipif(WEIGHTS is None, reason=NO_WEIGHTS)
    return [pytest.param(case, id=case.name, marks=[absent] if needs_weights(case.operation) else []) for case in cases]


def needs_weights(operation: Operation) -> bool:
    return isinstance(operation, PixelOperation) and operation.needs_models


def image_of(array: np.ndarray) -> pyvips.Image:
    """Give an array as operations take it: 8-bit sRGB, 3 bands or 4."""
    return pyvips.Image.new_from_array(np.ascontiguousarray(array)).copy(interpretation="srgb")


def array_of(image: pyvips.Image) -> np.ndarray:
    """Give the pixels, always as (H, W, C)."""
    return image.numpy().reshape(image.height, image.width, image.bands)


def done(image: pyvips.Image, *operations: PixelOperation) -> pyvips.Image:
    """Do operations as the pipeline would do them unplanned. Errors: impossible_operation."""
    for operation in operations:
        operation.size_after(size_of(image))
        image = operation.apply(image, TOOLS)
    return image


def premultiplied(array: np.ndarray) -> np.ndarray:
    """Give what can be seen: float colors times alpha, then alpha; with 3 bands opaque."""
    if array.shape[2] == 3:
        array = np.dstack([array, np.full(array.shape[:2], 255, np.uint8)])
    return np.dstack([array[..., :3] * (array[..., 3:] / 255.0), array[..., 3:]])


def deltas(actual: np.ndarray, expected: np.ndarray) -> tuple[float, float]:
    """Give the largest and the mean difference of what can be seen, in 8-bit steps."""
    assert actual.shape == expected.shape
    difference = np.abs(premultiplied(actual) - premultiplied(expected))
    return float(difference.max()), float(difference.mean())
