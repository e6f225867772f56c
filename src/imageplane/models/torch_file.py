"""Tensors out of a PyTorch file, without PyTorch and without running what is in it."""

import io
import math
import pickle
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

_MOST_TENSOR_BYTES: Final = 500_000_000


@dataclass(frozen=True, slots=True)
class _Kind:
    """Stands for a class of PyTorch in a pickle: the type of the numbers in a storage."""

    numbers: type[np.generic]


_KINDS: Final = {
    "FloatStorage": _Kind(np.float32),
    "HalfStorage": _Kind(np.float16),
    "DoubleStorage": _Kind(np.float64),
    "LongStorage": _Kind(np.int64),
}


def read_tensors(data: bytes) -> dict[str, NDArray[np.float32]]:
    """Give the tensors of a checkpoint by name; of one that holds several sets, those of the first dictionary.

    Method: such a file is a zip of raw storages and a pickle that tells how tensors lie in them. A pickle can name
    any function of Python; this one is read by an unpickler that knows dictionaries and tensors, and nothing else.
    Errors: ValueError for anything that is no such file.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            names = archive.namelist()
            index = next(name for name in names if name.endswith("/data.pkl"))
            content = _Tensors(archive, index.removesuffix("data.pkl")).load()
    # Bytes that want to do harm can raise anything, and none of it is about this process.
    except Exception as error:
        raise ValueError(f"this is no PyTorch file of the known kind: {error!r}") from error
    while isinstance(content, dict) and content and all(isinstance(value, dict) for value in content.values()):
        content = next(iter(content.values()))
    if not isinstance(content, dict) or not all(isinstance(value, np.ndarray) for value in content.values()):
        raise ValueError("this PyTorch file holds something else than tensors")
    return {str(name): np.ascontiguousarray(tensor, np.float32) for name, tensor in content.items()}


class _Tensors(pickle.Unpickler):
    def __init__(self, archive: zipfile.ZipFile, folder: str) -> None:
        super().__init__(io.BytesIO(archive.read(f"{folder}data.pkl")))
        self._archive, self._folder = archive, folder

    def find_class(self, module: str, name: str) -> Any:
        known: dict[tuple[str, str], Callable[..., Any] | _Kind] = {
            ("collections", "OrderedDict"): _dictionary,
            ("torch._utils", "_rebuild_tensor_v2"): _tensor,
            **{("torch", name): kind for name, kind in _KINDS.items()},
        }
        if (module, name) not in known:
            raise pickle.UnpicklingError(f"it may not name {module}.{name}")
        return known[module, name]

    def persistent_load(self, reference: Any) -> NDArray[Any]:
        _, kind, key, _, count = reference
        info = self._archive.getinfo(f"{self._folder}data/{key}")
        size = count * np.dtype(kind.numbers).itemsize
        if not 0 <= size <= min(info.file_size, _MOST_TENSOR_BYTES):
            raise pickle.UnpicklingError("a storage is shorter than it should be")
        return np.frombuffer(self._archive.read(info), kind.numbers, count)


def _dictionary() -> dict[Any, Any]:
    return {}


def _tensor(
    storage: NDArray[Any], offset: int, shape: tuple[int, ...], stride: tuple[int, ...], *_: Any
) -> NDArray[Any]:
    straight = tuple(math.prod(shape[place + 1 :]) for place in range(len(shape)))
    if tuple(stride) != straight or min((offset, *shape), default=0) < 0:
        raise pickle.UnpicklingError("a tensor lies in its storage in an unknown way")
    return storage[offset : offset + math.prod(shape)].reshape(shape)
