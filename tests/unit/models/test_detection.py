"""Faces, people and animals are found where they are, in pictures of every shape."""

import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import pyvips
from numpy.typing import NDArray

from imageplane.models.face_detection import FaceDetection
from imageplane.models.object_detection import COCO, PICODET, ObjectDetection, resizable
from imageplane.models.onnx import Graph, Node
from imageplane.models.probe import STEP, as_probe, probe_size, scaled
from imageplane.models.sessions import Sessions
from imageplane.models.suppression import strongest
from imageplane.pixels.sighting import Box, Sighting

SHAPES = [(1, 1), (1, 640), (640, 1), (3, 2), (40, 3000), (3000, 40), (288, 288), (257, 511)]


@cache
def truths(folder: Path) -> dict[str, Any]:
    return {entry["file"]: entry for entry in json.loads((folder / "ground_truth.json").read_text())}


def probe(path: Path) -> NDArray[np.uint8]:
    image = pyvips.Image.thumbnail(str(path), 512, height=512)
    pixels: NDArray[np.uint8] = image.numpy()[..., :3]
    return np.ascontiguousarray(pixels)


def found(sightings: tuple[Sighting, ...], truth: dict[str, Any], kind: str, enough: float = 0.5) -> int:
    """Give how many of the boxes that were drawn by eye were found."""
    drawn = [subject["box"] for subject in truth["subjects"] if subject["kind"] == kind]
    wide, tall = truth["width"], truth["height"]
    boxes = [Box.between(left / wide, top / tall, right / wide, bottom / tall) for left, top, right, bottom in drawn]
    return sum(any(box.overlap(each.box) >= enough for each in sightings if each.kind == kind) for box in boxes)


@pytest.mark.parametrize(
    ("name", "faces"),
    [("s030_obama_and_biden.jpg", 2), ("s142_example.jpg", 1), ("s156_man5.jpg", 1), ("s131_1.jpg", 2)],
)
def test_faces_are_found(sessions: Sessions, corpus: Path, name: str, faces: int) -> None:
    seen = FaceDetection(sessions).find(probe(corpus / "subject" / name))
    assert found(seen, truths(corpus / "subject")[name], "face", enough=0.35) == faces
    assert all(each.label == "face" and 0.5 <= each.confidence <= 1 for each in seen)
    assert [each.confidence for each in seen] == sorted((each.confidence for each in seen), reverse=True)


@pytest.mark.parametrize(
    ("name", "kind", "label"),
    [
        ("s082_cat_1080p.jpg", "animal", "cat"),
        ("s133_dog.jpg", "animal", "dog"),
        ("s030_obama_and_biden.jpg", "person", "person"),
        ("s086_smart-crop.jpg", "person", "person"),
    ],
)
def test_people_and_animals_are_found(sessions: Sessions, corpus: Path, name: str, kind: str, label: str) -> None:
    seen = ObjectDetection(sessions).find(probe(corpus / "subject" / name))
    assert found(seen, truths(corpus / "subject")[name], kind) >= 1
    assert any(each.label == label for each in seen if each.kind == kind)
    assert {each.label for each in seen} <= set(COCO)


def test_one_animal_of_two_possible_kinds_is_one(sessions: Sessions, corpus: Path) -> None:
    seen = ObjectDetection(sessions).find(probe(corpus / "subject" / "s052_horses.jpg"))
    animals = [each.box for each in seen if each.kind == "animal"]
    assert len(animals) >= 3
    assert all(one.overlap(other) <= 0.5 for one in animals for other in animals if one is not other)


def test_a_picture_of_the_size_of_a_probe_is_seen_as_any_other(sessions: Sessions, corpus: Path) -> None:
    pixels = probe(corpus / "subject" / "s142_example.jpg")
    ready = as_probe(pixels)
    assert as_probe(ready) is ready
    for task in (FaceDetection(sessions), ObjectDetection(sessions)):
        assert task.find(ready) == task.find(pixels)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_pictures_of_any_shape_can_be_looked_at(sessions: Sessions, shape: tuple[int, int]) -> None:
    noise = np.random.default_rng(1).integers(0, 256, (*shape, 3), np.uint8)
    for task in (FaceDetection(sessions), ObjectDetection(sessions)):
        for seen in task.find(noise):
            box = seen.box
            assert box.left >= 0 <= box.top
            assert box.left + box.width <= 1 + 1e-6 >= box.top + box.height


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_a_probe_is_made_of_whole_steps(shape: tuple[int, int]) -> None:
    width, height = probe_size(shape[1], shape[0])
    assert width % STEP == height % STEP == 0
    assert STEP <= min(width, height) <= max(width, height) <= 32 * STEP
    assert scaled(np.zeros((*shape, 3), np.uint8), width, height).shape == (height, width, 3)


def test_ordinary_pictures_keep_their_shape() -> None:
    for width, height in ((4000, 3000), (3000, 4000), (1920, 1080), (1080, 1080)):
        wide, tall = probe_size(width, height)
        assert wide / tall == pytest.approx(width / height, rel=0.12)
        assert wide * tall == pytest.approx(352 * 352, rel=0.15)


def test_both_files_of_picodet_say_the_same(weights: Path) -> None:
    import onnxruntime  # noqa: PLC0415

    files = [each for each in PICODET.weights if (weights / each.file).is_file()]
    if len(files) < 2:
        pytest.skip("only one of the files is here")
    picture = np.random.default_rng(2).normal(size=(1, 3, 416, 416)).astype(np.float32)
    as_published = onnxruntime.InferenceSession(
        (weights / files[0].file).read_bytes(), _quiet(), providers=["CPUExecutionProvider"]
    ).run(None, {"image": picture})
    for each in files:
        graph = each.to_graph((weights / each.file).read_bytes())
        ours = onnxruntime.InferenceSession(graph, _quiet(), providers=["CPUExecutionProvider"])
        for before, after in zip(as_published, ours.run(None, {"image": picture}), strict=True):
            np.testing.assert_allclose(before, after, atol=1e-4)


def _quiet() -> Any:
    import onnxruntime  # noqa: PLC0415

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    return options


def test_a_graph_without_what_is_rewritten_stays_as_it_is() -> None:
    nodes = (Node("Add", ("image", "image"), ("sum",)), Node("Mul", ("sum", "image"), ("out",)))
    again = Graph.read(resizable(Graph(nodes, {}, {"image": (1, 3, 8, 8)}, {"out": (1,)}, 11).written()))
    assert again.nodes == nodes
    assert again.inputs == {"image": (1, 3, "height", "width")}


def test_of_boxes_around_one_thing_the_best_stays() -> None:
    corners = np.array([[0, 0, 10, 10], [1, 0, 11, 10], [20, 20, 30, 30], [0, 0, 4, 4]], np.float32)
    scores = np.array([0.6, 0.9, 0.7, 0.5], np.float32)
    assert strongest(corners, scores, 0.5) == [1, 2, 3]
    assert strongest(corners, scores, 0.1) == [1, 2]
    assert strongest(corners[:0], scores[:0], 0.5) == []
