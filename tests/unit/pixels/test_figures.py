"""Sightings put together into figures."""

import pytest

from imageplane.pixels.figures import figures_of
from imageplane.pixels.sighting import Box, Kind, Sighting


def seen(kind: Kind, *edges: float, confidence: float = 0.9, label: str = "") -> Sighting:
    left, top, right, bottom = edges
    return Sighting(kind, label or kind, confidence, Box(left, top, right - left, bottom - top))


FACE, PERSON = seen("face", 0.4, 0.2, 0.5, 0.35), seen("person", 0.3, 0.15, 0.6, 0.95)


def test_a_face_and_its_person_are_one_figure() -> None:
    (figure,) = figures_of([PERSON, FACE])
    assert figure.sightings == (FACE, PERSON)
    assert figure.kind == "face"
    assert figure.face == FACE.box
    assert figure.face.lies_in(figure.head) == pytest.approx(1)
    assert figure.head.lies_in(figure.whole) == pytest.approx(1)


def test_of_two_people_the_smaller_one_around_the_face_owns_it() -> None:
    crowd = seen("person", 0.0, 0.1, 1.0, 1.0)
    owner = next(figure for figure in figures_of([crowd, PERSON, FACE]) if figure.face)
    assert owner.sightings == (FACE, PERSON)


def test_a_face_at_the_feet_of_a_person_is_somebody_elses() -> None:
    low = seen("face", 0.4, 0.80, 0.5, 0.93)
    assert {figure.sightings for figure in figures_of([PERSON, low])} == {(PERSON,), (low,)}


def test_a_head_is_larger_than_its_face_most_of_all_upwards() -> None:
    (figure,) = figures_of([FACE])
    above, below = FACE.box.top - figure.head.top, figure.head.bottom - FACE.box.bottom
    assert above > below > 0


@pytest.mark.parametrize(("confidence", "with_person", "is_seen"), [(0.6, True, True), (0.6, False, False)])
def test_an_uncertain_face_needs_a_person_around_it(confidence: float, with_person: bool, is_seen: bool) -> None:
    unsure = Sighting("face", "face", confidence, FACE.box)
    figures = figures_of([unsure, PERSON] if with_person else [unsure])
    assert any(figure.face for figure in figures) is is_seen


def test_a_face_on_an_animal_is_the_animals() -> None:
    dog = seen("animal", 0.3, 0.1, 0.7, 0.9, label="dog")
    assert [figure.kind for figure in figures_of([dog, FACE])] == ["animal"]


def test_a_second_box_around_the_same_person_is_no_second_person() -> None:
    again = seen("person", 0.31, 0.16, 0.62, 0.97, confidence=0.6)
    assert len(figures_of([FACE, PERSON, again])) == 1


def test_what_may_be_a_cow_or_a_horse_is_one_animal() -> None:
    horse, cow = (
        seen("animal", 0.2, 0.2, 0.6, 0.8, label="horse"),
        seen("animal", 0.21, 0.2, 0.6, 0.82, label="cow", confidence=0.8),
    )
    assert [figure.sightings for figure in figures_of([horse, cow])] == [(horse,)]


@pytest.mark.parametrize(("confidence", "animals"), [(0.6, 1), (0.75, 2)])
def test_an_uncertain_animal_around_a_surer_one_is_the_rock_it_sits_on(confidence: float, animals: int) -> None:
    bird = seen("animal", 0.4, 0.1, 0.5, 0.3, label="bird")
    rock = seen("animal", 0.2, 0.1, 0.8, 0.9, label="bird", confidence=confidence)
    assert len(figures_of([rock, bird])) == animals


def test_legs_without_a_head_are_worth_as_much_as_a_thing() -> None:
    whole, cut = seen("person", 0.3, 0.1, 0.6, 0.9), seen("person", 0.3, 0.0, 0.6, 0.8)
    (standing,), (legs,) = figures_of([whole]), figures_of([cut])
    assert standing.lives
    assert not legs.lives
    assert legs.prominence < standing.prominence / 2


def test_what_a_person_holds_is_not_a_figure() -> None:
    phone = seen("object", 0.45, 0.5, 0.5, 0.6, label="cell phone")
    assert len(figures_of([FACE, PERSON, phone])) == 1
    assert [figure.sightings for figure in figures_of([FACE, PERSON, phone], "object")] == [(phone,)]


def test_furniture_is_worth_less_than_what_stands_on_it() -> None:
    table = seen("object", 0.0, 0.4, 1.0, 1.0, label="dining table")
    cake = seen("object", 0.4, 0.3, 0.7, 0.6, label="cake")
    assert [figure.sightings for figure in figures_of([table, cake])] == [(cake,), (table,)]


@pytest.mark.parametrize("kind", ["person", "animal", "object"])
def test_what_is_hardly_seen_is_not_a_figure(kind: Kind) -> None:
    assert figures_of([seen(kind, 0.2, 0.2, 0.7, 0.9, confidence=0.4)]) == []


def test_prominence_grows_with_size_certainty_and_nearness_to_the_middle() -> None:
    def prominence(*edges: float, confidence: float = 0.9) -> float:
        return figures_of([seen("animal", *edges, confidence=confidence)])[0].prominence

    plain = prominence(0.4, 0.4, 0.6, 0.6)
    assert prominence(0.3, 0.3, 0.7, 0.7) > plain
    assert prominence(0.4, 0.4, 0.6, 0.6, confidence=0.7) < plain
    assert prominence(0.0, 0.4, 0.2, 0.6) < plain


def test_a_crowd_is_cut_off_at_two_dozen_the_most_prominent_kept() -> None:
    crowd = [seen("face", x / 50, 0.1, x / 50 + 0.01, 0.1 + (x + 1) / 100) for x in range(40)]
    figures = figures_of(crowd)
    assert len(figures) == 24
    assert figures == sorted(figures, key=lambda figure: -figure.prominence)
