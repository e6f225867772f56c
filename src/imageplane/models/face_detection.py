"""Faces in a picture."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from imageplane.models.card import Card, Weights
from imageplane.models.probe import as_probe
from imageplane.models.sessions import Sessions
from imageplane.models.suppression import strongest
from imageplane.pixels.sighting import Box, Sighting

YUNET: Final = Card(
    name="yunet",
    purpose="finding faces",
    paper="Wu, Peng, Yu: YuNet, a tiny millisecond-level face detector, 2023",
    licence="Apache-2.0",
    input_shape="1×3×H×W, BGR, 0–255, H and W multiples of 32",
    weights=(
        Weights(
            "yunet_n_dynamic.onnx",
            322_906,
            "104ee26c71d5c270ce79a6b3dced91c91013260d29a6bf18f9296c5b8c4c2b12",
            (
                "https://raw.githubusercontent.com/ShiqiYu/libfacedetection.train/"
                "0047ac24afb1a50a0c6105001c89d1b5b805dbf1/onnx/yunet_n_dynamic.onnx",
            ),
        ),
    ),
)

_STRIDES: Final = (8, 16, 32)
# From 0.7 a face is sure; below it takes something else to confirm it, such as a person around it.
_LEAST_CONFIDENCE: Final = 0.5
_MOST_OVERLAP: Final = 0.3


class FaceDetection:
    """Finds faces, from about 10 pixels of the probe upwards."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    def find(self, probe: NDArray[np.uint8]) -> tuple[Sighting, ...]:
        """Give the faces in a picture, the surest first.

        Takes: (H, W, 3) RGB; best in the size of `probe_size`, or else larger. Errors: model_unavailable.
        """
        pixels = as_probe(probe)
        height, width, _ = pixels.shape
        planes = np.ascontiguousarray(pixels[None, :, :, ::-1].transpose(0, 3, 1, 2), dtype=np.float32)
        scores, corners = self._candidates(self._sessions.run(YUNET, planes), width)
        likely = np.flatnonzero(scores >= _LEAST_CONFIDENCE)
        scores, corners = scores[likely], corners[likely]
        corners /= np.array([width, height, width, height], np.float32)
        return tuple(
            Sighting("face", "face", float(scores[index]), Box.between(*map(float, corners[index])))
            for index in strongest(corners, scores, _MOST_OVERLAP)
        )

    @staticmethod
    def _candidates(results: list[NDArray[np.float32]], width: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        levels = len(_STRIDES)
        scores, corners = [], []
        for level, stride in enumerate(_STRIDES):
            classes, objects, boxes = (results[level + part * levels][0] for part in range(3))
            scores.append(np.sqrt(classes[:, 0] * objects[:, 0]))
            row, column = np.divmod(np.arange(len(boxes)), width // stride)
            center = (np.stack((column, row), axis=1) + boxes[:, :2]) * stride
            half = np.exp(boxes[:, 2:]) * (stride / 2)
            corners.append(np.concatenate((center - half, center + half), axis=1, dtype=np.float32))
        return np.concatenate(scores), np.concatenate(corners)
