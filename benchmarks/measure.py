"""The rounds: every job on every photo by every contender, interleaved and in random order."""

import random
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.contender import Answer, Contender
from benchmarks.jobs import Job
from benchmarks.peers import NAIVE, OURS
from benchmarks.photos import Photo
from benchmarks.reference import Quality, compare, references


@dataclass(slots=True)
class Cell:
    """One job on one photo by one contender.

    Takes: `cpu_in_ms`, one figure a round without the warm-up; `qualities`, one for each picture; `refused`, why there
    are no figures.
    """

    job: str
    photo: Photo
    peer: str
    cpu_in_ms: list[float] = field(default_factory=list)
    wall_in_ms: list[float] = field(default_factory=list)
    sizes_in_bytes: tuple[int, ...] = ()
    qualities: list[Quality] = field(default_factory=list)
    refused: str | None = None

    @property
    def bytes(self) -> int:
        return sum(self.sizes_in_bytes)

    def ssim(self, of: str) -> float | None:
        """Give the mean over the pictures. Takes: "luma" or "rgb"."""
        return statistics.fmean(getattr(quality, of) for quality in self.qualities) if self.qualities else None

    def add(self, answer: Answer, *, is_warm_up: bool) -> None:
        """Keep what one round gave."""
        self.refused = answer.refused
        self.sizes_in_bytes = answer.sizes_in_bytes
        if not answer.refused and not is_warm_up:
            self.cpu_in_ms.append(answer.cpu_in_ms)
            self.wall_in_ms.append(answer.wall_in_ms)


@dataclass(frozen=True, slots=True)
class Course:
    """How every job is run.

    Takes: `scratch`, an empty folder for the files of the warm-up; `tell`, called before every step.
    """

    contenders: Mapping[str, Contender]
    rounds: int
    scratch: Path
    tell: Callable[[str], None]

    def steps(self, job: Job, photos: Sequence[Photo]) -> int:
        """Give how many times `measure` will tell."""
        return len(photos) * (len(self._taking_part(job)) * (1 + self.rounds) + len(job.wanted))

    def measure(self, job: Job, photos: Sequence[Photo]) -> list[Cell]:
        """Do one job on all photos and compare what came out."""
        competing = self._taking_part(job)
        cells = {(photo, each): Cell(job.name, photo, each.peer.name) for photo in photos for each in competing}
        shuffled = random.Random(f"{job.name} of {len(photos)}")  # noqa: S311 - the same order in every run
        for number in range(1 + self.rounds):
            for photo in shuffled.sample(photos, len(photos)):
                for contender in shuffled.sample(competing, len(competing)):
                    self.tell(f"{job.name} · {photo.name} · {contender.peer.label}")
                    self._do(job, contender, cells[photo, contender], is_warm_up=number == 0)
        for photo in photos:
            self._judge(job, photo, [cells[photo, each] for each in competing])
        return list(cells.values())

    def _taking_part(self, job: Job) -> list[Contender]:
        # The naive plan is measured only where a job is about it.
        names = [name for name in self.contenders if (name in (OURS, NAIVE) if job.is_own else name != NAIVE)]
        return [self.contenders[name] for name in names]

    def _do(self, job: Job, contender: Contender, cell: Cell, *, is_warm_up: bool) -> None:
        # Who refuses once is not asked again.
        if not cell.refused:
            save = self._files(cell, len(job.wanted)) if is_warm_up else []
            cell.add(contender.do(job, cell.photo, save), is_warm_up=is_warm_up)

    def _files(self, cell: Cell, count: int) -> list[Path]:
        return [self.scratch / f"{cell.job}-{cell.photo.name}-{cell.peer}-{index}" for index in range(count)]

    def _judge(self, job: Job, photo: Photo, cells: Sequence[Cell]) -> None:
        for index, wanted in enumerate(job.wanted):
            self.tell(f"{job.name} · {photo.name} · comparing")
            right = references(photo.path, wanted)
            for cell in cells:
                if cell.refused is None:
                    path = self._files(cell, index + 1)[index]
                    cell.qualities.append(compare(path.read_bytes(), right, wanted))
                    path.unlink()
