"""The laws of the planner's hints, put to every example of the catalog.

A law holds for what an operation claims and says nothing about what it doesn't claim. Sizes are awkward on purpose:
round ones let planted bugs live. Nothing here names an operation, so a new one is judged without a change.
"""

import numpy as np
import pictures
import pytest
import pyvips
from examples import CASES, PIXEL_CASES, TOOLS, Case, array_of, as_parameters, deltas, done, image_of, premultiplied

from imageplane.errors import ImpossibleOperation
from imageplane.operation import PixelOperation, Shrunk, Size, size_of
from imageplane.operations import catalog

SIZES = (Size(217, 149), Size(121, 473), Size(1, 1), Size(2, 977))
SHRINKS = (2, 4, 8)

by_case = pytest.mark.parametrize("case", as_parameters(PIXEL_CASES))


def source(case: Case, size: Size) -> np.ndarray:
    if min(size) >= 100:
        return pictures.PICTURES[case.example.picture](*size)
    # The pictures have a least size; below it, noise will do.
    bands = 4 if case.example.picture == "alpha" else 3
    return np.random.default_rng(7).integers(0, 256, (size.height, size.width, bands), dtype=np.uint8)


def box_shrunk(image: pyvips.Image, shrink: int) -> pyvips.Image:
    """Average squares of pixels as a decoder does: the last square repeats the edge where the picture ends in it."""
    array = array_of(image)
    height, width, bands = array.shape
    seen = premultiplied(array)
    padded = np.pad(seen, ((0, -height % shrink), (0, -width % shrink), (0, 0)), mode="edge")
    rows, columns = padded.shape[0] // shrink, padded.shape[1] // shrink
    small = padded.reshape(rows, shrink, columns, shrink, 4).mean((1, 3))
    small[..., :3] /= np.maximum(small[..., 3:], 1e-9) / 255
    return image_of(np.rint(small).clip(0, 255).astype(np.uint8)[..., :bands])


@by_case
@pytest.mark.parametrize("size", SIZES, ids=str)
def test_the_promised_size_is_the_real_one(case: Case, size: Size) -> None:
    image = image_of(source(case, size))
    try:
        promised = case.operation.size_after(size)
    except ImpossibleOperation:
        with pytest.raises((ImpossibleOperation, pyvips.Error)):
            case.operation.apply(image, TOOLS)
        return
    result = case.operation.apply(image, TOOLS)
    assert promised in (None, size_of(result))


@by_case
@pytest.mark.parametrize("shrink", SHRINKS)
@pytest.mark.parametrize("size", [Size(224, 152), Size(224, 149), Size(217, 152), Size(363, 473)], ids=str)
def test_a_scaled_operation_follows_a_shrink(case: Case, size: Size, shrink: int) -> None:
    scaled = case.operation.scaled_by(shrink, size)
    if scaled is None:
        return
    image = image_of(source(case, size))
    after = box_shrunk(done(image, case.operation), shrink)
    before = done(box_shrunk(image, shrink), scaled)
    most, mean = deltas(array_of(before), array_of(after))
    assert most <= 16
    assert mean <= 0.8


@by_case
@pytest.mark.parametrize("size", [Size(1096, 776), Size(973, 677)], ids=str)
def test_what_a_decoder_absorbs_is_not_missing(case: Case, size: Size) -> None:
    absorption = case.operation.absorb(size)
    if absorption is None:
        return
    image = image_of(source(case, size))
    naive = array_of(done(image, case.operation))
    for shrink in SHRINKS:
        if shrink > absorption.most:
            continue
        picture = Shrunk(size, (size.width / shrink, size.height / shrink))
        planned = case.operation.after_shrink(picture).apply(box_shrunk(image, shrink), TOOLS)
        most, mean = deltas(array_of(planned), naive)
        assert most <= 40
        assert mean <= 1.0


@pytest.mark.parametrize("first", as_parameters(PIXEL_CASES))
@pytest.mark.parametrize("picture", ["photo", "alpha"])
def test_two_fused_operations_are_the_two_in_a_row(first: Case, picture: str) -> None:
    image = pictures.image(picture)
    for second in PIXEL_CASES:
        fused = first.operation.fused_with(second.operation)
        if fused is None:
            continue
        try:
            naive = array_of(done(image, first.operation, second.operation))
        except ImpossibleOperation:
            with pytest.raises(ImpossibleOperation):
                done(image, *fused)
            continue
        most, mean = deltas(array_of(done(image, *fused)), naive)
        assert most <= 3, second.name
        assert mean <= 0.6, second.name


@by_case
def test_pixels_that_come_once_and_in_order_are_enough(case: Case) -> None:
    if case.operation.random_access:
        return
    array = source(case, Size(217, 2003))
    file = image_of(array).write_to_buffer(".png")
    once = pyvips.Image.new_from_buffer(file, "", access="sequential").copy(interpretation="srgb")
    assert np.array_equal(array_of(done(once, case.operation)), array_of(done(image_of(array), case.operation)))


@by_case
def test_colors_hidden_under_alpha_never_show(case: Case) -> None:
    array = pictures.alpha()
    array[np.random.default_rng(3).random(array.shape[:2]) < 0.2, 3] = 0
    hidden = array[..., 3] == 0
    results = []
    for color in ((255, 0, 255), (0, 255, 0)):
        array[hidden, :3] = color
        results.append(array_of(done(image_of(array), case.operation)))
    most, _ = deltas(*results)
    assert most == 0


@by_case
@pytest.mark.parametrize("picture", ["photo", "alpha"])
def test_the_result_is_bytes_of_srgb(case: Case, picture: str) -> None:
    result = done(pictures.image(picture), case.operation)
    assert (result.format, result.interpretation) == ("uchar", "srgb")
    assert result.bands in (3, 4)
    assert array_of(result).shape == (result.height, result.width, result.bands)


@by_case
def test_frames_of_one_size_stay_frames_of_one_size(case: Case) -> None:
    operation = case.operation
    assert isinstance(operation, PixelOperation)
    frame = pictures.image(case.example.picture)
    size, *others = [size_of(result) for result in operation.apply_to_frames([frame, frame.invert(), frame], TOOLS)]
    assert others == [size, size]


@pytest.mark.parametrize("kind", catalog())
def test_an_operation_explains_itself(kind: str) -> None:
    operation = catalog()[kind]
    assert operation.__module__.rpartition(".")[2] == operation.model_fields["type"].default == kind
    assert len((operation.__doc__ or "").strip()) > 10
    assert operation.examples
    for name, field in operation.model_fields.items():
        assert name == "type" or field.description, name


def test_no_two_examples_share_a_name() -> None:
    names = [case.name for case in CASES]
    assert len(set(names)) == len(names)
