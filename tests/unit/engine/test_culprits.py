"""What killed engines twice is refused for a while, and nothing else is."""

from pathlib import Path

import pytest

from imageplane.engine.culprits import Culprits
from imageplane.engine.parcel import Parcel, packed


class Clock:
    def __init__(self) -> None:
        self.now_in_s = 0.0

    def __call__(self) -> float:
        return self.now_in_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def culprits(clock: Clock) -> Culprits:
    return Culprits(clock)


def parcel(data: bytes) -> Parcel:
    return Parcel(len(data), data=data)


def is_refused(culprits: Culprits, data: bytes, work: str = "thumbnail") -> bool:
    return culprits.refusal_in_s(parcel(data), lambda: work) is not None


def test_one_death_is_forgiven_and_two_are_not(culprits: Culprits) -> None:
    culprits.blame(parcel(b"evil"))
    assert not is_refused(culprits, b"evil")
    culprits.blame(parcel(b"evil"))
    assert is_refused(culprits, b"evil")
    assert is_refused(culprits, b"evil", "something else")
    assert not is_refused(culprits, b"good")
    assert not is_refused(culprits, b"longer")


def test_one_that_was_asked_too_much_of_is_good_for_something_else(culprits: Culprits) -> None:
    for _ in range(2):
        culprits.blame(parcel(b"huge"), "upscale")
    assert is_refused(culprits, b"huge", "upscale")
    assert not is_refused(culprits, b"huge", "thumbnail")


def test_what_was_asked_and_what_was_sent_count_apart(culprits: Culprits) -> None:
    culprits.blame(parcel(b"evil"))
    culprits.blame(parcel(b"evil"), "upscale")
    assert not is_refused(culprits, b"evil", "upscale")


def test_ten_minutes_later_all_is_forgotten(culprits: Culprits, clock: Clock) -> None:
    for _ in range(2):
        culprits.blame(parcel(b"evil"))
    clock.now_in_s = 240
    assert culprits.refusal_in_s(parcel(b"evil"), str) == 360
    clock.now_in_s = 601
    assert not is_refused(culprits, b"evil")
    culprits.blame(parcel(b"evil"))
    assert not is_refused(culprits, b"evil")


def test_deaths_far_apart_are_not_added_up(culprits: Culprits, clock: Clock) -> None:
    culprits.blame(parcel(b"evil"))
    clock.now_in_s = 601
    culprits.blame(parcel(b"evil"))
    assert not is_refused(culprits, b"evil")


def test_a_file_is_the_same_as_its_bytes(culprits: Culprits, tmp_path: Path) -> None:
    file = tmp_path / "evil"
    file.write_bytes(b"evil")
    for _ in range(2):
        with packed(file) as opened:
            culprits.blame(opened)
    assert is_refused(culprits, b"evil")


def test_memory_is_bounded_and_keeps_the_latest(culprits: Culprits) -> None:
    for number in range(3000):
        for _ in range(2):
            culprits.blame(parcel(b"evil %d" % number))
    assert is_refused(culprits, b"evil 2999")
    assert not is_refused(culprits, b"evil 0")
    assert sum(is_refused(culprits, b"evil %d" % number) for number in range(3000)) <= 1000


def test_nothing_is_read_as_long_as_nothing_of_its_size_died(
    culprits: Culprits, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(2):
        culprits.blame(parcel(b"evil"))

    def refuse(_: Parcel) -> bytes:
        raise AssertionError

    monkeypatch.setattr(Parcel, "digest", refuse)
    assert not is_refused(culprits, b"longer")
    with pytest.raises(AssertionError):
        is_refused(culprits, b"good")
