"""ONNX graphs as data: read, changed and written without a library.

Method: the protocol buffers of onnx.proto3, of which this holds the few fields that the graphs here are made of.
"""

import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

Attribute = int | float | str | tuple[int, ...] | tuple[float, ...] | NDArray[np.generic]
Shape = tuple[int | str, ...]
Fields = dict[int, list[int | bytes]]

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_TYPES: Final[dict[int, type[np.generic]]] = {1: np.float32, 2: np.uint8, 3: np.int8, 6: np.int32, 7: np.int64}
_CODES: Final = {np.dtype(kind): code for code, kind in _TYPES.items()}
_IR_VERSION: Final = 8


@dataclass(frozen=True, slots=True)
class Node:
    """One operator of a graph: names of tensors in and out, and its attributes."""

    kind: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: Mapping[str, Attribute] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Graph:
    """A network: nodes in order of work, constant tensors, and float32 inputs and outputs by name and shape."""

    nodes: Sequence[Node]
    tensors: Mapping[str, NDArray[np.generic]]
    inputs: Mapping[str, Shape]
    outputs: Mapping[str, Shape]
    opset: int

    @classmethod
    def read(cls, data: bytes) -> "Graph":
        """Read a model file. Errors: ValueError, when it is none or holds what this does not know."""
        try:
            model = _fields(data)
            opsets = [_fields(_bytes(entry)) for entry in model[8]]
            opset = next(_number(each, 2) for each in opsets if each.get(1, [b""]) == [b""])
            graph = _fields(_bytes(model[7][0]))
            tensors = dict(_tensor(_bytes(entry)) for entry in graph.get(5, ()))
            inputs = dict(_value(_bytes(entry)) for entry in graph.get(11, ()))
            return cls(
                tuple(_node(_bytes(entry)) for entry in graph[1]),
                tensors,
                {name: shape for name, shape in inputs.items() if name not in tensors},
                dict(_value(_bytes(entry)) for entry in graph[12]),
                opset,
            )
        except (IndexError, KeyError, StopIteration, TypeError, struct.error) as error:
            raise ValueError("this is no ONNX graph of the known kind") from error

    def written(self) -> bytes:
        """Give the model file."""
        graph = b"".join((
            *(_block(1, _node_bytes(node)) for node in self.nodes),
            _block(2, b"graph"),
            *(_block(5, _tensor_bytes(name, tensor)) for name, tensor in self.tensors.items()),
            *(_block(11, _value_bytes(name, shape)) for name, shape in self.inputs.items()),
            *(_block(12, _value_bytes(name, shape)) for name, shape in self.outputs.items()),
        ))  # fmt: skip
        return _varint(1, _IR_VERSION) + _block(8, _varint(2, self.opset)) + _block(7, graph)


def _fields(data: bytes) -> Fields:
    found: Fields = {}
    at = 0
    while at < len(data):
        key, at = _read_varint(data, at)
        value: int | bytes
        if key & 7 == _VARINT:
            value, at = _read_varint(data, at)
        else:
            length = {_FIXED64: 8, _FIXED32: 4}.get(key & 7)
            if length is None:
                length, at = _read_varint(data, at)
            value, at = data[at : at + length], at + length
        found.setdefault(key >> 3, []).append(value)
    return found


def _read_varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        value, shift, at = value | (byte & 127) << shift, shift + 7, at + 1
        if byte < 128:
            return value, at


def _bytes(value: int | bytes) -> bytes:
    if isinstance(value, int):
        raise TypeError
    return value


def _text(fields: Fields, number: int) -> str:
    return _bytes(fields[number][0]).decode()


def _number(fields: Fields, number: int) -> int:
    value = fields[number][0]
    if isinstance(value, bytes):
        raise TypeError
    return value


def _integers(values: Sequence[int | bytes]) -> Iterator[int]:
    """Give signed numbers, whether or not they were packed."""
    for value in values:
        if isinstance(value, int):
            yield value - (value >> 63 << 64)
            continue
        at = 0
        while at < len(value):
            number, at = _read_varint(value, at)
            yield number - (number >> 63 << 64)


def _node(data: bytes) -> Node:
    fields = _fields(data)
    attributes = dict(_attribute(_bytes(entry)) for entry in fields.get(5, ()))
    inputs, outputs = (tuple(_bytes(name).decode() for name in fields.get(number, ())) for number in (1, 2))
    return Node(_text(fields, 4), inputs, outputs, attributes)


def _attribute(data: bytes) -> tuple[str, Attribute]:
    fields = _fields(data)
    name, kind = _text(fields, 1), _number(fields, 20)
    if kind == 1:
        return name, float(struct.unpack("<f", _bytes(fields[2][0]))[0])
    if kind == 2:
        return name, next(_integers(fields[3]))
    if kind == 3:
        return name, _text(fields, 4)
    if kind == 4:
        return name, _tensor(_bytes(fields[5][0]))[1]
    if kind == 6:
        packed = b"".join(_bytes(value) for value in fields.get(7, ()))
        return name, struct.unpack(f"<{len(packed) // 4}f", packed)
    if kind == 7:
        return name, tuple(_integers(fields.get(8, ())))
    raise KeyError(kind)


def _tensor(data: bytes) -> tuple[str, NDArray[np.generic]]:
    fields = _fields(data)
    kind, shape = _TYPES[_number(fields, 2)], tuple(_integers(fields.get(1, ())))
    name = _text(fields, 8) if 8 in fields else ""
    values: NDArray[np.generic]
    if 9 in fields:
        values = np.frombuffer(_bytes(fields[9][0]), kind)
    elif kind is np.float32:
        values = np.frombuffer(b"".join(_bytes(value) for value in fields.get(4, ())), kind)
    else:
        values = np.array(tuple(_integers(fields.get(7 if kind is np.int64 else 5, ()))), kind)
    return name, values.reshape(shape)


def _value(data: bytes) -> tuple[str, Shape]:
    fields = _fields(data)
    tensor = _fields(_bytes(_fields(_bytes(fields[2][0]))[1][0]))
    dimensions = [_fields(_bytes(entry)) for entry in _fields(_bytes(tensor[2][0])).get(1, ())] if 2 in tensor else []
    shape = tuple(_text(each, 2) if 2 in each else _number(each, 1) if 1 in each else "" for each in dimensions)
    return _text(fields, 1), shape


def _varint(number: int, value: int) -> bytes:
    return _digits(number << 3 | _VARINT) + _digits(value)


def _digits(value: int) -> bytes:
    value &= 2**64 - 1
    written = bytearray()
    while value > 127:
        written.append(value & 127 | 128)
        value >>= 7
    return bytes(written) + bytes((value,))


def _block(number: int, data: bytes) -> bytes:
    return _digits(number << 3 | _BYTES) + _digits(len(data)) + data


def _node_bytes(node: Node) -> bytes:
    return b"".join((
        *(_block(1, name.encode()) for name in node.inputs),
        *(_block(2, name.encode()) for name in node.outputs),
        _block(4, node.kind.encode()),
        *(_block(5, _attribute_bytes(name, value)) for name, value in node.attributes.items()),
    ))  # fmt: skip


def _attribute_bytes(name: str, value: Attribute) -> bytes:
    if isinstance(value, int):
        kind, content = 2, _varint(3, value)
    elif isinstance(value, float):
        kind, content = 1, _digits(2 << 3 | _FIXED32) + struct.pack("<f", value)
    elif isinstance(value, str):
        kind, content = 3, _block(4, value.encode())
    elif isinstance(value, np.ndarray):
        kind, content = 4, _block(5, _tensor_bytes("", value))
    elif value and isinstance(value[0], float):
        kind, content = 6, _block(7, struct.pack(f"<{len(value)}f", *value))
    else:
        kind, content = 7, b"".join(_varint(8, int(number)) for number in value)
    return _block(1, name.encode()) + content + _varint(20, kind)


def _tensor_bytes(name: str, tensor: NDArray[np.generic]) -> bytes:
    shape = b"".join(_varint(1, length) for length in tensor.shape)
    return shape + _varint(2, _CODES[tensor.dtype]) + _block(8, name.encode()) + _block(9, tensor.tobytes())


def _value_bytes(name: str, shape: Shape) -> bytes:
    dimensions = b"".join(
        _block(1, _varint(1, length) if isinstance(length, int) else _block(2, length.encode())) for length in shape
    )
    tensor = _varint(1, _CODES[np.dtype(np.float32)]) + (_block(2, dimensions) if shape else b"")
    return _block(1, name.encode()) + _block(2, _block(1, tensor))
