"""What is promised of speed at equal quality, and whether a run keeps it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import simplejpeg

from benchmarks.figures import GROUPS, Figures
from benchmarks.jobs import JOBS
from benchmarks.peers import NAIVE, OURS, PEERS
from benchmarks.photos import Photo
from imageplane.codecs.jpeg import decode_jpeg

MOST_SSIM_LOST = 0.002
MOST_BYTES = 1.03


@dataclass(frozen=True, slots=True)
class Verdict:
    """One line: what is wanted, what was measured, whether that is enough."""

    wanted: str
    measured: str
    is_met: bool

    def __str__(self) -> str:
        return f"{'met' if self.is_met else 'NOT MET'}: {self.wanted}: {self.measured}"


# Job, peer, and how many times our CPU the peer must take at least.
_SPEEDS = (
    ("J1", "sharp", 1.25),
    ("J1", "pillow", 1.0),
    ("J1", "opencv", 1.0),
    ("J2", "sharp", 1.7),
    ("J5", "sharp", 2.2),
    ("J1P", "sharp", 2.0),
    ("J8", NAIVE, 5.0),
)
_QUALITIES = ("J1", "J2", "J3", "J4", "J5", "J7", "J1P")


def verdicts(figures: Figures, photos: Sequence[Photo]) -> Iterator[Verdict]:
    """Give every line that the run has figures for."""
    for group in GROUPS:
        for job, peer, least in _SPEEDS:
            lead = figures.lead(job, group, peer)
            if lead and not (job == "J8" and group == "baseline JPEGs"):
                wanted = f"{job} on {_named(group, job)}, at least {least:g}× {PEERS[peer].label}"
                yield Verdict(wanted, f"{lead}, {lead.count} photos", lead.median >= least)
        for job in _QUALITIES:
            yield from _equal_quality(figures, job, group)
    if figures.peers("J1P"):
        yield _same_pixels([photo for photo in photos if JOBS["J1P"].takes(photo)])


def _named(group: str, job: str) -> str:
    if job == "J1P":
        named = {"all photos": "progressive JPEGs", "photos made here": "baseline JPEGs made progressive"}
        return named.get(group, group)
    return group


def _equal_quality(figures: Figures, job: str, group: str) -> Iterator[Verdict]:
    size = figures.size_ratio(job, group, OURS)
    luma, rgb = (figures.ssim_gains(job, group, OURS, of) for of in ("luma", "rgb"))
    if not size or not luma:
        return
    medians = [float(np.median(list(gains.values()))) for gains in (luma, rgb)]
    worst = min(luma, key=lambda name: min(luma[name], rgb[name]))
    yield Verdict(
        f"{job} on {_named(group, job)}, SSIM at least Sharp's − {MOST_SSIM_LOST}",
        f"luma {medians[0]:+.4f}, RGB {medians[1]:+.4f}, worst {luma[worst]:+.4f} / {rgb[worst]:+.4f} on {worst}",
        min(medians) >= -MOST_SSIM_LOST,
    )
    wanted = f"{job} on {_named(group, job)}, at most {MOST_BYTES:g}× the bytes of Sharp"
    yield Verdict(wanted, str(size), size.median <= MOST_BYTES)


def _same_pixels(photos: Sequence[Photo]) -> Verdict:
    different = [photo.name for photo in photos if not _is_same(photo.path.read_bytes())]
    return Verdict(
        "1/8 decode of progressive JPEGs has the pixels of the plain decode",
        f"{len(photos) - len(different)} of {len(photos)} identical" + "".join(f", not {name}" for name in different),
        not different,
    )


def _is_same(data: bytes) -> bool:
    pixels, _ = decode_jpeg(data, 8)
    bands = "GRAY" if pixels.shape[2] == 1 else "RGB"
    plain = simplejpeg.decode_jpeg(data, bands, min_height=pixels.shape[0], min_width=pixels.shape[1])
    return np.array_equal(pixels, plain)
