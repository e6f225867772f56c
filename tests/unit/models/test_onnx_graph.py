"""Graphs are written as onnxruntime reads them, and read as they were written."""

from pathlib import Path

import numpy as np
import onnxruntime
import pytest

from imageplane.models.onnx import Graph, Node
from imageplane.models.store import Store


def run(data: bytes, **inputs: np.ndarray) -> list[np.ndarray]:  # type: ignore[type-arg]
    return onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"]).run(None, inputs)  # type: ignore[no-any-return]


def test_what_is_written_runs_and_reads_back_the_same() -> None:
    kernel = np.arange(9, dtype=np.float32).reshape(1, 1, 3, 3)
    nodes = (
        Node("Conv", ("input", "kernel"), ("blurred",), {"kernel_shape": (3, 3), "pads": (1, 1, 1, 1)}),
        Node("LeakyRelu", ("blurred",), ("bent",), {"alpha": 0.25}),
        Node("Gather", ("bent", "last"), ("output",), {"axis": -1}),
    )
    tensors = {"kernel": kernel, "last": np.array([-1], np.int64)}
    graph = Graph(nodes, tensors, {"input": (1, 1, "h", 4)}, {"output": (1, 1, "h", 1)}, opset=13)
    picture = np.random.default_rng(5).normal(size=(1, 1, 3, 4)).astype(np.float32)

    (result,) = run(graph.written(), input=picture)

    around = np.pad(picture[0, 0], 1)[:, -3:]
    sums = np.array([(around[row : row + 3] * kernel[0, 0]).sum() for row in range(3)])
    assert result.shape == (1, 1, 3, 1)
    np.testing.assert_allclose(result.ravel(), np.where(sums < 0, sums / 4, sums), rtol=1e-5)
    again = Graph.read(graph.written())
    assert again.nodes == graph.nodes
    assert (again.inputs, again.outputs, again.opset) == (graph.inputs, graph.outputs, 13)
    assert {name: tensor.tolist() for name, tensor in again.tensors.items()} == {
        name: tensor.tolist() for name, tensor in tensors.items()
    }


def test_every_kind_of_attribute_survives() -> None:
    attributes = {"whole": -7, "real": 0.5, "word": "half_pixel", "wholes": (1, -2, 3), "reals": (0.5, -0.25)}
    node = Node("Anything", ("a", ""), ("b", "c"), attributes)
    (again,) = Graph.read(Graph((node,), {}, {}, {"b": ()}, 11).written()).nodes
    assert again == node


def test_a_tensor_as_an_attribute_survives() -> None:
    node = Node("Constant", (), ("b",), {"value": np.array([[1, 2]], np.int64)})
    (again,) = Graph.read(Graph((node,), {}, {}, {"b": ()}, 11).written()).nodes
    assert again.attributes["value"].tolist() == [[1, 2]]  # type: ignore[union-attr]


@pytest.mark.parametrize("data", [b"", b"\x00", b"no graph at all", b"\x3a\xff\xff\xff", bytes(range(256))])
def test_anything_else_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="no ONNX graph"):
        Graph.read(data)


def test_real_networks_are_the_same_after_a_round_trip(weights: Path) -> None:
    from imageplane.models.face_detection import YUNET  # noqa: PLC0415

    data = Store(weights).graph(YUNET)
    picture = np.random.default_rng(7).uniform(0, 255, (1, 3, 64, 96)).astype(np.float32)
    for before, after in zip(run(data, input=picture), run(Graph.read(data).written(), input=picture), strict=True):
        np.testing.assert_array_equal(before, after)
