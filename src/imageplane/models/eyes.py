"""Looking at a picture once, however many crops ask what is in it."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyvips
from numpy.typing import NDArray

from imageplane.errors import ModelUnavailable
from imageplane.models import Models
from imageplane.models.probe import probe_size
from imageplane.pixels.alpha import flatten
from imageplane.pixels.saliency import saliency_of
from imageplane.pixels.sighting import Sighting

# What is transparent should draw no eye, on any subject.
_GRAY = (128, 128, 128)


@dataclass(frozen=True, slots=True)
class Seen:
    """What was seen of one picture: plain data, which travels between processes.

    Takes: `sightings`, None when the networks are not here; what draws the eye, as rows of bytes.
    """

    sightings: tuple[Sighting, ...] | None
    drawn: bytes
    columns: int

    @property
    def saliency(self) -> NDArray[np.uint8]:
        """What draws the eye, (h, w), 0 to 255."""
        return np.frombuffer(self.drawn, np.uint8).reshape(-1, self.columns)


class Eyes:
    """What looks for one request.

    Takes: `models`, None where no network may be asked; `known`, what was seen of the same source before, by what had
    been done to it. All that is seen is kept in `seen`.
    """

    def __init__(self, models: Models | None = None, known: Mapping[str, Seen] | None = None) -> None:
        self._models = models
        self.seen = dict(known or {})

    def look(self, image: pyvips.Image, done: str = "") -> Seen:
        """Give what is in a picture; `done` tells the operations that made it of the source."""
        seen = self.seen.get(done)
        if seen is None:
            seen = self.seen[done] = self._look(_probe(image))
        return seen

    def _look(self, probe: NDArray[np.uint8]) -> Seen:
        drawn = np.rint(saliency_of(probe) * 255).astype(np.uint8)
        return Seen(self._sightings(probe), drawn.tobytes(), drawn.shape[1])

    def _sightings(self, probe: NDArray[np.uint8]) -> tuple[Sighting, ...] | None:
        if self._models is None:
            return None
        try:
            return self._models.face_detection.find(probe) + self._models.object_detection.find(probe)
        except ModelUnavailable:
            return None


def _probe(image: pyvips.Image) -> NDArray[np.uint8]:
    opaque = flatten(image, _GRAY)
    width, height = probe_size(opaque.width, opaque.height)
    small = opaque.resize(width / opaque.width, vscale=height / opaque.height, kernel="linear")
    if (small.width, small.height) != (width, height):
        small = small.embed(0, 0, width, height, extend="copy")
    pixels: NDArray[np.uint8] = small.numpy()
    return pixels
