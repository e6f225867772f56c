"""The pictures that users ask for, as requests on the wire."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from benchmarks.load.pictures import tail
from benchmarks.photos import Photo, find

Spec = dict[str, Any]

_LEAST_MEGAPIXELS, _MOST_MEGAPIXELS = 11.5, 14.5


@dataclass(frozen=True, slots=True)
class Job:
    """One kind of request. Takes: `title`, what it makes; `rounds`, how often it is measured on a photo."""

    name: str
    title: str
    spec: Spec
    rounds: int


def _crop(width: int, height: int, format_: str = "webp", quality: int = 85) -> list[Spec]:
    return [
        {"type": "smart_crop", "width_in_px": width, "height_in_px": height},
        {"type": "sharpen", "sigma": 0.5},
        {"type": "convert", "format": format_, "quality": quality},
    ]


def _after(width: int, height: int, operation: Spec) -> list[Spec]:
    size = {"type": "resize", "width_in_px": width, "height_in_px": height, "fit": "cover"}
    return [size, operation, {"type": "convert", "format": "webp", "quality": 85}]


_SIZES: Final = {"avatar": (200, 200), "card": (800, 600), "social": (1200, 630)}

JOBS: Final = {
    job.name: job
    for job in (
        *(
            Job(name, f"{size[0]}×{size[1]} smart_crop, sharpen, WebP", {"operations": _crop(*size)}, 6)
            for name, size in _SIZES.items()
        ),
        Job(
            "three",
            "these three of one upload",
            {"outputs": [{"name": name, "operations": _crop(*size)} for name, size in _SIZES.items()]},
            6,
        ),
        Job("avif", "800×600 smart_crop, sharpen, AVIF q60", {"operations": _crop(800, 600, "avif", 60)}, 4),
        Job(
            "cutout",
            "800×600, remove_background, WebP",
            {"operations": _after(800, 600, {"type": "remove_background"})},
            2,
        ),
        Job(
            "upscale",
            "256×256 to 512×512 by upscale, WebP",
            {"operations": _after(256, 256, {"type": "upscale", "factor": 2})},
            1,
        ),
    )
}


def photos_of_phones(folder: Path) -> list[Photo]:
    """Give the JPEGs of about 12 megapixels."""
    return [
        photo
        for photo in find(folder)
        if photo.kind.endswith("JPEG") and _LEAST_MEGAPIXELS <= photo.megapixels <= _MOST_MEGAPIXELS
    ]


class Uploads:
    """Bytes of photos, never the same twice, so that nothing is known of any before."""

    def __init__(self, paths: Sequence[Path]) -> None:
        self._files = [(path.read_bytes(), path.suffix) for path in paths]
        self._number = 0

    def next_of(self, index: int) -> bytes:
        """Give the photo of an index, with a number behind its end."""
        data, suffix = self._files[index % len(self._files)]
        self._number += 1
        return data + tail(suffix, self._number)

    @property
    def count(self) -> int:
        """How many photos there are."""
        return len(self._files)

    @property
    def mean_size_in_bytes(self) -> float:
        return sum(len(data) for data, _ in self._files) / len(self._files)
