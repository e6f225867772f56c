"""A picture to try things with, drawn by code: a sun over hills, as a camera would hand it over."""

import json
from pathlib import Path
from typing import Final

import numpy as np
import simplejpeg

from imageplane.http.examples import THUMBNAIL

_WIDTH, _HEIGHT = 1200, 900
EXAMPLE_OPERATIONS: Final = json.dumps(THUMBNAIL)


def write_example(path: Path) -> None:
    """Write the picture as a JPEG, if it is not there already."""
    if path.exists():
        return
    down, across = np.mgrid[0:_HEIGHT, 0:_WIDTH]
    height = (down / _HEIGHT)[..., None]
    pixels = np.array([70, 130, 210]) * (1 - height) + np.array([255, 205, 150]) * height
    distance = np.hypot(across - 840, down - 300)[..., None]
    pixels += np.array([255, 190, 90]) * np.clip(1.6 - distance / 160, 0, 1)
    for index, color in enumerate([(96, 124, 120), (62, 98, 84), (34, 66, 50)]):
        ridge = 520 + 110 * index + 60 * np.sin(across / (170 - 30 * index) + 2 * index)
        pixels = np.where((down > ridge)[..., None], np.array(color) * (1.25 - 0.35 * height), pixels)
    path.write_bytes(simplejpeg.encode_jpeg(np.clip(pixels, 0, 255).astype(np.uint8), quality=90))
