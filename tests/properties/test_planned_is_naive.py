"""A plan may be clever, but what comes out is what the operations as written would give.

A shrink ends in the first operation that absorbs it. Up to there, planned and naive are held together within a declared
tolerance. What follows may amplify any difference without bound (a threshold turns one level into 255, a trim into
another size), so the rest of the plan is held against the rest of the list, done as written on the planned picture:
both together say that planned is naive.

Which window draws the eye can hang on a hair, so the choice is fixed here: a third of the way.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import pyvips
from PIL import Image
from random_requests import SOURCES, operations, source

from imageplane.codecs.encode import Extras
from imageplane.codecs.formats import Target
from imageplane.codecs.header import read_header
from imageplane.deadline import Deadline
from imageplane.errors import ImageplaneError
from imageplane.limits import Limits
from imageplane.models.eyes import Eyes, Seen
from imageplane.operation import Operation, PixelOperation, Tools, size_of
from imageplane.operations import parse
from imageplane.pipeline import Options, Output, Plan, execute, plan, runner

LISTS, CHUNK = 1000, 50
LIMITS = Limits(max_pixels=3_000_000, max_total_pixels=3_000_000)
TOOLS = Tools(Deadline())


@dataclass(frozen=True)
class Tolerance:
    """How far two pictures may lie apart, in 8-bit steps."""

    mean_delta: float
    psnr_in_db: float = 0.0


# A decoder's shrink is a box filter where Lanczos would be better, which shows in fine texture: with at least 1.3 left
# to filter, 0.4 on average and hardly ever less than 40 dB were seen here; half a pixel of the decoder misplaced is
# about 35 dB. AVIF shrinks luma and chroma apart, so that its chroma comes out at half the detail.
SHRUNK = {"jpeg": Tolerance(1.6, 38), "webp": Tolerance(1.6, 38), "avif": Tolerance(8, 24)}
# Where a narrow strip of nothing but texture is left, one list in a chunk may come as far as this.
TEXTURE, MOST_TEXTURE = Tolerance(2.2, 33), 1
# A vector is crisp where the naive plan enlarges pixels, so only what both show of coarse parts can agree.
VECTOR, COARSE_SIDE = Tolerance(6.0), 6
# Fusing rounds once where the list rounds twice.
FUSED = Tolerance(1.0)


@dataclass(frozen=True)
class Outcome:
    """What came of a request: its frames, or its refusal."""

    frames: tuple[np.ndarray, ...] = ()
    refusal: ImageplaneError | None = None


@pytest.fixture
def frames_kept(monkeypatch: pytest.MonkeyPatch) -> list[tuple[np.ndarray, ...]]:
    """Keep the frames in place of encoding them, so that no codec adds anything."""
    kept: list[tuple[np.ndarray, ...]] = []

    def keep(frames: list[pyvips.Image], _target: Target, _extras: Extras, *_: Any) -> bytes:
        kept.append(tuple(_array(frame) for frame in frames))
        return b""

    monkeypatch.setattr(runner, "encode", keep)
    monkeypatch.setattr(runner, "encode_to_fit", lambda frames, *rest: (keep(frames, *rest), size_of(frames[0])))
    return kept


def _array(image: pyvips.Image) -> np.ndarray:
    return image.numpy().reshape(image.height, image.width, image.bands)


def outcome(
    kept: list[tuple[np.ndarray, ...]], data: bytes, wanted: tuple[Operation, ...], *, is_naive: bool
) -> Outcome:
    try:
        execute(data, [Output("a", wanted)], Options(LIMITS), Deadline(), is_naive=is_naive)
    except ImageplaneError as error:
        return Outcome(refusal=error)
    return Outcome(kept.pop())


@pytest.fixture(autouse=True)
def _windows_fixed(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = Seen((), bytes([1]) * 64, 8)
    monkeypatch.setattr(Eyes, "look", lambda *_: plain)

    def window(image: pyvips.Image, width: int, height: int, **_: Any) -> pyvips.Image:
        left, top = (image.width - width) // 3, (image.height - height) // 3
        return image.extract_area(left, top, width, height).copy(xoffset=-left, yoffset=-top)

    monkeypatch.setattr(pyvips.Image, "smartcrop", window, raising=False)


@pytest.mark.parametrize("start", range(0, LISTS, CHUNK))
def test_planned_is_naive(start: int, frames_kept: list[tuple[np.ndarray, ...]]) -> None:
    textured = 0
    for seed in range(start, start + CHUNK):
        chance = random.Random(seed)  # noqa: S311
        name = source(chance)
        raw = operations(chance)
        try:
            textured += check(frames_kept, SOURCES[name], parse(raw)[0])
        except Exception as error:
            raise AssertionError(f"list {seed} on {name}: {raw}") from error
    assert textured <= MOST_TEXTURE


def check(kept: list[tuple[np.ndarray, ...]], data: bytes, wanted: tuple[Operation, ...]) -> bool:
    """Hold planned against naive; tell whether texture made it hard."""
    planned = outcome(kept, data, wanted, is_naive=False)
    naive = outcome(kept, data, wanted, is_naive=True)
    assert told(planned) == told(naive)
    if planned.refusal:
        return False
    header = read_header(data, LIMITS)
    (chosen,) = plan(header, [Output("a", wanted)], LIMITS)
    promised = chosen.steps[-1].size if chosen.steps else chosen.source
    assert len(planned.frames) == len(naive.frames) == chosen.frames
    if promised is not None:
        assert {frame.shape[1::-1] for frame in planned.frames + naive.frames} == {promised}
    if chosen.shrink == 1:
        assert_alike(planned.frames, naive.frames, FUSED)
        return False
    head = up_to_absorbing(chosen, wanted)
    shrunk = outcome(kept, data, head, is_naive=False).frames
    full = outcome(kept, data, head, is_naive=True).frames
    assert_alike(planned.frames, done(shrunk, wanted[len(head) :]), FUSED)
    if header.is_vector:
        # Drawn on a handful of pixels, shapes show how a renderer mixes edges.
        if min(full[0].shape[:2]) > COARSE_SIDE:
            assert_alike([coarse(frame) for frame in shrunk], [coarse(frame) for frame in full], VECTOR)
        return False
    try:
        assert_alike(shrunk, full, SHRUNK[header.format])
    except AssertionError:
        assert_alike(shrunk, full, TEXTURE)
        return True
    return False


def told(found: Outcome) -> tuple[str, str] | None:
    return (found.refusal.code, found.refusal.message) if found.refusal else None


def up_to_absorbing(chosen: Plan, wanted: tuple[Operation, ...]) -> tuple[Operation, ...]:
    """Give the operations up to the one that takes up the shrink of the decoder."""
    for step in chosen.steps:
        if step.size is None or step.operation.absorb(chosen.source) is not None:
            place = int(step.path.rpartition("[")[2].rstrip("]"))
            return wanted[: place + 1]
    return wanted


def done(frames: tuple[np.ndarray, ...], wanted: tuple[Operation, ...]) -> tuple[np.ndarray, ...]:
    """Do operations on frames one after the other, as written."""
    images = [pyvips.Image.new_from_array(frame).copy(interpretation="srgb") for frame in frames]
    for operation in wanted:
        if isinstance(operation, PixelOperation):
            images = [image.copy_memory() for image in operation.apply_to_frames(images, TOOLS)]
    return tuple(_array(image) for image in images)


def assert_alike(actual: Sequence[np.ndarray], expected: Sequence[np.ndarray], tolerance: Tolerance) -> None:
    for one, other in zip(actual, expected, strict=True):
        assert one.shape[:2] == other.shape[:2]
        delta = seen(one) - seen(other)
        mean_delta, psnr_in_db = float(np.abs(delta).mean()), 10 * np.log10(255**2 / max((delta**2).mean(), 1e-9))
        assert mean_delta <= tolerance.mean_delta
        assert psnr_in_db >= tolerance.psnr_in_db


def coarse(frame: np.ndarray) -> np.ndarray:
    size = tuple(min(COARSE_SIDE, side) for side in frame.shape[1::-1])
    return np.asarray(Image.fromarray(frame).resize(size, Image.Resampling.BOX))


def seen(frame: np.ndarray) -> np.ndarray:
    """Give what shows: float colors times alpha, then alpha; without alpha all is opaque."""
    if frame.shape[2] == 3:
        frame = np.dstack([frame, np.full(frame.shape[:2], 255, np.uint8)])
    return np.dstack([frame[..., :3] * (frame[..., 3:] / 255.0), frame[..., 3:].astype(float)])
