"""Pictures become larger without seams, and stop when their time is up."""

from pathlib import Path

import numpy as np
import pytest
import pyvips
from numpy.typing import NDArray

from imageplane.deadline import Deadline
from imageplane.errors import DeadlineExceeded
from imageplane.models import super_resolution
from imageplane.models.sessions import Sessions
from imageplane.models.super_resolution import SuperResolution


@pytest.fixture(scope="module")
def photo(corpus: Path) -> NDArray[np.uint8]:
    image = pyvips.Image.thumbnail(str(corpus / "subject" / "s162_Thailand.jpg"), 120)
    pixels: NDArray[np.uint8] = image.numpy()
    return np.ascontiguousarray(pixels[:70, :97, :3])


@pytest.mark.parametrize("factor", [2, 3, 4])
def test_a_picture_becomes_larger_and_stays_itself(
    sessions: Sessions, photo: NDArray[np.uint8], factor: super_resolution.Factor
) -> None:
    large = SuperResolution(sessions).enlarge(photo, factor, Deadline())
    assert large.shape == (70 * factor, 97 * factor, 3)
    back = large.reshape(70, factor, 97, factor, 3).mean(axis=(1, 3))
    assert np.abs(back - photo).mean() < 6


@pytest.mark.parametrize("factor", [2, 3, 4])
def test_tiles_have_no_seams(
    sessions: Sessions, photo: NDArray[np.uint8], factor: super_resolution.Factor, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = SuperResolution(sessions)
    whole = task.enlarge(photo, factor, Deadline()).astype(int)
    monkeypatch.setattr(super_resolution, "_TILE", 35)
    in_tiles = task.enlarge(photo, factor, Deadline())
    assert np.abs(whole - in_tiles).max() <= 2


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (2, 3)], ids=str)
@pytest.mark.parametrize("factor", [2, 3, 4])
def test_the_smallest_pictures_become_larger_too(
    sessions: Sessions, shape: tuple[int, int], factor: super_resolution.Factor
) -> None:
    large = SuperResolution(sessions).enlarge(np.full((*shape, 3), 100, np.uint8), factor, Deadline())
    assert large.shape == (shape[0] * factor, shape[1] * factor, 3)
    assert np.abs(large.astype(int) - 100).max() < 40


def test_the_deadline_is_asked_before_every_tile(
    sessions: Sessions, photo: NDArray[np.uint8], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(super_resolution, "_TILE", 35)
    deadline, asked = Deadline(), 0
    task = SuperResolution(sessions)
    enlarged = task._enlarged

    def counted(pixels: NDArray[np.uint8], factor: super_resolution.Factor) -> NDArray[np.uint8]:
        nonlocal asked
        asked += 1
        if asked == 3:
            deadline.cancel()
        return enlarged(pixels, factor)

    monkeypatch.setattr(task, "_enlarged", counted)
    with pytest.raises(DeadlineExceeded):
        task.enlarge(photo, 4, deadline)
    assert asked == 3
