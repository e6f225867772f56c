"""Windows that a person would choose, in small drawn scenes."""

import numpy as np
import pytest

from imageplane.pixels.composition import Choice, choose
from imageplane.pixels.crop import Window
from imageplane.pixels.geometry import Size
from imageplane.pixels.sighting import Box, Kind, Sighting

LANDSCAPE, PORTRAIT, SQUARE = Size(1500, 1000), Size(1000, 1500), Size(500, 500)
STORY, BANNER = Size(540, 960), Size(1200, 400)


def seen(kind: Kind, *edges: float, confidence: float = 0.9, label: str = "") -> Sighting:
    left, top, right, bottom = edges
    return Sighting(kind, label or kind, confidence, Box(left, top, right - left, bottom - top))


def cuts(choice: Choice, sighting: Sighting) -> bool:
    return not shows(choice, sighting) and sighting.box.shared(choice.window) > 1e-9


def shows(choice: Choice, sighting: Sighting) -> bool:
    return sighting.box.lies_in(choice.window) > 1 - 1e-6


def test_a_face_at_the_edge_is_kept_and_has_air_around_it() -> None:
    face = seen("face", 0.02, 0.3, 0.10, 0.45)
    choice = choose(LANDSCAPE, STORY, [face])
    assert choice.rule == "face"
    assert shows(choice, face)
    assert choice.window.left == pytest.approx(0, abs=0.02)


def test_a_lone_face_with_room_on_both_sides_touches_no_edge() -> None:
    face = seen("face", 0.70, 0.3, 0.78, 0.45)
    window = choose(LANDSCAPE, STORY, [face]).window
    assert face.box.left - window.left > face.box.width / 2
    assert window.right - face.box.right > face.box.width / 2


def test_hair_and_air_are_left_above_a_face() -> None:
    face = seen("face", 0.4, 0.30, 0.5, 0.39)
    window = choose(PORTRAIT, BANNER, [face]).window
    assert face.box.top - window.top >= 0.6 * face.box.height
    assert window.bottom > face.box.bottom


def test_a_hat_is_part_of_the_head() -> None:
    face, person = seen("face", 0.40, 0.30, 0.52, 0.40), seen("person", 0.3, 0.23, 0.7, 1.0)
    choice = choose(PORTRAIT, BANNER, [face, person])
    assert choice.window.top <= person.box.top


def test_a_standing_person_keeps_the_head_before_the_legs() -> None:
    person = seen("person", 0.35, 0.2, 0.65, 0.95)
    window = choose(PORTRAIT, BANNER, [person]).window
    assert window.top <= person.box.top + 0.01
    assert window.bottom < person.box.bottom


def test_a_tall_animal_keeps_its_upper_part() -> None:
    giraffe = seen("animal", 0.3, 0.1, 0.7, 0.95)
    window = choose(PORTRAIT, BANNER, [giraffe]).window
    assert window.top <= giraffe.box.top


def test_a_wide_animal_is_shown_where_its_upper_part_draws_the_eye() -> None:
    lizard, saliency = seen("animal", 0.05, 0.4, 0.95, 0.7), np.zeros((20, 30))
    saliency[8, 24:27] = 1
    there = choose(LANDSCAPE, STORY, [lizard], lambda: saliency).window
    elsewhere = choose(LANDSCAPE, STORY, [lizard], lambda: saliency[:, ::-1]).window
    assert there.left > elsewhere.left


def test_an_animal_that_the_picture_cuts_at_the_top_may_have_its_head_anywhere() -> None:
    heron = seen("animal", 0.1, 0.0, 0.9, 0.95)
    window = choose(PORTRAIT, BANNER, [heron]).window
    assert window.top + window.height / 2 == pytest.approx(0.5, abs=0.1)


def test_a_face_larger_than_every_window_is_shown_around_eyes_and_mouth() -> None:
    face = seen("face", 0.2, 0.1, 0.8, 0.45)
    window = choose(PORTRAIT, BANNER, [face]).window
    eyes, mouth = face.box.top + 0.4 * face.box.height, face.box.top + 0.75 * face.box.height
    assert window.top < eyes
    assert window.bottom > mouth


def test_a_group_that_fits_stays_together() -> None:
    group = [seen("face", left, 0.3, left + 0.08, 0.42) for left in (0.25, 0.45, 0.68)]
    choice = choose(LANDSCAPE, SQUARE, group)
    assert all(shows(choice, face) for face in group)


def test_of_a_group_that_does_not_fit_the_largest_face_is_whole_and_none_is_cut() -> None:
    small, large = seen("face", 0.05, 0.3, 0.13, 0.42), seen("face", 0.8, 0.25, 0.92, 0.45)
    choice = choose(LANDSCAPE, STORY, [small, large])
    assert shows(choice, large)
    assert not cuts(choice, small)


def test_two_heads_that_hardly_fit_lose_hair_alike() -> None:
    left, right = seen("face", 0.20, 0.3, 0.30, 0.45), seen("face", 0.70, 0.3, 0.80, 0.45)
    window = choose(LANDSCAPE, SQUARE, [left, right]).window
    assert left.box.left - window.left == pytest.approx(window.right - right.box.right, abs=0.02)


def test_of_two_faces_cheek_to_cheek_no_eyes_are_lost() -> None:
    upper, lower = seen("face", 0.5, 0.30, 0.8, 0.50), seen("face", 0.25, 0.43, 0.55, 0.63, confidence=0.95)
    for faces in ([upper, lower], [lower, upper]):
        window = choose(PORTRAIT, Size(1000, 450), faces).window
        assert window.top <= upper.box.top + 1e-6
        assert window.bottom >= lower.box.top + 0.5 * lower.box.height


def test_a_face_that_need_not_be_cut_is_not_cut_for_the_eyes_of_another() -> None:
    near, far = seen("face", 0.3, 0.50, 0.6, 0.70, confidence=0.95), seen("face", 0.4, 0.25, 0.6, 0.38)
    choice = choose(PORTRAIT, Size(1000, 550), [near, far])
    assert shows(choice, near)
    assert not cuts(choice, far)


def test_passers_by_do_not_pull_at_the_subject() -> None:
    person, face = seen("person", 0.1, 0.2, 0.35, 1.0), seen("face", 0.18, 0.25, 0.27, 0.40)
    far = seen("face", 0.95, 0.3, 0.97, 0.33)
    alone, together = choose(LANDSCAPE, STORY, [person, face]), choose(LANDSCAPE, STORY, [person, face, far])
    assert alone.window == together.window
    assert far in together.subjects


def test_a_person_comes_before_a_dog_of_the_same_size() -> None:
    person, dog = seen("person", 0.02, 0.3, 0.22, 0.8), seen("animal", 0.78, 0.3, 0.98, 0.8)
    choice = choose(LANDSCAPE, STORY, [dog, person])
    assert shows(choice, person)
    assert choice.rule == "person"


def test_a_large_dog_comes_before_people_far_behind() -> None:
    dog, people = seen("animal", 0.05, 0.3, 0.42, 1.0), [seen("person", x, 0.2, x + 0.03, 0.3) for x in (0.8, 0.9)]
    choice = choose(LANDSCAPE, STORY, [*people, dog])
    assert choice.rule == "animal"
    assert shows(choice, dog)


def test_an_animal_comes_before_an_object() -> None:
    dog, cup = seen("animal", 0.02, 0.3, 0.22, 0.8), seen("object", 0.78, 0.3, 0.98, 0.8, label="cup")
    choice = choose(LANDSCAPE, STORY, [cup, dog])
    assert choice.rule == "animal"
    assert shows(choice, dog)


def test_a_small_object_leaves_the_choice_to_what_draws_the_eye() -> None:
    cup, saliency = seen("object", 0.02, 0.4, 0.05, 0.45, confidence=0.5, label="cup"), np.zeros((10, 15))
    saliency[3:6, 11:13] = 1
    choice = choose(LANDSCAPE, STORY, [cup], lambda: saliency)
    assert choice.rule == "saliency"
    assert choice.window.right >= 13 / 15
    assert choice.fallback_reason == "What was seen is too small or too uncertain to decide."


def test_where_a_face_decides_nobody_asks_what_else_draws_the_eye() -> None:
    def saliency() -> np.ndarray:
        raise AssertionError

    assert choose(LANDSCAPE, STORY, [seen("face", 0.4, 0.2, 0.5, 0.35)], saliency).rule == "face"


def test_saliency_spread_evenly_leaves_the_window_where_it_rests() -> None:
    across, down = (choose(size, SQUARE, [], lambda: np.ones((8, 8))).window for size in (LANDSCAPE, PORTRAIT))
    assert across.left == pytest.approx((1 - across.width) / 2)
    assert down.top == pytest.approx((1 - down.height) / 3, abs=0.01)


def test_bytes_are_as_good_a_map_as_ratios() -> None:
    ratios = np.random.default_rng(7).random((12, 18))
    expected = choose(LANDSCAPE, STORY, [], lambda: ratios).window
    found = choose(LANDSCAPE, STORY, [], lambda: np.rint(ratios * 255).astype(np.uint8)).window
    assert np.allclose(found, expected, atol=0.01)


@pytest.mark.parametrize(
    ("subject", "rule"), [("face", "face"), ("person", "face"), ("animal", "animal"), ("object", "object")]
)
def test_only_the_asked_kind_decides(subject: Kind, rule: str) -> None:
    face, person = seen("face", 0.06, 0.2, 0.14, 0.35), seen("person", 0.0, 0.1, 0.2, 1.0)
    dog, cup = seen("animal", 0.4, 0.5, 0.6, 0.9, label="dog"), seen("object", 0.7, 0.3, 0.95, 0.8, label="cup")
    choice = choose(LANDSCAPE, STORY, [face, person, dog, cup], subject=subject)
    wanted = {"face": face, "person": person, "animal": dog, "object": cup}[subject]
    assert choice.rule == rule
    assert shows(choice, wanted)


def test_a_kind_that_is_not_there_is_told() -> None:
    choice = choose(LANDSCAPE, STORY, [seen("face", 0.06, 0.2, 0.14, 0.35)], lambda: np.ones((4, 6)), subject="animal")
    assert choice.rule == "saliency"
    assert choice.fallback_reason == "No animal was seen."
    assert choice.subjects == ()


@pytest.mark.parametrize(
    ("found", "reason"),
    [
        (None, "Faces, people, animals and objects could not be looked for."),
        ([], "No face, person, animal or object was seen."),
    ],
)
def test_it_is_told_why_no_subject_decided(found: list[Sighting] | None, reason: str) -> None:
    assert choose(LANDSCAPE, STORY, found, lambda: np.ones((4, 6))).fallback_reason == reason


def test_a_subject_needs_no_excuse() -> None:
    assert choose(LANDSCAPE, STORY, [seen("face", 0.4, 0.2, 0.5, 0.35)]).fallback_reason is None


def test_full_zoom_is_the_head_with_a_margin() -> None:
    face, person = seen("face", 0.45, 0.30, 0.50, 0.40), seen("person", 0.40, 0.25, 0.56, 1.0)
    window = choose(Size(4500, 3000), Size(200, 200), [face, person], zoom=1.0).window
    assert window.height < 0.35
    assert face.box.lies_in(window) == pytest.approx(1)


def test_zoom_without_a_subject_changes_nothing() -> None:
    saliency = np.random.default_rng(3).random((9, 9))
    zoomed, plain = (choose(LANDSCAPE, SQUARE, [], lambda: saliency, zoom=zoom) for zoom in (1.0, None))
    assert zoomed == plain


@pytest.mark.parametrize("size", [Size(1, 1), Size(1, 5000), Size(5000, 1), Size(3, 2)])
@pytest.mark.parametrize("box", [Size(1, 1), Size(1, 4000), Size(4000, 1), Size(200, 200)])
def test_the_smallest_and_the_longest_pictures_have_a_window(size: Size, box: Size) -> None:
    window = choose(size, box, [seen("face", 0.1, 0.1, 0.9, 0.9)], lambda: np.ones((1, 1)), zoom=1.0).on(size)
    assert isinstance(window, Window)
    assert 1 <= window.width_in_px <= size.width
    assert 1 <= window.height_in_px <= size.height
    assert 0 <= window.left_in_px <= size.width - window.width_in_px
    assert 0 <= window.top_in_px <= size.height - window.height_in_px


def test_a_box_without_extent_is_not_a_subject() -> None:
    assert choose(LANDSCAPE, SQUARE, [Sighting("face", "face", 0.9, Box(0.5, 0.5, 0.0, 0.1))]).rule == "center"
