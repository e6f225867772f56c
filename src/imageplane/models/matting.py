"""What stands in front, cut out of its background."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from imageplane.models.card import Card, Weights
from imageplane.models.layers import Layers
from imageplane.models.probe import enlarged, scaled, to_ratios
from imageplane.models.sessions import Sessions

U2NETP: Final = Card(
    name="u2netp",
    purpose="telling what stands in front from its background",
    paper="Qin et al.: U²-Net, going deeper with nested U-structure for salient object detection, 2020",
    licence="Apache-2.0",
    input_shape="1×3×320×320, RGB, ImageNet mean and deviation",
    weights=(
        Weights(
            "u2netp.onnx",
            4_574_861,
            "309c8469258dda742793dce0ebea8e6dd393174f89934733ecc8b14c76f4ddd8",
            ("https://github.com/danielgatis/rembg/releases/download/v0.0.0/u2netp.onnx",),
        ),
        Weights("u2netp_320.onnx", 4_533_291, "f81924bd68333a579271677f7434dc321635134c91962ec0ce1758aefc7917f5"),
    ),
    is_heavy=True,
)

_NETWORK_SIDE: Final = 320
_MEAN: Final = np.array([0.485, 0.456, 0.406], np.float32)
_DEVIATION: Final = np.array([0.229, 0.224, 0.225], np.float32)
# A network that is nowhere at least this sure has seen nothing; its noise is not stretched to a mask.
_LEAST_RANGE: Final = 0.3
# A picture of one color, but for the noise of a codec, has nothing in front; the network dreams on black ones.
_LEAST_CONTRAST: Final = 6
# What the network says of the plainest places, which is never quite nothing and never quite all.
_MASK_SLACK: Final = 0.1

_COPY_SIDE: Final = 480


class Matting:
    """Cuts out what stands in front: a person, an animal, a thing; hair and holes as fine as the photo shows them."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    def cut_out(self, pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Give the picture with its background gone.

        Takes: (H, W, 3) RGB. Gives: (H, W, 4) RGB with straight alpha; colors are what the foreground has without the
        background shining through, and 0 where nothing is left.
        Method: the mask of U²-Net says what, a few hundred pixels wide; where exactly, and of which color, is told by
        `Layers`, learned on a small copy and applied to the full photo tile by tile. Errors: model_unavailable.
        """
        height, width, _ = pixels.shape
        scale = min(1.0, _COPY_SIDE / max(height, width))
        small = scaled(pixels, max(1, round(width * scale)), max(1, round(height * scale)))
        mask = enlarged(self._mask(small), small.shape[1], small.shape[0])
        return Layers.of(to_ratios(small), mask).applied_to(pixels)

    def _mask(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        square = scaled(pixels, _NETWORK_SIDE, _NETWORK_SIDE).astype(np.float32)
        square /= max(1.0, float(square.max()))
        planes = ((square - _MEAN) / _DEVIATION).transpose(2, 0, 1)[None]
        mask = self._sessions.run(U2NETP, np.ascontiguousarray(planes))[0][0, 0]
        if np.ptp(pixels, axis=(0, 1)).max() < _LEAST_CONTRAST:
            return np.zeros_like(mask)
        least, most = float(mask.min()), float(mask.max())
        seen = (mask - least) / max(_LEAST_RANGE, most - least)
        sure: NDArray[np.float32] = np.clip((seen - _MASK_SLACK) / (1 - 2 * _MASK_SLACK), 0, 1)
        return sure
