"""An animation comes out as its frames would one by one."""

from typing import Any

import encoded
import numpy as np
import pictures
import pytest
import pyvips

from imageplane.codecs.encode import Extras
from imageplane.codecs.formats import Target
from imageplane.deadline import Deadline
from imageplane.operations import parse
from imageplane.pipeline import Options, Output, execute, runner

DELAYS = [70, 130, 40, 90]

LISTS: dict[str, list[dict[str, Any]]] = {
    "nothing": [],
    "crop": [{"type": "crop", "left_in_px": 7, "top_in_px": 3, "width_in_px": 121, "height_in_px": 61}],
    "cover": [{"type": "resize", "width_in_px": 61, "height_in_px": 73, "fit": "cover"}],
    "contain": [{"type": "resize", "width_in_px": 61, "height_in_px": 73, "fit": "contain", "hex_color": "#26a"}],
    "turn": [{"type": "rotate", "angle_in_degrees": 33.7}, {"type": "flip"}, {"type": "flop"}],
    "colors": [{"type": "grayscale"}, {"type": "invert_colors"}, {"type": "gamma", "gamma": 1.37}],
    "filters": [{"type": "blur", "sigma": 1.3}, {"type": "sharpen", "sigma": 0.7}, {"type": "denoise", "size": 3}],
    "alpha": [{"type": "opacity", "opacity_in_percent": 61}, {"type": "remove_transparency", "hex_color": "#c31"}],
    "frame": [
        {"type": "extend", "top_in_px": 3, "bottom_in_px": 5, "left_in_px": 7, "right_in_px": 11, "hex_color": "#2a6"},
        {"type": "threshold", "value": 121, "is_grayscale": False},
    ],
}


def moving() -> list[np.ndarray]:
    """Give four frames with clear corners that a palette of 61 colors holds."""
    colored = [np.roll(pictures.photo(), 17 * shift, axis=1) // 64 * 85 for shift in range(4)]
    is_clear = pictures.alpha()[..., 3] < 128
    return [np.dstack([frame, np.where(is_clear, 0, 255)]).astype(np.uint8) for frame in colored]


def source(kind: str) -> bytes:
    options: dict[str, Any] = {"disposal": 2} if kind == "GIF" else {}
    return encoded.animation(moving(), kind, DELAYS, loop=3, **options)


def run(data: bytes, *operations: dict[str, Any]) -> bytes:
    return execute(data, [Output("a", parse(list(operations))[0])], Options(), Deadline()).pictures[0].data


@pytest.mark.parametrize("name", LISTS)
@pytest.mark.parametrize("kind", ["GIF", "WEBP"])
def test_frames_are_as_they_would_be_one_by_one(kind: str, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    held: list[list[np.ndarray]] = []

    def keep(frames: list[pyvips.Image], _target: Target, _extras: Extras) -> bytes:
        held.append([frame.numpy() for frame in frames])
        return b""

    monkeypatch.setattr(runner, "encode", keep)
    run(source(kind), *LISTS[name])
    for frame in encoded.frames(source(kind)):
        run(encoded.saved(frame, "PNG"), *LISTS[name])
    together, *singly = held
    assert len(together) == len(singly) == 4
    for frame, (alone,) in zip(together, singly, strict=True):
        assert np.array_equal(seen(frame), seen(alone))


def seen(frame: np.ndarray) -> np.ndarray:
    """Give what shows: under full transparency nothing does, and no alpha is full alpha."""
    if frame.shape[2] == 3:
        return np.dstack([frame, np.full(frame.shape[:2], 255, np.uint8)])
    return frame * (frame[..., 3:] > 0)


@pytest.mark.parametrize(
    ("kind", "name", "loop"), [("GIF", "gif", 3), ("GIF", "webp", 4), ("WEBP", "webp", 3)], ids=str
)
def test_an_animation_stays_one(kind: str, name: str, loop: int) -> None:
    convert = [{"type": "convert", "format": name, "quality": 95}] if name != "gif" else []
    data = run(source(kind), *LISTS["cover"], *convert)
    assert encoded.opened(data).format == name.upper()
    # A GIF counts repetitions after the first time, a WebP counts times.
    assert encoded.opened(data).info["loop"] == loop
    assert encoded.durations(data) == DELAYS
    found = encoded.frames(data)
    assert len(found) == 4
    for frame, alone in zip(found, encoded.frames(source(kind)), strict=True):
        expected = encoded.pixels(run(encoded.saved(alone, "PNG"), *LISTS["cover"]))
        is_seen = (frame[..., 3] == 255) & (expected[..., 3] == 255)
        assert is_seen.mean() > 0.3
        assert np.abs(frame[is_seen][:, :3].astype(float) - expected[is_seen][:, :3]).mean() < 8


@pytest.mark.parametrize("kind", ["GIF", "WEBP"])
@pytest.mark.parametrize("name", ["png", "jpeg", "avif"])
def test_a_format_without_frames_shows_the_first(kind: str, name: str) -> None:
    data = run(source(kind), {"type": "convert", "format": name, "quality": 95})
    assert getattr(encoded.opened(data), "n_frames", 1) == 1
    found, expected = encoded.pixels(data), encoded.frames(source(kind))[0]
    is_seen = expected[..., 3] == 255
    assert np.abs(found[is_seen][:, :3].astype(float) - expected[is_seen][:, :3]).mean() < 6
    if name == "jpeg":
        assert (found[0, 0] > 248).all()


def test_a_gif_that_plays_for_ever_goes_on_doing_so() -> None:
    data = run(encoded.animation(moving(), "GIF", DELAYS, loop=0, disposal=2))
    assert encoded.opened(data).info["loop"] == 0


@pytest.mark.parametrize("kind", ["GIF", "WEBP"])
def test_the_border_of_an_animation_is_what_stays_border(kind: str) -> None:
    frames = [np.full((83, 121, 3), 255, np.uint8) for _ in range(3)]
    for shift, frame in enumerate(frames):
        frame[11 + shift : 31 + shift, 13 : 47 + 5 * shift] = (0, 0, 170)
    data = run(encoded.animation(frames, kind, [40, 40, 40]), {"type": "trim", "threshold": 7})
    assert encoded.opened(data).size == (44, 22)
    assert len(encoded.frames(data)) == 3
