"""The figures of a run over photos: shares kept, faces lost, the halves, the controls, and what is promised of them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from benchmarks.eval.croppers import CENTER, CLASSICAL, OURS
from benchmarks.eval.keeping import Kept
from benchmarks.eval.truth import SHAPES, Photo
from benchmarks.goals import Verdict
from imageplane.pixels.crop import Window

_LEAST_KEPT = {"1:1": 0.98, "1200×630": 0.96, "9:16": 0.95}
_MOST_FACES_LOST = 0.01
_MOST_WORSE_THAN_CENTER = 0.005


@dataclass(frozen=True, slots=True)
class Result:
    """One window of one contender, and what it keeps."""

    photo: Photo
    shape: str
    contender: str
    window: Window
    kept: Kept


@dataclass(frozen=True, slots=True)
class CropFigures:
    """All results, by contender."""

    results: Mapping[str, Sequence[Result]]

    def share(self, contender: str, shape: str, half: str = "AB") -> float:
        """Give the share of the primary subjects that is kept, of what could be."""
        return fmean(each.kept.share for each in self._of(contender, shape) if each.photo.half in half)

    def faces(self, contender: str, shape: str | None = None) -> tuple[int, int]:
        """Give how many faces are lost that some window keeps, and how many there are."""
        results = [each for name in SHAPES for each in self._of(contender, name) if shape in (None, name)]
        return sum(each.kept.faces_lost for each in results), sum(each.kept.faces for each in results)

    def over_center(self, contender: str, shape: str) -> float | None:
        """Give what is kept more than by the center where the center is fine, or None when there is no such photo."""
        fine = [each for each in self._of(contender, shape) if each.photo.is_control]
        centers = {each.photo.path: each.kept.share for each in self._of(CENTER, shape)}
        return fmean(each.kept.share - centers[each.photo.path] for each in fine) if fine else None

    def verdicts(self) -> Iterator[Verdict]:
        """Give every line that the run has figures for."""
        if OURS in self.results:
            for shape, least in _LEAST_KEPT.items():
                share = self.share(OURS, shape)
                yield Verdict(f"{shape}, at least {least:.0%} kept", f"{share:.1%}", share >= least)
            lost, faces = self.faces(OURS)
            wanted = f"at most {_MOST_FACES_LOST:.0%} of faces lost that some window keeps"
            yield Verdict(wanted, f"{lost} of {faces}", lost <= _MOST_FACES_LOST * faces)
            for shape in SHAPES:
                yield from self._controls(shape)
        for shape in SHAPES:
            share, center = self.share(CLASSICAL, shape), self.share(CENTER, shape)
            wanted = f"{shape} without weights, nowhere worse than the center"
            yield Verdict(wanted, f"{share:.1%} against {center:.1%}", share >= center)

    def _controls(self, shape: str) -> Iterator[Verdict]:
        more = self.over_center(OURS, shape)
        if more is not None:
            wanted = f"{shape} where the center is fine, at most {_MOST_WORSE_THAN_CENTER:.1%} worse"
            yield Verdict(wanted, f"{more:+.1%}", more >= -_MOST_WORSE_THAN_CENTER)

    def _of(self, contender: str, shape: str) -> list[Result]:
        return [each for each in self.results[contender] if each.shape == shape]
