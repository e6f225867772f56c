"""What was seen and chosen is drawn on the picture that reached each look."""

from typing import Any

import encoded
import numpy as np
import pictures
import pytest
import pyvips
from numpy.typing import NDArray

from imageplane.codecs.formats import OutputFormat
from imageplane.deadline import Deadline
from imageplane.errors import ImpossibleOperation
from imageplane.limits import Limits
from imageplane.operations import parse
from imageplane.pipeline import Drawing, Options, Output, draw, execute
from imageplane.pipeline.drawing import _WINDOWS
from imageplane.pixels.crop import Window

SQUARE = {"type": "smart_crop", "width_in_px": 121, "height_in_px": 121}
TALL = {"type": "smart_crop", "width_in_px": 61, "height_in_px": 131}
FLOP = {"type": "flop"}
PHOTO = encoded.saved(pictures.photo(1203, 877), "JPEG")


def outputs(**lists: list[dict[str, Any]]) -> list[Output]:
    return [Output(name, parse(raw, f"{name}.operations")[0], f"{name}.operations") for name, raw in lists.items()]


def drawings(
    data: bytes, wanted: OutputFormat = "png", limits: Limits | None = None, **lists: list[dict[str, Any]]
) -> tuple[Drawing, ...]:
    return draw(data, outputs(**lists), Options(limits or Limits()), Deadline(), wanted)


def pixels(drawing: Drawing) -> NDArray[np.uint8]:
    return encoded.pixels(drawing.data)


def is_drawn(window: Window, array: NDArray[np.uint8]) -> bool:
    """Tell whether the first window is drawn here: where a row and a column through it meet its color."""
    # The label stands at the upper left.
    across = np.nonzero((array[window.top_in_px + window.height_in_px // 2] == _WINDOWS[0]).all(axis=1))[0]
    down = np.nonzero((array[:, window.left_in_px + window.width_in_px * 9 // 10] == _WINDOWS[0]).all(axis=1))[0]
    found = across.min(), down.min(), across.max() - across.min() + 1, down.max() - down.min() + 1
    # The color begins a pixel or two within the window.
    expected = window.left_in_px, window.top_in_px, window.width_in_px, window.height_in_px
    return bool(np.abs(np.subtract(found, expected)).max() <= 4)


def test_the_window_is_the_one_that_the_request_cuts() -> None:
    operations = [SQUARE, {"type": "convert", "format": "webp"}]
    (drawing,) = drawings(PHOTO, image=operations)
    (picture,) = execute(PHOTO, outputs(image=operations), Options(), Deadline()).pictures
    assert tuple(each.crop for each in drawing.crops) == picture.smart_crops
    array = pixels(drawing)
    assert array.shape == (877, 1203, 3)
    assert is_drawn(picture.smart_crops[0].window, array)


def test_everything_around_the_only_window_is_darker() -> None:
    (drawing,) = drawings(PHOTO, image=[TALL])
    window = drawing.crops[0].crop.window
    array, source = pixels(drawing).astype(float), encoded.pixels(PHOTO).astype(float)
    left, right = window.left_in_px, window.left_in_px + window.width_in_px
    assert np.abs(array[100:-100, left + 20 : right - 20] - source[100:-100, left + 20 : right - 20]).mean() < 2
    around = np.delete(array, np.s_[left:right], axis=1), np.delete(source, np.s_[left:right], axis=1)
    assert around[0].mean() < 0.65 * around[1].mean()


def test_outputs_that_look_at_one_picture_share_a_drawing() -> None:
    (drawing,) = drawings(
        PHOTO,
        square=[{"type": "convert", "format": "webp"}, SQUARE],
        small=[{**SQUARE, "width_in_px": 40, "height_in_px": 40}, {"type": "blur", "sigma": 2}],
        plain=[FLOP],
        tall=[TALL],
    )
    assert [each.output for each in drawing.crops] == ["square", "small", "tall"]
    array = pixels(drawing)
    # The first two windows are the same, so there are two colors.
    shown = [(array == color).all(axis=2).any() for color in _WINDOWS[:3]]
    assert shown == [True, True, False]


def test_every_picture_that_was_looked_at_has_its_drawing() -> None:
    wide = {"type": "smart_crop", "width_in_px": 700, "height_in_px": 350}
    first, second = drawings(PHOTO, one=[wide, {"type": "rotate", "angle_in_degrees": 90}, TALL], other=[wide])
    assert [(each.output, each.crop.operation_index) for each in first.crops] == [("one", 0), ("other", 0)]
    assert [(each.output, each.crop.operation_index) for each in second.crops] == [("one", 2)]
    assert pixels(first).shape == (877, 1203, 3)
    array = pixels(second)
    # 350 by 700 is shown as it is: it is large enough.
    assert array.shape == (700, 350, 3)
    assert is_drawn(second.crops[0].crop.window, array)


def test_what_comes_before_the_look_is_done() -> None:
    stretched = {"type": "resize", "width_in_px": 800, "height_in_px": 2400, "fit": "fill"}
    (drawing,) = drawings(PHOTO, image=[stretched, SQUARE])
    array = pixels(drawing)
    assert array.shape == (1600, 533, 3)
    window = drawing.crops[0].crop.window
    assert (window.width_in_px, window.height_in_px) == (800, 800)
    assert is_drawn(Window(0, round(window.top_in_px * 2 / 3), 533, 533), array)


def test_what_comes_after_the_last_look_is_left_undone() -> None:
    # It would need a network that is not here, and a file that can't be so small.
    after = [{"type": "upscale", "factor": 4}, {"type": "compress_to_size", "max_file_size_in_bytes": 3}]
    assert len(drawings(PHOTO, image=[SQUARE, *after])) == 1


def test_nothing_is_drawn_where_nothing_looks() -> None:
    assert drawings(PHOTO, image=[FLOP]) == ()


def test_faults_before_the_look_are_told_with_their_place() -> None:
    outside = {"type": "crop", "left_in_px": 5000, "top_in_px": 0, "width_in_px": 9, "height_in_px": 9}
    with pytest.raises(ImpossibleOperation) as caught:
        drawings(PHOTO, image=[FLOP, outside, SQUARE])
    assert "image.operations[1]" in [fault.path for fault in caught.value.faults]


@pytest.mark.parametrize(("wanted", "kind"), [("png", "PNG"), ("jpeg", "JPEG"), ("webp", "WEBP")])
@pytest.mark.parametrize("source", ["JPEG", "GIF", "PNG"])
def test_the_file_is_of_the_asked_format(source: str, wanted: OutputFormat, kind: str) -> None:
    frames = [pictures.photo(330, 220), pictures.photo(330, 220)[::-1]]
    data = (
        encoded.animation(frames, "GIF", [50, 50])
        if source == "GIF"
        else encoded.saved(pictures.alpha(330, 220)[..., : 3 if source == "JPEG" else 4], source)
    )
    (drawing,) = drawings(data, wanted, image=[{"type": "convert", "format": "avif"}, SQUARE])
    image = encoded.opened(drawing.data)
    assert (image.format, image.size, image.mode) == (kind, (640, 427), "RGB")
    assert getattr(image, "n_frames", 1) == 1


@pytest.mark.parametrize(
    ("size", "shown"),
    [((1, 1), (640, 640)), ((1, 700), (1, 700)), ((3000, 2), (1600, 1)), ((2411, 1807), (1600, 1199))],
    ids=str,
)
def test_drawings_are_large_enough_and_not_too_large(size: tuple[int, int], shown: tuple[int, int]) -> None:
    data = encoded.saved(np.full((size[1], size[0], 3), 90, np.uint8), "PNG")
    (drawing,) = drawings(data, image=[SQUARE])
    assert encoded.opened(drawing.data).size == shown


def test_an_upright_drawing_of_a_turned_photo() -> None:
    data = encoded.saved(pictures.photo(1203, 877), "JPEG", exif=encoded.exif(Orientation=6))
    (drawing,) = drawings(data, image=[SQUARE])
    array = pixels(drawing)
    assert array.shape == (1203, 877, 3)
    assert is_drawn(drawing.crops[0].crop.window, array)


def test_a_picture_that_is_allowed_can_be_drawn() -> None:
    data = encoded.saved(pictures.photo(100, 80), "PNG")
    assert (
        len(
            drawings(
                data, limits=Limits(max_pixels=100 * 80), image=[{**SQUARE, "width_in_px": 50, "height_in_px": 40}]
            )
        )
        == 1
    )


def test_transparent_parts_are_shown_as_paper() -> None:
    picture = pictures.alpha(800, 640)
    picture[:, :400, 3] = 0
    (drawing,) = drawings(encoded.saved(picture, "PNG"), image=[{**SQUARE, "width_in_px": 125, "height_in_px": 100}])
    assert pyvips.Image.new_from_buffer(drawing.data, "").bands == 3
    assert (pixels(drawing)[100:500, 100:300] == 225).all()
