"""Counts, pace and time left."""

from imageplane.errors import UndecodableImage
from imageplane.jobs.bulk.items import Item
from imageplane.jobs.bulk.outcome import Outcome
from imageplane.jobs.bulk.tally import Tally

ITEM = Item("url", "https://a.com/1.jpg?token=secret", "a.com/1.jpg", line=3)


def test_the_pace_is_that_of_late() -> None:
    now = 0.0
    tally = Tally(total=1000, now=lambda: now)
    assert (tally.rate_per_s(), tally.left_in_s()) == (0.0, None)
    for _ in range(100):
        now += 0.1
        tally.add(Outcome(ITEM, "skipped"))
    for _ in range(100):
        now += 0.5
        tally.add(Outcome(ITEM, "made"))
    assert tally.seen == 200
    assert abs(tally.rate_per_s() - 2) < 0.2
    assert abs((tally.left_in_s() or 0) - 400) < 40


def test_nobody_knows_what_is_left_before_all_are_counted() -> None:
    now = 0.0
    tally = Tally(now=lambda: now)
    now = 5.0
    tally.add(Outcome(ITEM, "made"))
    assert tally.left_in_s() is None


def test_failures_are_grouped_by_their_reason() -> None:
    tally = Tally()
    for number in range(3):
        tally.add(Outcome(ITEM, "failed", UndecodableImage(f"damage {number}")))
    assert (tally.failed, tally.reasons["undecodable_image"].count) == (3, 3)
    assert tally.reasons["undecodable_image"].example == "a.com/1.jpg: damage 0"


def test_a_report_tells_the_line_and_no_secret() -> None:
    line = Outcome(ITEM, "failed", UndecodableImage("damaged")).line
    assert (line["line"], line["url"]) == (3, "https://a.com/1.jpg")
    assert "secret" not in str(line)
