"""People, animals and everyday objects in a picture."""

from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from imageplane.models.card import Card, Weights
from imageplane.models.onnx import Graph, Node, Shape
from imageplane.models.probe import as_probe
from imageplane.models.sessions import Sessions
from imageplane.models.suppression import strongest
from imageplane.pixels.sighting import Box, Kind, Sighting

COCO: Final = (
    "person", "bicycle", "car", "motorcycle", "airplane", "bus", "train", "truck", "boat", "traffic light",
    "fire hydrant", "stop sign", "parking meter", "bench", "bird", "cat", "dog", "horse", "sheep", "cow", "elephant",
    "bear", "zebra", "giraffe", "backpack", "umbrella", "handbag", "tie", "suitcase", "frisbee", "skis", "snowboard",
    "sports ball", "kite", "baseball bat", "baseball glove", "skateboard", "surfboard", "tennis racket", "bottle",
    "wine glass", "cup", "fork", "knife", "spoon", "bowl", "banana", "apple", "sandwich", "orange", "broccoli",
    "carrot", "hot dog", "pizza", "donut", "cake", "chair", "couch", "potted plant", "bed", "dining table", "toilet",
    "tv", "laptop", "mouse", "remote", "keyboard", "cell phone", "microwave", "oven", "toaster", "sink",
    "refrigerator", "book", "clock", "vase", "scissors", "teddy bear", "hair drier", "toothbrush",
)  # fmt: skip
_ANIMALS: Final = slice(COCO.index("bird"), COCO.index("giraffe") + 1)


def _kind_of(label: str) -> Kind:
    if label == "person":
        return "person"
    return "animal" if label in COCO[_ANIMALS] else "object"


def _animals_as_one(scores: NDArray[np.float32]) -> NDArray[np.float32]:
    """Give (N, 80) scores in which the likeliest animal has what all animals have together.

    A kangaroo is a little of every animal that the network knows and none of them for sure. Method: noisy or.
    """
    merged = scores.copy()
    merged[:, _ANIMALS] = 0
    likeliest = _ANIMALS.start + scores[:, _ANIMALS].argmax(axis=1)
    merged[np.arange(len(scores)), likeliest] = 1 - np.prod(1 - scores[:, _ANIMALS], axis=1)
    return merged


def _likely(scores: NDArray[np.float32]) -> NDArray[np.intp]:
    """Give the rows that are worth a closer look: those in which one kind, or all animals together, may be there."""
    # Animals have no more together than their sum.
    most = np.maximum(scores.max(axis=1), scores[:, _ANIMALS].sum(axis=1))
    return np.flatnonzero(most >= _LEAST_CONFIDENCE)


_KINDS: Final = np.array([_kind_of(label) for label in COCO], object)


def resizable(data: bytes) -> bytes:
    """Give the graph of PicoDet for pictures of any size, with its activations in one piece.

    Method: channel shuffles, which spell the size out, become gathers; clip(x + 3, 0, 6) · x / 6 becomes x times a
    hard sigmoid, which costs a third; the results are the same to rounding.
    """
    graph = Graph.read(data)
    nodes, shuffles = _with_gathers(graph)
    inputs: dict[str, Shape] = dict.fromkeys(graph.inputs, (1, 3, "height", "width"))
    outputs: dict[str, Shape] = dict.fromkeys(graph.outputs, ())
    return replace(
        graph, nodes=_with_hard_sigmoids(nodes), tensors={**graph.tensors, **shuffles}, inputs=inputs, outputs=outputs
    ).written()


def _with_gathers(graph: Graph) -> tuple[list[Node], dict[str, NDArray[np.int64]]]:
    nodes: list[Node] = []
    shuffles: dict[str, NDArray[np.int64]] = {}
    for node in graph.nodes:
        before = nodes[-2:]
        if [each.kind for each in (*before, node)] == ["Reshape", "Transpose", "Reshape"] and (
            before[1].attributes["perm"] == (0, 2, 1, 3, 4)
        ):
            _, groups, channels, *_ = graph.tensors[before[0].inputs[1]].tolist()
            name = f"shuffle_{groups}_{channels}"
            shuffles[name] = np.arange(groups * channels, dtype=np.int64).reshape(groups, channels).T.ravel()
            nodes[-2:] = [Node("Gather", (before[0].inputs[0], name), node.outputs, {"axis": 1})]
        else:
            nodes.append(node)
    return nodes, shuffles


def _with_hard_sigmoids(nodes: list[Node]) -> list[Node]:
    changed: list[Node] = []
    for node in nodes:
        before = changed[-3:]
        if [each.kind for each in (*before, node)] == ["Add", "Clip", "Mul", "Div"]:
            source = before[0].inputs[0]
            gate = f"{node.outputs[0]}_gate"
            changed[-3:] = [
                Node("HardSigmoid", (source,), (gate,), {"alpha": 1 / 6, "beta": 0.5}),
                Node("Mul", (source, gate), node.outputs),
            ]
        else:
            changed.append(node)
    return changed


PICODET: Final = Card(
    name="picodet",
    purpose="finding people, animals and objects",
    paper="Yu et al.: PP-PicoDet, a better real-time object detector on mobile devices, 2021",
    licence="Apache-2.0",
    input_shape="1×3×H×W, RGB, ImageNet mean and deviation, H and W multiples of 32",
    weights=(
        Weights(
            "picodet_s_416_coco.onnx",
            4_040_573,
            "cdab77bdde16e4f76bec734c4e5791801d1739e4c7ec1995e0e110e04300d0c2",
            (
                "https://paddledet.bj.bcebos.com/deploy/third_engine/picodet_s_416_coco.onnx",
                "https://raw.githubusercontent.com/hpc203/picodet-onnxruntime/"
                "6bd166c3944bf8b3a0c41951344ecb5101af756a/coco/picodet_s_416_coco.onnx",
            ),
            resizable,
        ),
        Weights(
            "picodet_s_416_opt.onnx",
            4_019_260,
            "957b3e95fe6b90cec8ded50fb1d95caa29fdb7397f34ccdce5d9813494b398d6",
            to_graph=resizable,
        ),
    ),
)

_STRIDES: Final = (8, 16, 32, 64)
_MEAN: Final = np.array([123.675, 116.28, 103.53], np.float32).reshape(1, 3, 1, 1)
_SCALE: Final = 1 / np.array([58.395, 57.12, 57.375], np.float32).reshape(1, 3, 1, 1)
_LEAST_CONFIDENCE: Final = 0.35
_MOST_OVERLAP: Final = 0.5


class ObjectDetection:
    """Finds people, animals and objects of the 80 kinds of COCO."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    def find(self, probe: NDArray[np.uint8]) -> tuple[Sighting, ...]:
        """Give what is in a picture, the surest first.

        Takes: (H, W, 3) RGB; best in the size of `probe_size`, or else larger. Errors: model_unavailable.
        """
        pixels = as_probe(probe)
        height, width, _ = pixels.shape
        planes = np.ascontiguousarray(pixels[None].transpose(0, 3, 1, 2), dtype=np.float32)
        planes -= _MEAN
        planes *= _SCALE
        results = self._sessions.run(PICODET, planes)
        scores, classes, corners = self._candidates(results, width)
        corners /= np.array([width, height, width, height], np.float32)
        kinds = _KINDS[classes]
        kept = [
            own[index]
            for own in (np.flatnonzero(kinds == kind) for kind in np.unique(kinds))
            # A horse that may be a cow too is one animal.
            for index in strongest(corners[own], scores[own], _MOST_OVERLAP)
        ]
        return tuple(
            Sighting(kinds[index], COCO[classes[index]], float(scores[index]), Box.between(*map(float, corners[index])))
            for index in sorted(kept, key=lambda index: -scores[index])
        )

    @staticmethod
    def _candidates(
        results: list[NDArray[np.float32]], width: int
    ) -> tuple[NDArray[np.float32], NDArray[np.intp], NDArray[np.float32]]:
        all_scores, all_classes, all_corners = [], [], []
        for raw_scores, sides, stride in zip(results[:4], results[4:], _STRIDES, strict=True):
            likely = _likely(raw_scores[0])
            scores = _animals_as_one(raw_scores[0][likely])
            kept, classes = np.nonzero(scores >= _LEAST_CONFIDENCE)
            cells = likely[kept]
            bins = sides[0][cells].reshape(-1, 4, 8)
            weights = np.exp(bins - bins.max(axis=2, keepdims=True))
            lengths = (weights @ np.arange(8, dtype=np.float32)) / weights.sum(axis=2) * stride
            row, column = np.divmod(cells, -(-width // stride))
            center = (np.stack((column, row), axis=1) + 0.5) * stride
            all_scores.append(scores[kept, classes])
            all_classes.append(classes)
            all_corners.append(np.concatenate((center - lengths[:, :2], center + lengths[:, 2:]), axis=1))
        return np.concatenate(all_scores), np.concatenate(all_classes), np.concatenate(all_corners)
