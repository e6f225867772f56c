"""One look at a picture, and what is left for later."""

from dataclasses import replace

import numpy as np
import pytest
import pyvips

from imageplane.engine.wire import Answer, packed_answer, read_answer
from imageplane.models import Models
from imageplane.models.eyes import Eyes, Seen
from imageplane.pixels.sighting import Box, Kind, Sighting


class Network:
    """Stands for a network: gives what it was made with, and counts how often it was asked."""

    def __init__(self, *found: Sighting) -> None:
        self.found, self.looks = found, 0

    def find(self, _probe: np.ndarray) -> tuple[Sighting, ...]:
        self.looks += 1
        return self.found


class Networks(Models):
    def __init__(self, faces: Network, objects: Network) -> None:
        self.face_detection, self.object_detection = faces, objects  # type: ignore[assignment]


def picture() -> pyvips.Image:
    pixels = np.random.default_rng(3).integers(0, 90, (120, 200, 3)).astype(np.uint8)
    pixels[30:60, 140:170] = (240, 60, 20)
    return pyvips.Image.new_from_array(pixels)


def seen(kind: Kind) -> Sighting:
    return Sighting(kind, kind, 0.9, Box(0.2, 0.2, 0.3, 0.3))


@pytest.mark.parametrize(("kind", "looks"), [("person", 1), ("animal", 0), ("object", 0)])
def test_faces_are_looked_for_where_there_is_somebody(kind: Kind, looks: int) -> None:
    faces, objects = Network(seen("face")), Network(seen(kind))
    found = Eyes(Networks(faces, objects)).look(picture()).sightings
    assert faces.looks == looks
    assert found == (*faces.found * looks, *objects.found)


def test_faces_are_looked_for_where_there_is_nothing_else() -> None:
    # A face that fills the picture is no person to who looks for whole bodies.
    faces, objects = Network(seen("face")), Network()
    assert Eyes(Networks(faces, objects)).look(picture()).sightings == faces.found
    assert faces.looks == 1


def test_a_picture_is_looked_at_once() -> None:
    faces, objects = Network(), Network(seen("person"))
    eyes = Eyes(Networks(faces, objects))
    assert eyes.look(picture(), "a") is eyes.look(picture(), "a")
    eyes.look(picture(), "b")
    assert faces.looks == objects.looks == 2


def test_what_draws_the_eye_is_found_when_it_is_asked_for_in_another_process_too() -> None:
    first = Eyes().look(picture())
    assert first.drawn is None
    travelled: Seen = read_answer(packed_answer(Answer(first)), (Seen,)).value
    later = Eyes(known={"": travelled}).look(picture())
    drawn = later.saliency()
    assert drawn.shape[1] == later.columns
    assert drawn[:, int(0.7 * later.columns) : int(0.85 * later.columns)].mean() > 3 * drawn.mean()
    assert np.array_equal(first.saliency(), drawn)


def test_what_draws_the_eye_is_found_only_once() -> None:
    found = Eyes().look(picture())
    drawn = found.saliency()
    assert found.colors == b""
    again = replace(found)
    assert np.array_equal(again.saliency(), drawn)
