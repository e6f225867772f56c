"""Boxes are drawn where they lie, labels on the picture and not on each other."""

import numpy as np
import pytest
import pyvips
from numpy.typing import NDArray

from imageplane.pixels import drawing
from imageplane.pixels.crop import Window
from imageplane.pixels.drawing import Mark, dimmed_around, drawn

RED, BLUE = (255, 0, 0), (0, 0, 255)
GRAY = 128


def gray(width: int, height: int) -> pyvips.Image:
    return (pyvips.Image.black(width, height, bands=3) + GRAY).cast("uchar").copy(interpretation="srgb")


def pixels(image: pyvips.Image) -> NDArray[np.uint8]:
    assert (image.format, image.bands, image.interpretation) == ("uchar", 3, "srgb")
    result: NDArray[np.uint8] = image.numpy()
    return result


def is_color(array: NDArray[np.uint8], color: tuple[int, int, int]) -> NDArray[np.bool_]:
    result: NDArray[np.bool_] = (array == color).all(axis=2)
    return result


@pytest.fixture
def fonts() -> None:
    if not drawing._has_fonts():
        pytest.skip("there are no fonts on this machine; any package of fonts, such as DejaVu, mends it")


def test_a_box_is_drawn_along_its_inner_edge() -> None:
    array = pixels(drawn(gray(300, 200), [Mark(Window(40, 50, 120, 90), "", RED)]))
    rows, columns = np.nonzero((array != GRAY).any(axis=2))
    assert (columns.min(), rows.min(), columns.max(), rows.max()) == (40, 50, 159, 139)
    rows, columns = np.nonzero(is_color(array, RED))
    assert (columns.min(), rows.min(), columns.max(), rows.max()) == (41, 51, 158, 138)
    assert (array[60:130, 50:150] == GRAY).all()


def test_what_is_bold_is_thicker() -> None:
    box = Window(40, 50, 120, 90)
    thin, thick = (
        is_color(pixels(drawn(gray(300, 200), [Mark(box, "", RED, is_bold=is_bold)])), RED).sum()
        for is_bold in (False, True)
    )
    assert thick > 1.7 * thin


@pytest.mark.parametrize("size", [(1, 1), (1, 900), (900, 1), (2, 3), (77, 5)], ids=str)
def test_boxes_on_pictures_of_any_shape(size: tuple[int, int]) -> None:
    marks = [Mark(Window(0, 0, *size), "window", RED, is_bold=True), Mark(Window(0, 0, 1, 1), "face", BLUE)]
    assert pixels(drawn(gray(*size), marks)).shape == (size[1], size[0], 3)


@pytest.mark.usefixtures("fonts")
def test_labels_have_places_of_their_own() -> None:
    box = Window(150, 120, 200, 160)
    red, blue = Mark(box, "person 0.97", RED), Mark(box, "face 0.53", BLUE)
    alone = is_color(pixels(drawn(gray(600, 400), [blue])), BLUE).sum()
    array = pixels(drawn(gray(600, 400), [red, blue]))
    assert is_color(array, BLUE).sum() == alone
    # The frame of the first is hidden behind that of the second; what is left of it is its label.
    rows, columns = np.nonzero(is_color(array, RED))
    assert rows.max() - rows.min() < 40
    assert 60 < columns.max() - columns.min() < 200


@pytest.mark.usefixtures("fonts")
@pytest.mark.parametrize(("left", "top"), [(0, 0), (560, 0), (0, 370), (560, 370)])
def test_labels_are_not_cut_off_at_the_edges(left: int, top: int) -> None:
    def count(left: int, top: int) -> int:
        return int(
            is_color(pixels(drawn(gray(600, 400), [Mark(Window(left, top, 40, 30), "animal 0.81", RED)])), RED).sum()
        )

    # A label may lie on a part of its own frame, which is as red as itself.
    assert abs(count(left, top) - count(280, 180)) < 300


@pytest.mark.usefixtures("fonts")
def test_a_crowd_has_no_labels_on_top_of_each_other() -> None:
    colors = [(200, 10 * index, 255 - 10 * index) for index in range(25)]
    marks = [Mark(Window(200, 150, 60, 60), f"face 0.{index + 10}", color) for index, color in enumerate(colors)]
    array = pixels(drawn(gray(600, 400), marks))
    counts = [int(is_color(array, color).sum()) for color in colors[:-1]]
    # Each color is that of a whole label or of none; frames lie on each other.
    shown = [count for count in counts if count]
    assert 2 <= len(shown) < len(counts)
    assert min(shown) > 0.8 * max(shown)


@pytest.mark.usefixtures("fonts")
def test_words_are_no_markup() -> None:
    assert is_color(pixels(drawn(gray(600, 400), [Mark(Window(100, 100, 300, 200), "a < b & c", RED)])), RED).any()


def test_without_fonts_there_are_boxes(monkeypatch: pytest.MonkeyPatch) -> None:
    mark = Mark(Window(40, 50, 120, 90), "face 0.97", RED)
    monkeypatch.setattr(drawing, "_has_fonts", lambda: False)
    bare = pixels(drawn(gray(300, 200), [mark]))
    assert np.array_equal(bare, pixels(drawn(gray(300, 200), [Mark(mark.box, "", RED)])))


def test_only_the_surroundings_are_dimmed() -> None:
    array = pixels(dimmed_around(gray(60, 40), Window(20, 10, 15, 8)))
    assert (array[10:18, 20:35] == GRAY).all()
    array[10:18, 20:35] = 0
    assert array.max() < GRAY
