"""Who and what stands in a picture: sightings put together into figures that a crop should keep."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from heapq import nlargest
from typing import Final

from imageplane.pixels.sighting import Box, Kind, Sighting

# What a figure of this kind is worth beside a person of the same size, certainty and place.
_WORTH: Final[dict[Kind, float]] = {"face": 1.0, "person": 1.0, "animal": 0.8, "object": 0.35}
# What one sits at, lies on, stands before or wears is seldom what a picture is about.
_SETTING: Final = frozenset(
    ("bench", "chair", "couch", "bed", "dining table", "toilet", "tv", "sink", "oven", "refrigerator", "tie", "skis")
)
_SETTING_WORTH: Final = 0.1

# A face is believed sooner where a person was seen too.
_SURE_FACE: Final = 0.7
_CONFIRMED_FACE: Final = 0.5
_SURE: Final = 0.5
# An animal that is less certain than this may be what a surer one sits on.
_UNDOUBTED: Final = 0.7
# More overlap than this, and two boxes are one animal, or one person.
_TWINS: Final = 0.5
# A box that lies in another one by more than this is in it.
_INSIDE: Final = 0.7
# Near enough to the upper edge of the picture to be cut by it.
_EDGE: Final = 0.01
# Ears and plumes that the box of an animal leaves out, as a share of its height.
_CROWN: Final = 0.02
# Of a crowd the largest are enough.
_MOST_SIGHTINGS: Final = 64
_MOST_FIGURES: Final = 24


@dataclass(frozen=True, slots=True)
class Figure:
    """Someone or something that a crop should keep.

    Takes: `sightings` that it was put together from; `face`, where there is one; `head`, with hair, or what stands for
    it; `whole`, the body; each lies in the next. `lives`, whether what is at the top is dearer than the rest.
    `prominence`, how much of an eye it draws, 0 to 1.
    """

    sightings: tuple[Sighting, ...]
    kind: Kind
    face: Box | None
    head: Box
    whole: Box
    lives: bool
    prominence: float


def figures_of(sightings: Sequence[Sighting], only: Kind | None = None) -> list[Figure]:
    """Give who and what a picture shows, the most prominent first, and no more than two dozen.

    Takes: `only`, the one kind to look for; a person with a face is one of each.
    Method: a face and the person whose head it can be are one figure. A face box ends at the forehead, so the head is
    estimated from it, and reaches up to where the person does. Prominence is the worth of the kind, times confidence
    squared, times the square root of the area, times nearness to the middle.
    """
    wanted = [
        each for each in sightings if each.box.area > 0 and (only not in ("animal", "object") or each.kind == only)
    ]
    seen = nlargest(_MOST_SIGHTINGS, wanted, key=lambda each: each.confidence**2 * each.box.area)
    sure = [each for each in seen if each.confidence >= _SURE]
    people = [each for each in sure if each.kind == "person"]
    animals = _without_twins([each for each in sure if each.kind == "animal"])
    owners = _owners([each for each in seen if each.kind == "face" and each.confidence >= _CONFIRMED_FACE], people)
    figures = [_with_face(face, owner) for face, owner in owners if owner or _stands_alone(face, animals)]
    taken = [owner for _, owner in owners if owner]
    figures += [_without_face(each) for each in people if each not in taken and not _is_seen(each, figures)]
    figures += [_animal(each) for each in animals]
    figures += [_figure((thing,), "object", thing.box, lives=False) for thing in _things(sure, figures)]
    fine = [each for each in figures if only in (None, each.kind) or (only == "person" and each.face)]
    return sorted(fine, key=lambda figure: -round(figure.prominence, 9))[:_MOST_FIGURES]


def _owners(faces: Sequence[Sighting], people: Sequence[Sighting]) -> list[tuple[Sighting, Sighting | None]]:
    """Give every face with the person that it belongs to; nobody has two."""
    pairs: list[tuple[Sighting, Sighting | None]] = []
    for face in faces:
        taken = [owner for _, owner in pairs]
        pairs.append((face, _owner(face, [person for person in people if person not in taken])))
    return pairs


def _stands_alone(face: Sighting, animals: Sequence[Sighting]) -> bool:
    """Tell whether a face is one though no person was seen around it: it may be an animal's."""
    return face.confidence >= _SURE_FACE and not any(face.box.lies_in(animal.box) > _INSIDE for animal in animals)


def _owner(face: Sighting, people: Sequence[Sighting]) -> Sighting | None:
    """Give the person whose head this face can be: the smallest one that has it across, and in the upper half."""
    across, down = face.box.left + face.box.width / 2, face.box.top + face.box.height / 2
    able = [
        person
        for person in people
        if person.box.left <= across <= person.box.right
        and person.box.top - face.box.height / 2 <= down <= person.box.top + 0.6 * person.box.height
    ]
    return min(able, key=lambda person: person.box.area, default=None)


def _with_face(face: Sighting, owner: Sighting | None) -> Figure:
    box = face.box
    head = box.grown(0.3, 0.5, 0.3, 0.25)
    if owner is None:
        return _figure(
            (face,), "face", box.grown(1.0, 0.5, 1.0, 4.5), lives=True, face=box, head=head, area=18 * box.area
        )
    # Hats and high hair: the person reaches higher than a head should.
    if head.top - 0.15 * head.height < owner.box.top < box.top:
        head = Box.between(head.left, owner.box.top, head.right, head.bottom)
    return _figure((face, owner), "face", owner.box.joined(head), lives=True, face=box, head=head)


def _without_face(person: Sighting) -> Figure:
    box = person.box
    if box.top < _EDGE:
        # Hands, legs, a back: the head is not in the picture.
        return _figure((person,), "person", box, lives=False, worth=_WORTH["object"])
    upper = Box.between(box.left, box.top, box.right, box.top + box.height / 2)
    return _figure((person,), "person", box, lives=True, head=upper)


def _animal(sighting: Sighting) -> Figure:
    # A photographer cuts off a back sooner than a head: what is cut at the top has its head anywhere.
    is_cut = sighting.box.top < _EDGE
    return _figure((sighting,), "animal", sighting.box.grown(0, _CROWN, 0, 0), lives=not is_cut)


def _is_seen(person: Sighting, figures: Sequence[Figure]) -> bool:
    """Tell whether a person is another box around someone whose face was seen."""
    return any(
        figure.whole.overlap(person.box) > _TWINS
        or (figure.whole.lies_in(person.box) > 0.85 and figure.head.lies_in(person.box) > 0.8)
        for figure in figures
    )


def _things(sure: Sequence[Sighting], figures: Sequence[Figure]) -> Iterator[Sighting]:
    """Give the objects that nobody holds or wears."""
    people = [figure.whole for figure in figures if figure.kind in ("face", "person")]
    for each in sure:
        if each.kind == "object" and not any(each.box.lies_in(person) > _INSIDE for person in people):
            yield each


def _without_twins(sightings: Sequence[Sighting]) -> list[Sighting]:
    kept: list[Sighting] = []
    for each in sorted(sightings, key=lambda each: -each.confidence):
        if not any(_is_twin(each, surer) for surer in kept):
            kept.append(each)
    return kept


def _is_twin(animal: Sighting, surer: Sighting) -> bool:
    """Tell whether a box is around the same animal as a surer one, or around that and the rock it sits on."""
    is_doubtful = animal.confidence < _UNDOUBTED
    return animal.box.overlap(surer.box) > _TWINS or (is_doubtful and surer.box.lies_in(animal.box) > _INSIDE)


def _figure(  # noqa: PLR0913 - as many as a figure has sides
    sightings: tuple[Sighting, ...],
    kind: Kind,
    whole: Box,
    *,
    lives: bool,
    face: Box | None = None,
    head: Box | None = None,
    worth: float | None = None,
    area: float | None = None,
) -> Figure:
    first = sightings[0]
    if worth is None:
        worth = _SETTING_WORTH if first.label in _SETTING else _WORTH[kind]
    prominence = worth * first.confidence**2 * (area or whole.area) ** 0.5 * _nearness(face or whole)
    return Figure(sightings, kind, face, head or whole, whole, lives, prominence)


def _nearness(box: Box) -> float:
    """Give 1 for the middle of the picture and ½ for its edges."""
    return 1 - max(abs(box.left + box.width / 2 - 0.5), abs(box.top + box.height / 2 - 0.5))
