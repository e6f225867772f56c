"""Tensors come out of PyTorch files; code does not."""

import collections
import io
import pickle
import sys
import types
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from imageplane.models.onnx import Graph
from imageplane.models.super_resolution import REAL_ESRGAN, compact_network
from imageplane.models.torch_file import read_tensors


class _Torch:
    """Writes files as PyTorch does, with a stand-in for the two names that they mention."""

    def __init__(self) -> None:
        self.torch, self.utils = types.ModuleType("torch"), types.ModuleType("torch._utils")
        self.storage = type("FloatStorage", (), {"__module__": "torch"})
        self.torch.FloatStorage = self.storage  # type: ignore[attr-defined]

        def rebuild(*_: Any) -> None:
            raise AssertionError

        rebuild.__module__, rebuild.__qualname__ = "torch._utils", "_rebuild_tensor_v2"
        self.rebuild = rebuild
        self.utils._rebuild_tensor_v2 = rebuild  # type: ignore[attr-defined]

    def file(self, content: Any, storages: list[bytes]) -> bytes:
        torch = self

        class Tensor:
            def __init__(self, index: int, shape: tuple[int, ...], stride: tuple[int, ...]) -> None:
                self.key, self.shape, self.stride = str(index), shape, stride

            def __reduce__(self) -> Any:
                storage = Storage(self.key, len(storages[int(self.key)]) // 4)
                return torch.rebuild, (storage, 0, self.shape, self.stride, False, collections.OrderedDict())

        class Storage:
            def __init__(self, key: str, count: int) -> None:
                self.key, self.count = key, count

        class Writer(pickle._Pickler):  # type: ignore[name-defined,misc]
            def persistent_id(self, value: object) -> Any:
                if isinstance(value, Storage):
                    return "storage", torch.storage, value.key, "cpu", value.count
                return None

        def tensors(values: Any) -> Any:
            if isinstance(values, dict):
                return collections.OrderedDict((name, tensors(value)) for name, value in values.items())
            if isinstance(values, np.ndarray):
                storages.append(values.tobytes())
                strides = tuple(step // values.itemsize for step in values.strides)
                return Tensor(len(storages) - 1, values.shape, strides)
            return values

        index = io.BytesIO()
        Writer(index, 2).dump(tensors(content))
        return archive(index.getvalue(), storages)


def archive(index: bytes, storages: list[bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as files:
        files.writestr("archive/data.pkl", index)
        for number, storage in enumerate(storages):
            files.writestr(f"archive/data/{number}", storage)
    return file.getvalue()


@pytest.fixture
def saved(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., bytes]]:
    torch = _Torch()
    monkeypatch.setitem(sys.modules, "torch", torch.torch)
    monkeypatch.setitem(sys.modules, "torch._utils", torch.utils)
    return lambda content: torch.file(content, [])


def pattern(*shape: int) -> NDArray[np.float32]:
    return np.random.default_rng(len(shape)).normal(size=shape).astype(np.float32)


def test_tensors_come_out_as_they_went_in(saved: Callable[..., bytes]) -> None:
    weight, bias = pattern(4, 3, 3, 3), pattern(4)
    read = read_tensors(saved({"params": {"body.0.weight": weight, "body.0.bias": bias}}))
    assert list(read) == ["body.0.weight", "body.0.bias"]
    np.testing.assert_array_equal(read["body.0.weight"], weight)
    np.testing.assert_array_equal(read["body.0.bias"], bias)


def test_a_file_without_a_name_around_its_tensors_is_read_too(saved: Callable[..., bytes]) -> None:
    assert read_tensors(saved({"weight": pattern(2, 2)})).keys() == {"weight"}


class _Harm:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return Path.touch, (self.path,)


def test_code_in_a_file_is_not_run(tmp_path: Path) -> None:
    victim = tmp_path / "harm"
    index = pickle.dumps({"params": _Harm(victim)})
    with pytest.raises(ValueError, match="may not name"):
        read_tensors(archive(index, []))
    assert not victim.exists()


@pytest.mark.parametrize(
    "name",
    ["builtins\neval", "os\nsystem", "builtins\ngetattr", "collections\nnamedtuple", "torch\nload", "numpy\nload"],
)
def test_no_other_name_is_known(name: str) -> None:
    with pytest.raises(ValueError, match="may not name"):
        read_tensors(archive(f"c{name}\n.".encode(), []))


def test_a_storage_that_is_too_short_is_refused(saved: Callable[..., bytes]) -> None:
    with zipfile.ZipFile(io.BytesIO(saved({"weight": pattern(4, 4)}))) as files:
        index = files.read("archive/data.pkl")
    with pytest.raises(ValueError, match="shorter"):
        read_tensors(archive(index, [bytes(60)]))


def test_a_tensor_that_lies_otherwise_is_refused(saved: Callable[..., bytes]) -> None:
    with pytest.raises(ValueError, match="unknown way"):
        read_tensors(saved({"weight": pattern(2, 3).T}))


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04 broken", pickle.dumps({"a": 1}), archive(pickle.dumps([1, 2]), [])])
def test_other_files_are_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="PyTorch file"):
        read_tensors(data)


def test_the_network_of_a_file_is_the_one_that_was_converted_elsewhere(
    saved: Callable[..., bytes], weights: Path
) -> None:
    converted = weights / next(each.file for each in REAL_ESRGAN.weights if each.file.endswith(".onnx"))
    if not converted.is_file():
        pytest.skip(f"{converted.name} is not here to compare with")
    import onnxruntime  # noqa: PLC0415

    graph = Graph.read(converted.read_bytes())
    state: dict[str, NDArray[Any]] = {}
    layers = [node for node in graph.nodes if node.kind in ("Conv", "PRelu")]
    for place, node in enumerate(layers):
        state[f"body.{place}.weight"] = np.ascontiguousarray(graph.tensors[node.inputs[1]].squeeze())
        if node.kind == "Conv":
            state[f"body.{place}.bias"] = graph.tensors[node.inputs[2]]
    picture = np.random.default_rng(3).uniform(size=(1, 3, 19, 23)).astype(np.float32)
    results = [
        onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"]).run(None, {"input": picture})[0]
        for data in (converted.read_bytes(), compact_network(saved({"params": state})))
    ]
    assert results[1].shape == (1, 3, 76, 92)
    np.testing.assert_allclose(results[0], results[1], atol=1e-5)
