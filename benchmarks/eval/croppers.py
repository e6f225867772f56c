"""The contenders for smart_crop: each gives one window for a photo and a shape."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pyvips

from benchmarks.eval.keeping import center
from benchmarks.eval.scratch import Scratch
from benchmarks.eval.truth import Photo
from imageplane.models import Models
from imageplane.models.eyes import Eyes
from imageplane.pixels.composition import Choice, choose
from imageplane.pixels.crop import Window
from imageplane.pixels.geometry import Size, scaled_size

MODELS = Path(os.environ.get("IMAGEPLANE_MODELS_DIR") or Path(__file__).parents[3] / "shared" / "models")
OURS = "imageplane"
CLASSICAL = "classical"
CENTER = "center"
PACKAGED = "smartcrop and thumbor"

# As small as a decoder would make it for a thumbnail.
_LONG_SIDE_IN_PX = 800

Cropper = Callable[[Photo, Size], Window]


@dataclass(frozen=True, slots=True)
class Contender:
    """One way to choose a window; `is_quick`, when it can be asked of many photos."""

    name: str
    label: str
    crop: Cropper
    is_quick: bool = True


class Eye:
    """Imageplane's own way: what was seen in a photo is remembered, so that all shapes cost one look."""

    def __init__(self, models: Models | None) -> None:
        self.eyes = Eyes(models)

    def choice(self, photo: Photo, shape: Size) -> Choice:
        """Give the window with its reasons."""
        seen = self.eyes.look(upright(photo.path), str(photo.path))
        return choose(photo.size, shape, seen.sightings, seen.saliency)

    def crop(self, photo: Photo, shape: Size) -> Window:
        return self.choice(photo, shape).on(photo.size)


def contenders(models: Models, eye: Eye, scratch: Scratch | None, skipped: dict[str, str]) -> Mapping[str, Contender]:
    """Give every contender that can run here; why another can't is noted in `skipped`."""
    found = [
        Contender(CENTER, "center", lambda photo, shape: center(photo.size, shape)),
        Contender("entropy", "libvips entropy", _libvips("entropy")),
        Contender("attention", "libvips attention", _libvips("attention")),
        Contender(CLASSICAL, "Imageplane without weights", Eye(None).crop),
    ]
    if scratch is not None:
        found.append(Contender("smartcrop", "smartcrop (PyPI)", scratch.crop("smartcrop"), is_quick=False))
        found.append(Contender("thumbor", "thumbor's detectors", scratch.crop("thumbor"), is_quick=False))
    missing = {card.name for card in models.missing()} & {"yunet", "picodet"}
    if missing:
        skipped[OURS] = f"there are no weights of {' and '.join(sorted(missing))} (imageplane models pull)"
    else:
        found.append(Contender(OURS, "Imageplane", eye.crop))
    return {each.name: each for each in found}


def upright(path: Path) -> pyvips.Image:
    """Give a photo small, upright and in sRGB."""
    return pyvips.Image.thumbnail(str(path), _LONG_SIDE_IN_PX, height=_LONG_SIDE_IN_PX, size="down").colourspace("srgb")


def _libvips(interesting: str) -> Cropper:
    def crop(photo: Photo, shape: Size) -> Window:
        covering = scaled_size(photo.size, shape, "cover")
        image = pyvips.Image.thumbnail(str(photo.path), covering.width, height=covering.height, size="force")
        cut = image.copy_memory().smartcrop(*shape, interesting=interesting)
        return Window.on(photo.size, covering, -cut.xoffset, -cut.yoffset, shape)

    return crop
