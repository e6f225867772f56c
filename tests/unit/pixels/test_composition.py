"""The laws of choosing a window, over pictures and sightings of all kinds."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from imageplane.pixels.composition import Choice, Saliency, choose
from imageplane.pixels.geometry import Size
from imageplane.pixels.sighting import Box, Kind, Sighting

EXACT = 1e-6
KINDS: tuple[Kind, ...] = ("face", "person", "animal", "object")
LABELS = {"face": "face", "person": "person", "animal": "dog", "object": "cup"}

sizes = st.builds(Size, st.integers(1, 6000), st.integers(1, 6000))
photo_sizes = st.builds(Size, st.integers(300, 4000), st.integers(300, 4000))
confidences = st.floats(0.3, 1.0)
zooms = st.floats(0, 1)


@st.composite
def boxes(draw: st.DrawFn, least: float = 0.01, most: float = 1.0) -> Box:
    width, height = draw(st.floats(least, most)), draw(st.floats(least, most))
    return Box(draw(st.floats(0, 1 - width)), draw(st.floats(0, 1 - height)), width, height)


@st.composite
def sightings(draw: st.DrawFn, kinds: Sequence[Kind] = KINDS) -> Sighting:
    kind = draw(st.sampled_from(kinds))
    return Sighting(kind, LABELS[kind], draw(confidences), draw(boxes()))


@st.composite
def maps(draw: st.DrawFn) -> NDArray[np.float64]:
    height, width = draw(st.integers(1, 24)), draw(st.integers(1, 24))
    values = draw(st.lists(st.floats(0, 1), min_size=height * width, max_size=height * width))
    return np.array(values).reshape(height, width)


@st.composite
def groups(draw: st.DrawFn) -> list[Sighting]:
    """Faces of people who matter alike: of one size, equally sure."""
    side, confidence = draw(st.floats(0.02, 0.3)), draw(st.floats(0.75, 1.0))
    places = draw(st.lists(st.tuples(st.floats(0, 1 - side), st.floats(0, 1 - side)), min_size=1, max_size=6))
    return [Sighting("face", "face", confidence, Box(*place, side, side)) for place in places]


seen = st.lists(sightings(), max_size=6)
options = st.fixed_dictionaries({"zoom": st.none() | zooms, "subject": st.none() | st.sampled_from(KINDS)})


def drawing(values: NDArray[np.float64] | None) -> Saliency | None:
    return None if values is None else lambda: values


def mirrored(box: Box) -> Box:
    return Box(1 - box.right, box.top, box.width, box.height)


def shows(choice: Choice, box: Box) -> bool:
    window = choice.window
    return (
        window.left <= box.left + EXACT
        and window.top <= box.top + EXACT
        and window.right >= box.right - EXACT
        and window.bottom >= box.bottom - EXACT
    )


@given(sizes, sizes, st.none() | seen, st.none() | maps(), options)
@settings(max_examples=150, deadline=None)
def test_the_window_lies_inside_and_has_the_asked_ratio(
    size: Size, box: Size, found: list[Sighting] | None, saliency: NDArray[np.float64] | None, wanted: dict[str, Any]
) -> None:
    choice = choose(size, box, found, drawing(saliency), **wanted)
    window = choice.on(size)
    assert window.left_in_px >= 0
    assert window.top_in_px >= 0
    assert window.left_in_px + window.width_in_px <= size.width
    assert window.top_in_px + window.height_in_px <= size.height
    wide, tall = choice.window.width * size.width, choice.window.height * size.height
    assert wide / tall == pytest.approx(box.width / box.height)
    assert abs(window.width_in_px - wide) <= (0.5 if wide >= 0.5 else 1)
    assert abs(window.height_in_px - tall) <= (0.5 if tall >= 0.5 else 1)
    if not wanted["zoom"]:
        assert max(choice.window.width, choice.window.height) == pytest.approx(1)


@given(photo_sizes, photo_sizes, seen, maps(), st.sampled_from([None, 0.4, 1.0]))
@settings(max_examples=80, deadline=None)
def test_a_mirrored_picture_has_the_mirrored_window(
    size: Size, box: Size, found: list[Sighting], saliency: NDArray[np.float64], zoom: float | None
) -> None:
    turned = [Sighting(each.kind, each.label, each.confidence, mirrored(each.box)) for each in found]
    plain = choose(size, box, found, drawing(saliency), zoom=zoom)
    other = choose(size, box, turned, drawing(saliency[:, ::-1]), zoom=zoom)
    assert plain.rule == other.rule
    assert np.allclose(plain.window, mirrored(other.window), atol=0.02) or _are_as_good(plain, other)


def _are_as_good(plain: Choice, other: Choice) -> bool:
    """Two windows can be equally good; then either is right, as long as they are as large."""
    middle = plain.window.left + plain.window.width / 2
    return plain.window.width == other.window.width and abs(middle - 0.5) == pytest.approx(
        abs(other.window.left + other.window.width / 2 - 0.5), abs=0.02
    )


@given(photo_sizes, photo_sizes, seen, maps(), st.integers(2, 7))
@settings(max_examples=50, deadline=None)
def test_a_larger_copy_has_the_same_window(
    size: Size, box: Size, found: list[Sighting], saliency: NDArray[np.float64], times: int
) -> None:
    larger = Size(size.width * times, size.height * times)
    small, large = (choose(each, box, found, drawing(saliency)).window for each in (size, larger))
    assert np.allclose(small, large)


@given(photo_sizes, photo_sizes, groups(), maps())
@settings(max_examples=150, deadline=None)
def test_all_faces_are_kept_when_a_window_keeps_them_all(
    size: Size, box: Size, faces: list[Sighting], saliency: NDArray[np.float64]
) -> None:
    choice = choose(size, box, faces, drawing(saliency))
    whole = faces[0].box
    for face in faces:
        whole = whole.joined(face.box)
    assume(whole.width <= choice.window.width and whole.height <= choice.window.height)
    assert all(shows(choice, face.box) for face in faces)
    assert choice.rule == "face"


@given(photo_sizes, photo_sizes, groups())
@settings(max_examples=100, deadline=None)
def test_some_face_is_kept_when_one_fits(size: Size, box: Size, faces: list[Sighting]) -> None:
    choice = choose(size, box, faces)
    assume(faces[0].box.width <= choice.window.width and faces[0].box.height <= choice.window.height)
    assert any(shows(choice, face.box) for face in faces)


@given(photo_sizes, photo_sizes, groups(), sightings(("object",)), maps())
@settings(max_examples=150, deadline=None)
def test_an_uncertain_object_cuts_no_face(
    size: Size, box: Size, faces: list[Sighting], thing: Sighting, saliency: NDArray[np.float64]
) -> None:
    unsure = Sighting("object", thing.label, min(thing.confidence, 0.55), thing.box)
    before, after = (choose(size, box, found, drawing(saliency)) for found in (faces, [*faces, unsure]))
    assert all(shows(after, face.box) for face in faces if shows(before, face.box))


@given(photo_sizes, photo_sizes, seen, zooms, zooms)
@settings(max_examples=100, deadline=None)
def test_more_zoom_is_never_a_larger_window(
    size: Size, box: Size, found: list[Sighting], one: float, other: float
) -> None:
    less, more = (choose(size, box, found, zoom=zoom).window for zoom in sorted((one, other)))
    assert more.width <= less.width + EXACT
    assert more.height <= less.height + EXACT


@given(photo_sizes, st.builds(Size, st.integers(20, 600), st.integers(20, 600)), seen)
@settings(max_examples=100, deadline=None)
def test_zoom_enlarges_no_pixels_unless_the_picture_is_too_small(size: Size, box: Size, found: list[Sighting]) -> None:
    largest, zoomed = choose(size, box, found).window, choose(size, box, found, zoom=1.0).window
    enough = largest.width * size.width >= box.width
    least = box.width if enough else largest.width * size.width
    assert zoomed.width * size.width >= least - EXACT * size.width


@given(photo_sizes, photo_sizes, groups())
@settings(max_examples=100, deadline=None)
def test_zoom_keeps_the_faces_that_the_largest_window_keeps(size: Size, box: Size, faces: list[Sighting]) -> None:
    wide, tight = choose(size, box, faces), choose(size, box, faces, zoom=1.0)
    assert all(shows(tight, face.box) for face in faces if shows(wide, face.box))


@given(sizes, sizes)
def test_a_picture_in_which_nothing_stands_out_is_cut_in_the_middle(size: Size, box: Size) -> None:
    for saliency in (None, np.zeros((3, 4))):
        choice = choose(size, box, [], drawing(saliency))
        assert choice.rule == "center"
        assert choice.window.left == pytest.approx((1 - choice.window.width) / 2)
        assert choice.window.top == pytest.approx((1 - choice.window.height) / 2)
