"""Several wishes on one source come to what each would have come to alone."""

import io
import itertools
from typing import Any

import encoded
import numpy as np
import pictures
import pytest
from PIL import Image

from imageplane.deadline import Deadline
from imageplane.errors import DeadlineExceeded, ImageplaneError
from imageplane.pipeline import Execution, Options, Wish, execute, execute_together, runner
from imageplane.request import TransformRequest

SOURCE = encoded.saved(pictures.photo(640, 480), "JPEG")


def wish(*operations: dict[str, Any]) -> Wish:
    return Wish(TransformRequest.parse({"operations": list(operations)}).outputs)


def resized(side: int) -> Wish:
    return wish(
        {"type": "resize", "width_in_px": side, "height_in_px": side, "fit": "cover"},
        {"type": "convert", "format": "png"},
    )


IMPOSSIBLE = wish({"type": "crop", "left_in_px": 9000, "top_in_px": 0, "width_in_px": 5, "height_in_px": 5})


def together(*wishes: Wish) -> list[Execution | ImageplaneError]:
    return execute_together(SOURCE, wishes, Options(), Deadline())


def pixels(done: Execution | ImageplaneError) -> np.ndarray:
    assert isinstance(done, Execution)
    return np.asarray(Image.open(io.BytesIO(done.pictures[0].data)).convert("RGB"), np.int16)


def test_each_wish_gets_its_own_pictures_in_its_place() -> None:
    sides = (60, 121, 33)
    done = together(*map(resized, sides))
    assert [pixels(each).shape for each in done] == [(side, side, 3) for side in sides]
    for each, side in zip(done, sides, strict=True):
        alone = pixels(execute(SOURCE, resized(side).outputs, Options(), Deadline()))
        # The decoder may have shrunk less, because another wish needed more.
        assert np.abs(pixels(each) - alone).mean() < 2


def test_the_source_is_decoded_once_and_the_same_wish_is_done_once(monkeypatch: pytest.MonkeyPatch) -> None:
    counts = {"decode": itertools.count(), "encode": itertools.count()}

    def counted(name: str) -> None:
        original = getattr(runner, name)

        def call(*arguments: Any, **named: Any) -> Any:
            next(counts[name])
            return original(*arguments, **named)

        monkeypatch.setattr(runner, name, call)

    counted("decode")
    counted("encode")
    together(resized(60), resized(33), resized(60), resized(60))
    assert (next(counts["decode"]), next(counts["encode"])) == (1, 2)


def test_a_wish_that_is_impossible_stops_no_other() -> None:
    first, second, third = together(resized(60), IMPOSSIBLE, resized(33))
    assert pixels(first).shape == (60, 60, 3)
    assert isinstance(second, ImageplaneError)
    assert second.code == "impossible_operation"
    assert [fault.path for fault in second.faults] == ["operations[0]"]
    assert pixels(third).shape == (33, 33, 3)


def test_when_time_is_over_it_is_over_for_all() -> None:
    done = execute_together(SOURCE, [resized(60), resized(33)], Options(), Deadline.after(-1))
    assert [type(each) for each in done] == [DeadlineExceeded, DeadlineExceeded]
