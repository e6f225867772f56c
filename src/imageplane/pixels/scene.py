"""What a picture shows: who must be kept, and who only stands by."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from imageplane.pixels.figures import Figure, figures_of
from imageplane.pixels.sighting import Kind, Sighting

# A figure that draws half as much of an eye as the first is a subject too; less is a bystander, but not to a thing.
_PRIMARY: Final = 0.5
# What animals and things need at least to decide. It is also what one weighs beside all that draws the eye: a third.
_LEAST: Final = 0.07
_WEIGHT_OF_LEAST: Final = 0.35


@dataclass(frozen=True, slots=True)
class Scene:
    """What a picture shows.

    Takes: `subjects`, who must be kept, the most prominent first; `bystanders`, who are left over.
    """

    subjects: tuple[Figure, ...]
    bystanders: tuple[Figure, ...]

    @classmethod
    def of(cls, sightings: Sequence[Sighting], only: Kind | None = None) -> "Scene":
        """Give the scene of what was seen. Takes: `only`, the one kind that may be a subject, however small."""
        figures = figures_of(sightings, only)
        subjects = tuple(each for each in figures if _is_primary(each, figures) and (only or _decides(each)))
        return cls(subjects, tuple(each for each in figures if each not in subjects))

    @property
    def is_empty(self) -> bool:
        """Whether nobody and nothing was seen."""
        return not self.subjects and not self.bystanders

    @property
    def sightings(self) -> tuple[Sighting, ...]:
        """All that was taken into account, the subjects first."""
        return tuple(each for figure in (*self.subjects, *self.bystanders) for each in figure.sightings)

    @staticmethod
    def weight(bystander: Figure) -> float:
        """Give how much a bystander counts, where all that draws the eye counts 1."""
        return _WEIGHT_OF_LEAST * bystander.prominence / _LEAST


def _is_primary(figure: Figure, figures: Sequence[Figure]) -> bool:
    rivals = figures if figure.kind == "object" else [each for each in figures if each.kind != "object"]
    return figure.prominence >= _PRIMARY * rivals[0].prominence


def _decides(figure: Figure) -> bool:
    return figure.kind in ("face", "person") or figure.prominence >= _LEAST
