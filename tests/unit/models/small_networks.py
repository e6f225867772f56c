"""Networks made on the spot, and cards for them."""

import hashlib

import numpy as np

from imageplane.models.card import Card, Weights
from imageplane.models.onnx import Graph, Node


def doubling() -> bytes:
    """Give a network that doubles numbers."""
    nodes = [Node("Add", ("input", "input"), ("output",))]
    return Graph(nodes, {}, {"input": ("n",)}, {"output": ("n",)}, opset=13).written()


def hungry() -> bytes:
    """Give a network that needs more memory than there is."""
    nodes = [Node("Expand", ("input", "shape"), ("output",))]
    shape = {"shape": np.array([1 << 44], np.int64)}
    return Graph(nodes, shape, {"input": ("n",)}, {"output": ("m",)}, opset=13).written()


def card_of(data: bytes, file: str = "small.onnx", *, is_heavy: bool = False, urls: tuple[str, ...] = ()) -> Card:
    """Give a card for a file with these bytes."""
    weights = Weights(file, len(data), hashlib.sha256(data).hexdigest(), urls)
    return Card("small", "trying things", "none", "MIT", "n", (weights,), is_heavy)
