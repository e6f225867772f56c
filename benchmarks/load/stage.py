"""What every part of a load finds set up, and what it hands back."""

import contextlib
import hashlib
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from rich.progress import Progress

from benchmarks.goals import Verdict
from benchmarks.load.picture_server import PictureServer, serving_pictures
from benchmarks.load.pictures import Picture, opened
from benchmarks.load.server import EVIDENCE
from benchmarks.photos import DEFAULT_FOLDER, find


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much is done: requests of the spike, connections at a time, and so on."""

    requests: int = 10_000
    connections: int = 1000
    rounds: int = 3
    lap_in_s: float = 4.0
    flood_in_s: float = 20.0
    peer_requests: int = 1000
    peer_patience_in_s: float = 60.0
    soak: int = 50_000


@dataclass(frozen=True, slots=True)
class Stage:
    """Pictures, a server that has them too, a folder for scratch and a place to show progress.

    Takes: `large`, photos of cameras; `small`, others.
    """

    scratch: Path
    large: Sequence[Picture]
    small: Sequence[Picture]
    picture_server: PictureServer
    progress: Progress
    sizes: Sizes

    @property
    def evidence(self) -> Path:
        """Where wrong pictures are kept, with what they should have been like."""
        return EVIDENCE

    def folder(self, name: str) -> Path:
        """Give a new folder."""
        return Path(tempfile.mkdtemp(prefix=f"{name}-", dir=self.scratch))


@dataclass(frozen=True, slots=True)
class Part:
    """What one part of a load found.

    Takes: `figures`, all of them as plain values; `lines` of Markdown; `verdicts` on goals; `faults`, what may never
    happen and did.
    """

    name: str
    title: str
    figures: Mapping[str, Any]
    lines: Sequence[str]
    verdicts: Sequence[Verdict] = ()
    faults: Sequence[str] = field(default=())


@contextlib.contextmanager
def set_up(folders: Sequence[Path], progress: Progress, sizes: Sizes) -> Iterator[Stage]:
    """Make the stage; the first folder has the photos of cameras."""
    with tempfile.TemporaryDirectory() as scratch, contextlib.ExitStack() as stack:
        found = [[photo.path for photo in find(folder)] for folder in folders]
        paths = list({hashlib.sha256(path.read_bytes()).digest(): path for paths in found for path in paths}.values())
        progress.console.print(f"{len(paths)} pictures are made ready")
        pictures = stack.enter_context(opened(paths, Path(scratch)))
        large = [picture for picture in pictures if picture.path.parent == folders[0]]
        small = [picture for picture in pictures if picture.path.parent != folders[0]]
        server = stack.enter_context(serving_pictures(pictures))
        yield Stage(Path(scratch), large, small or large, server, progress, sizes)


def default_folders() -> list[Path]:
    """Give the folders beside the checkout, where they exist."""
    return [folder for folder in (DEFAULT_FOLDER, DEFAULT_FOLDER.with_name("subject")) if folder.is_dir()]


def percentiles_in_ms(values_in_s: Sequence[float]) -> dict[str, float]:
    """Give p50, p95, p99 and the most, in ms."""
    if not values_in_s:
        return {}
    found = np.percentile(values_in_s, (50, 95, 99, 100)) * 1000
    return {name: round(float(value), 1) for name, value in zip(("p50", "p95", "p99", "most"), found, strict=True)}


def table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> list[str]:
    """Give the lines of a Markdown table."""
    lines = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    return [*lines, *(f"| {' | '.join(_cell(cell) for cell in row)} |" for row in rows), ""]


def _cell(value: object) -> str:
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
    return "–" if value is None else f"{value:,}" if isinstance(value, int) else str(value)
