"""Every example of the catalog against its golden: a small PNG in `goldens/`, named `<type>.<example>.png`.

Compared on straight RGBA, where pixels without any opacity have no color, with the tolerance that the example declares.
A failure writes expected | actual | difference to `tests/failures/`. To accept new pictures, run
`IMAGEPLANE_UPDATE_GOLDENS=1 pytest tests/operations/test_goldens.py` and look at every PNG that changed.
"""

import os
from pathlib import Path

import encoded
import numpy as np
import pictures
import pytest
from examples import CASES, Case, array_of, as_parameters, done
from PIL import Image

from imageplane.operation import PixelOperation
from imageplane.transform import transform_bytes

GOLDENS = Path(__file__).parent / "goldens"
FAILURES = Path(__file__).parents[1] / "failures"
UPDATING = os.environ.get("IMAGEPLANE_UPDATE_GOLDENS") == "1"


def result_of(case: Case) -> np.ndarray:
    """Give the pixels of an example; an output operation shows in the file that it makes."""
    if isinstance(case.operation, PixelOperation):
        return array_of(done(pictures.image(case.example.picture), case.operation))
    source = encoded.saved(pictures.PICTURES[case.example.picture](), "PNG")
    fields = {"type": case.operation.type, **case.example.fields}
    return encoded.pixels(transform_bytes(source, [fields]).picture.data)


def straight_rgba(array: np.ndarray) -> np.ndarray:
    rgba = array if array.shape[2] == 4 else np.dstack([array, np.full(array.shape[:2], 255, np.uint8)])
    return np.where(rgba[..., 3:] == 0, 0, rgba).astype(np.int16)


@pytest.mark.parametrize("case", as_parameters(CASES))
def test_an_example_looks_like_its_golden(case: Case) -> None:
    golden = GOLDENS / f"{case.name}.png"
    array = result_of(case)
    if UPDATING:
        GOLDENS.mkdir(exist_ok=True)
        Image.fromarray(array).save(golden, optimize=True)
    assert golden.is_file(), "no golden yet; the docstring of this file says how to make one"
    actual, expected = straight_rgba(array), straight_rgba(np.asarray(Image.open(golden)))
    delta = np.abs(actual - expected) if actual.shape == expected.shape else None
    is_close = delta is not None and delta.max() <= case.example.max_delta and delta.mean() <= case.example.mean_delta
    if not is_close:
        show_failure(case, expected, actual, delta)
    assert delta is not None, f"{actual.shape} instead of {expected.shape}"
    assert delta.max() <= case.example.max_delta
    assert delta.mean() <= case.example.mean_delta


def show_failure(case: Case, expected: np.ndarray, actual: np.ndarray, delta: np.ndarray | None) -> None:
    panels = [expected, actual]
    if delta is not None:
        # Amplified, because differences that matter are too dark to see; opaque, because alpha differs by 0.
        panels.append(
            np.dstack([np.minimum(8 * delta[..., :3].clip(delta[..., 3:]), 255), np.full(delta.shape[:2], 255)])
        )
    height = max(panel.shape[0] for panel in panels)
    padded = [np.pad(panel, ((0, height - panel.shape[0]), (0, 4), (0, 0))) for panel in panels]
    FAILURES.mkdir(exist_ok=True)
    Image.fromarray(np.hstack(padded).astype(np.uint8)).save(FAILURES / f"{case.name}.png")


def test_no_golden_is_without_its_example() -> None:
    names = {path.name for path in GOLDENS.iterdir()}
    assert names == {f"{case.name}.png" for case in CASES}
