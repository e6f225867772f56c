"""Looking at a picture once, however many crops ask what is in it."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyvips
from numpy.typing import NDArray

from imageplane.errors import ModelUnavailable
from imageplane.models import Models
from imageplane.models.probe import pixels_of, probe_size
from imageplane.pixels.alpha import flatten
from imageplane.pixels.saliency import saliency_of, small_copy
from imageplane.pixels.sighting import Sighting

# What is transparent should draw no eye, on any subject.
_GRAY = (128, 128, 128)


@dataclass(slots=True)
class Seen:
    """What was seen of one picture: plain data, which travels between processes.

    Takes: `sightings`, None when the networks are not here; `drawn`, what draws the eye, as rows of `columns` bytes,
    None as long as nobody asked; `colors`, the small picture that it will be found in then.
    """

    sightings: tuple[Sighting, ...] | None
    drawn: bytes | None
    columns: int
    colors: bytes = b""

    def saliency(self) -> NDArray[np.uint8]:
        """Give what draws the eye, (h, w), 0 to 255; it is found only once."""
        if self.drawn is None:
            drawn = saliency_of(np.frombuffer(self.colors, np.uint8).reshape(-1, self.columns, 3))
            self.drawn, self.colors = np.rint(drawn * 255).astype(np.uint8).tobytes(), b""
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
        small = small_copy(probe)
        return Seen(self._sightings(probe), None, small.shape[1], small.tobytes())

    def _sightings(self, probe: NDArray[np.uint8]) -> tuple[Sighting, ...] | None:
        """Give what the networks see, None without them.

        Faces are looked for where there is somebody, or nothing else that could tell what the picture is of.
        """
        if self._models is None:
            return None
        try:
            found = self._models.object_detection.find(probe)
            if not found or any(each.kind == "person" for each in found):
                found = self._models.face_detection.find(probe) + found
        except ModelUnavailable:
            return None
        return found


def _probe(image: pyvips.Image) -> NDArray[np.uint8]:
    opaque = flatten(image, _GRAY)
    return pixels_of(opaque, *probe_size(opaque.width, opaque.height))
