"""Pictures made larger, with detail that fits them."""

from collections.abc import Iterator
from typing import Final, Literal

import numpy as np
import pyvips
from numpy.typing import NDArray

from imageplane.deadline import Deadline
from imageplane.models.card import Card, Weights
from imageplane.models.onnx import Graph, Node
from imageplane.models.probe import to_ratios
from imageplane.models.sessions import Sessions
from imageplane.models.torch_file import read_tensors
from imageplane.pixels.geometry import Size, scale_to, size_of

Factor = Literal[2, 3, 4]

_SCALE: Final = 4


def compact_network(data: bytes) -> bytes:
    """Give the graph of SRVGG, the compact network of Real-ESRGAN, with the weights of a PyTorch file.

    Method: convolutions and PReLUs in turn, then pixels spread out of channels and added to the picture, enlarged by
    repeating its pixels. Errors: ValueError.
    """
    tensors = read_tensors(data)
    layers = sorted({int(name.split(".")[1]) for name in tensors})
    nodes: list[Node] = []
    constants = {"scales": np.array([1, 1, _SCALE, _SCALE], np.float32)}
    flow = "input"
    for layer in layers:
        weight, following = tensors[f"body.{layer}.weight"], f"flow_{layer}"
        names = (f"weight_{layer}", f"bias_{layer}")
        if weight.ndim == 4:
            constants |= {names[0]: weight, names[1]: tensors[f"body.{layer}.bias"]}
            around = {"kernel_shape": weight.shape[2:], "pads": (1, 1, 1, 1)}
            nodes.append(Node("Conv", (flow, *names), (following,), around))
        else:
            constants[names[0]] = weight.reshape(-1, 1, 1)
            nodes.append(Node("PRelu", (flow, names[0]), (following,)))
        flow = following
    repeated = {"mode": "nearest", "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
    nodes += [
        Node("DepthToSpace", (flow,), ("detail",), {"blocksize": _SCALE, "mode": "CRD"}),
        Node("Resize", ("input", "", "scales"), ("repeated",), repeated),
        Node("Add", ("detail", "repeated"), ("output",)),
    ]
    shape = (1, 3, "height", "width")
    return Graph(nodes, constants, {"input": shape}, {"output": (1, 3, "tall", "wide")}, opset=13).written()


REAL_ESRGAN: Final = Card(
    name="realesr-general-x4v3",
    purpose="enlarging pictures",
    paper="Wang et al.: Real-ESRGAN, training real-world blind super-resolution with pure synthetic data, 2021",
    licence="BSD-3-Clause",
    input_shape="1×3×H×W, RGB, 0–1",
    weights=(
        Weights(
            "realesr-general-x4v3.pth",
            4_885_111,
            "8dc7edb9ac80ccdc30c3a5dca6616509367f05fbc184ad95b731f05bece96292",
            ("https://github.com/xinntao/Real-ESRGAN/releases/download/v0.2.5.0/realesr-general-x4v3.pth",),
            compact_network,
        ),
        Weights(
            "realesr-general-x4v3.onnx",
            4_859_875,
            "c3bf9a3da684fcf9acb6280218cec5cf0254f4e687690b14de7243e4d10da432",
        ),
    ),
    is_heavy=True,
)

_TILE: Final = 192
_MARGIN: Final = 24


# How much of what the network changed beyond adding detail is taken back. All of it would bring noise back too.
_FAITH: Final = 0.8


class SuperResolution:
    """Enlarges pictures two, three or four times."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    def enlarge(self, pixels: NDArray[np.uint8], factor: Factor, deadline: Deadline) -> NDArray[np.uint8]:
        """Give the picture `factor` times as large.

        Takes: (H, W, 3) RGB. Gives: (factor · H, factor · W, 3).
        Method: tile by tile, each with a margin of its surroundings that is cut off again: four times by the network,
        reduced with Lanczos to two or three times, and brought near to what gives the picture when it is made small
        again (back-projection, Irani and Peleg 1991), since the network would smooth skin and repaint eyes.
        A picture without colors stays one.
        Errors: model_unavailable, deadline_exceeded, asked before every tile.
        """
        height, width, _ = pixels.shape
        is_gray = not np.ptp(pixels, axis=2).any()
        result = np.empty((height * factor, width * factor, 3), np.uint8)
        for top, bottom in _spans(height):
            for left, right in _spans(width):
                deadline.check()
                down, across = _around(top, bottom, height), _around(left, right, width)
                tile = self._enlarged(np.ascontiguousarray(pixels[down, across]), factor)
                part = tile[
                    (top - down.start) * factor : (bottom - down.start) * factor,
                    (left - across.start) * factor : (right - across.start) * factor,
                ]
                # The network makes up colors too.
                place = result[top * factor : bottom * factor, left * factor : right * factor]
                place[:] = np.rint(part.mean(axis=2, keepdims=True)) if is_gray else part
        return result

    def _enlarged(self, pixels: NDArray[np.uint8], factor: Factor) -> NDArray[np.uint8]:
        planes = np.ascontiguousarray(to_ratios(pixels).transpose(2, 0, 1)[None])
        (detailed,) = self._sessions.run(REAL_ESRGAN, planes)
        small = pyvips.Image.new_from_array(pixels)
        large = pyvips.Image.new_from_array(np.ascontiguousarray(detailed[0].transpose(1, 2, 0))) * 255
        large = scale_to(large, Size(small.width * factor, small.height * factor))
        changed = small - scale_to(large, size_of(small))
        faithful = large + scale_to(changed, size_of(large)) * _FAITH
        result: NDArray[np.uint8] = faithful.rint().cast("uchar").numpy()
        return result


def _spans(length: int) -> Iterator[tuple[int, int]]:
    """Give tiles of nearly one length that cover all."""
    count = -(-length // _TILE)
    return ((length * index // count, length * (index + 1) // count) for index in range(count))


def _around(start: int, stop: int, length: int) -> slice:
    return slice(max(0, start - _MARGIN), min(length, stop + _MARGIN))
