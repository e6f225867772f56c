"""What is measured: every job once, as operations of Imageplane and as what a peer must make."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from benchmarks.photos import Photo

HUGE_MEGAPIXELS = 20.0
LARGE_PNG_MEGAPIXELS = 8.0


@dataclass(frozen=True, slots=True)
class Wanted:
    """One picture: scaled and cut to exactly this size, upright, sRGB, without metadata."""

    width_in_px: int
    height_in_px: int
    format: str
    quality: int
    sigma: float | None = None

    @property
    def operations(self) -> list[dict[str, Any]]:
        """The same as operations on the wire."""
        size = {"width_in_px": self.width_in_px, "height_in_px": self.height_in_px}
        sharpen = [] if self.sigma is None else [{"type": "sharpen", "sigma": self.sigma}]
        return [
            {"type": "resize", **size, "fit": "cover"},
            *sharpen,
            {"type": "convert", "format": self.format, "quality": self.quality},
        ]


@dataclass(frozen=True, slots=True)
class Job:
    """One row of the tables.

    Takes: `wanted`, what every contender makes of one upload; `takes`, which photos it is done on; `operations`, when
    the request says more than `wanted` can; then only Imageplane does it, planned and naive.
    """

    name: str
    title: str
    wanted: tuple[Wanted, ...]
    takes: Callable[[Photo], bool]
    operations: tuple[dict[str, Any], ...] | None = None

    @property
    def is_own(self) -> bool:
        """Whether only Imageplane can be asked."""
        return self.operations is not None

    @property
    def requests(self) -> list[list[dict[str, Any]]]:
        """The operations of every output."""
        return [list(self.operations)] if self.operations else [wanted.operations for wanted in self.wanted]


def _as_it_came(photo: Photo) -> bool:
    return not photo.is_made


def _progressive(photo: Photo) -> bool:
    return photo.kind == "progressive JPEG"


def _large_png(photo: Photo) -> bool:
    return photo.kind == "PNG" and photo.megapixels >= LARGE_PNG_MEGAPIXELS


def _huge_jpeg(photo: Photo) -> bool:
    return photo.kind.endswith("JPEG") and photo.megapixels >= HUGE_MEGAPIXELS and not photo.is_made


_AVATAR = Wanted(200, 200, "webp", 80)
_PHOTO = Wanted(800, 600, "webp", 85, sigma=0.5)
_CARD = Wanted(1200, 630, "webp", 85, sigma=0.5)
_SHARP_AVATAR = Wanted(200, 200, "webp", 80, sigma=0.5)

_SEVERAL_OPERATIONS: tuple[dict[str, Any], ...] = (
    {"type": "flop"},
    {"type": "grayscale"},
    {"type": "resize", "width_in_px": 400, "height_in_px": 300, "fit": "cover"},
    {"type": "sharpen", "sigma": 0.5},
    {"type": "convert", "format": "webp", "quality": 80},
)

JOBS: dict[str, Job] = {
    job.name: job
    for job in (
        Job("J1", "200×200 cover, WebP q80", (_AVATAR,), _as_it_came),
        Job("J2", "800×600 cover, sharpen 0.5, WebP q85", (_PHOTO,), _as_it_came),
        Job("J3", "1200×630 cover, sharpen 0.5, WebP q85", (_CARD,), _as_it_came),
        Job("J4", "150×150 cover, JPEG q75", (Wanted(150, 150, "jpeg", 75),), _as_it_came),
        Job("J5", "200×200, 800×600 and 1200×630 of one upload", (_SHARP_AVATAR, _PHOTO, _CARD), _as_it_came),
        Job("J6", "800×600 cover, AVIF q60", (Wanted(800, 600, "avif", 60),), _as_it_came),
        Job("J7", "large PNG, 400×300 cover, WebP q80", (Wanted(400, 300, "webp", 80),), _large_png),
        Job("J1P", "J1 on progressive JPEGs", (_AVATAR,), _progressive),
        Job("J8", "flop, grayscale, 400×300, sharpen, WebP q80", (), _huge_jpeg, _SEVERAL_OPERATIONS),
    )
}
