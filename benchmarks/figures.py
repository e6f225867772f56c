"""Cells to figures: medians over rounds, then over photos, with quartiles."""

import statistics
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from benchmarks.measure import Cell
from benchmarks.peers import OURS
from benchmarks.photos import Photo

GROUPS = {
    "baseline JPEGs": lambda photo: photo.kind == "baseline JPEG",
    "all photos": lambda photo: not photo.is_made,
    "photos made here": lambda photo: photo.is_made,
}


@dataclass(frozen=True, slots=True)
class Spread:
    """A median with its quartiles over so many photos."""

    median: float
    lower: float
    upper: float
    count: int

    @classmethod
    def of(cls, values: Sequence[float]) -> "Spread | None":
        """Give the spread of some values, or None of none."""
        if not values:
            return None
        lower, median, upper = (
            statistics.quantiles(values, n=4, method="inclusive") if len(values) > 1 else [*values] * 3
        )
        return cls(median, lower, upper, len(values))

    def __str__(self) -> str:
        return f"{self.median:.2f} ({self.lower:.2f}–{self.upper:.2f})"


class Figures:
    """All cells of a run, and what is asked of them."""

    def __init__(self, cells: Iterable[Cell]) -> None:
        self.cells = {(cell.job, cell.photo.name, cell.peer): cell for cell in cells}

    def photos(self, job: str, group: str) -> list[Photo]:
        """Give the photos of a job that belong to a group."""
        found = {cell.photo.name: cell.photo for cell in self.cells.values() if cell.job == job}
        return [photo for photo in found.values() if GROUPS[group](photo)]

    def peers(self, job: str) -> list[str]:
        """Give who took part in a job."""
        return list(dict.fromkeys(cell.peer for cell in self.cells.values() if cell.job == job))

    def cell(self, job: str, photo: Photo, peer: str) -> Cell | None:
        """Give one cell, or None where the peer gave no figures."""
        cell = self.cells.get((job, photo.name, peer))
        return cell if cell and cell.cpu_in_ms else None

    def cpu(self, job: str, group: str, peer: str) -> Spread | None:
        """Give milliseconds of CPU a photo."""
        cells = (self.cell(job, photo, peer) for photo in self.photos(job, group))
        return Spread.of([statistics.median(cell.cpu_in_ms) for cell in cells if cell])

    def lead(self, job: str, group: str, peer: str) -> Spread | None:
        """Give how many times the CPU of Imageplane a peer takes, over the photos that both can do."""
        leads = [self.lead_on(job, photo, peer) for photo in self.photos(job, group)]
        return Spread.of([lead for lead in leads if lead is not None])

    def lead_on(self, job: str, photo: Photo, peer: str) -> float | None:
        """Give the same for one photo: the median over the rounds of the ratio within a round."""
        ours, theirs = self.cell(job, photo, OURS), self.cell(job, photo, peer)
        if ours is None or theirs is None:
            return None
        return statistics.median(b / a for a, b in zip(ours.cpu_in_ms, theirs.cpu_in_ms, strict=True))

    def ssim(self, job: str, group: str, peer: str, of: str) -> Spread | None:
        """Give the similarity to the reference."""
        cells = (self.cell(job, photo, peer) for photo in self.photos(job, group))
        return Spread.of([value for cell in cells if cell and (value := cell.ssim(of)) is not None])

    def ssim_gains(self, job: str, group: str, peer: str, of: str) -> dict[str, float]:
        """Give by how much the similarity of a peer is above that of Sharp, by photo."""
        return {
            photo.name: (one.ssim(of) or 0) - (other.ssim(of) or 0)
            for photo, one, other in self._beside_sharp(job, group, peer)
            if one.qualities and other.qualities
        }

    def size_ratio(self, job: str, group: str, peer: str) -> Spread | None:
        """Give how many times the bytes of Sharp's files those of a peer have."""
        return Spread.of([one.bytes / other.bytes for _, one, other in self._beside_sharp(job, group, peer)])

    def _beside_sharp(self, job: str, group: str, peer: str) -> Iterator[tuple[Photo, Cell, Cell]]:
        for photo in self.photos(job, group):
            one, other = self.cell(job, photo, peer), self.cell(job, photo, "sharp")
            if one and other:
                yield photo, one, other

    def refusals(self) -> dict[str, dict[str, list[str]]]:
        """Give what each peer could not do: peer, reason, photos."""
        found: dict[str, dict[str, list[str]]] = {}
        for cell in self.cells.values():
            if cell.refused:
                names = found.setdefault(cell.peer, {}).setdefault(cell.refused, [])
                name = f"{cell.job}" if cell.refused.startswith("has no") else cell.photo.name
                if name not in names:
                    names.append(name)
        return found
