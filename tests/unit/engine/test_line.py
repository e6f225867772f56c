"""Whose turn it is: small before large, tenants in turn, and an honest no to who would wait in vain."""

import threading
import time
from typing import Any

import pytest

from imageplane.cost import Cost
from imageplane.deadline import Deadline
from imageplane.engine.forecast import Forecast
from imageplane.engine.job import Job, Together
from imageplane.engine.line import Line
from imageplane.errors import Busy

LIGHT, HEAVY = Cost(0.1, 10), Cost(5.0, 10)


def job(tenant: str = "a", cost: Cost = LIGHT, seconds: float | None = None, **fields: Any) -> Job:
    deadline = Deadline() if seconds is None else Deadline.after(seconds)
    return Job(print, b"", cost=cost, tenant=tenant, deadline=deadline, **fields)


def line_of(*jobs: Job, engines: int = 1, memory_in_bytes: float = 1000) -> Line:
    line = Line(engines, memory_in_bytes)
    for each in jobs:
        line.put(each)
    return line


def taken(line: Line) -> Job:
    turn = line.take()
    assert turn is not None
    line.finished(turn)
    return turn.jobs[0]


def order_of(line: Line, count: int) -> str:
    return "".join(taken(line).tenant for _ in range(count))


def test_one_tenant_is_served_in_the_order_of_its_jobs() -> None:
    jobs = [job() for _ in range(5)]
    line = line_of(*jobs)
    assert [taken(line) for _ in jobs] == jobs


def test_who_has_a_tenth_of_the_weight_has_a_tenth_of_the_turns_and_all_of_them_when_alone() -> None:
    line = line_of(*[job("a") for _ in range(20)], *[job("b", weight=0.1) for _ in range(5)])
    turns = order_of(line, 25)
    assert turns[:21].count("b") in {2, 3}
    assert turns[-2:] == "bb"


def test_who_asks_again_only_when_it_has_its_reply_waits_for_one_job_of_a_back_fill_at_most() -> None:
    line = line_of(*[job("a", weight=0.1) for _ in range(20)])
    turns = taken(line).tenant
    for _ in range(5):
        line.put(job("b"))
        turns += order_of(line, 2)
    assert turns == "a" + 5 * "ba"


def test_a_back_fill_whose_next_job_always_comes_late_gets_a_tenth_all_the_same() -> None:
    line = line_of(*[job("a") for _ in range(40)])
    turns = "b"
    for _ in range(22):
        if turns[-1] == "b":
            line.put(job("b", weight=0.1))
        turns += taken(line).tenant
    assert turns[1:].count("b") <= 3


def test_a_back_fill_makes_nobody_wait_for_all_of_it() -> None:
    line = line_of(*[job("a", weight=0.1) for _ in range(100)], job("b"))
    alone = line_of(job("b"))
    assert line.crowd("b").waits_in_s < 2 * alone.crowd("b").waits_in_s


def test_a_flood_of_one_tenant_lets_others_have_every_second_turn() -> None:
    line = line_of(*[job("a") for _ in range(50)], *[job("b") for _ in range(3)])
    assert order_of(line, 8).count("b") == 3


def test_turns_are_counted_by_cost_and_not_by_number() -> None:
    line = line_of(*[job("a", Cost(0.2, 1)) for _ in range(20)], *[job("b", Cost(0.05, 1)) for _ in range(20)])
    assert order_of(line, 10).count("b") >= 7


def test_who_was_away_has_no_claim_to_what_others_used_meanwhile() -> None:
    line = line_of(*[job("a") for _ in range(40)])
    order_of(line, 20)
    for _ in range(20):
        line.put(job("b"))
    assert order_of(line, 10).count("a") >= 4


def test_heavy_work_leaves_an_engine_to_the_light() -> None:
    line = line_of(*[job("a", HEAVY) for _ in range(5)], engines=2)
    assert line.take() is not None
    got: list[Job] = []
    waiting = threading.Thread(target=lambda: got.extend(turn.jobs if (turn := line.take()) else ()))
    waiting.start()
    waiting.join(0.2)
    # There is heavy work, and an engine free, but it is not for that.
    assert waiting.is_alive()
    small = job("b")
    line.put(small)
    waiting.join(10)
    assert got == [small]


def test_heavy_work_is_not_starved_by_a_flood_of_light() -> None:
    line = line_of(*[job("a") for _ in range(400)], *[job("b", HEAVY) for _ in range(2)])
    assert "b" in order_of(line, 300)


def test_light_work_that_comes_later_does_not_wait_for_heavy_work_in_line() -> None:
    line = line_of(*[job("a", HEAVY) for _ in range(4)])
    order_of(line, 1)
    line.put(job("b"))
    assert order_of(line, 1) == "b"


def test_what_does_not_fit_into_memory_waits() -> None:
    line = line_of(job("a", Cost(0.1, 600)), job("b", Cost(0.1, 600)), engines=2)
    first = line.take()
    assert first is not None
    got: list[Job] = []
    waiting = threading.Thread(target=lambda: got.extend(turn.jobs if (turn := line.take()) else ()))
    waiting.start()
    waiting.join(0.2)
    assert waiting.is_alive()
    line.finished(first)
    waiting.join(10)
    assert [each.tenant for each in got] == ["b"]


def test_what_is_larger_than_all_memory_is_done_alone() -> None:
    assert taken(line_of(job("a", Cost(0.1, 10_000)))).tenant == "a"


def test_who_would_come_too_late_is_told_at_once_and_when_to_come_again() -> None:
    line = line_of(*[job(cost=Cost(0.2, 1)) for _ in range(50)])
    with pytest.raises(Busy) as told:
        line.put(job(seconds=5))
    # Ten seconds of work wait, and four fifths of five may be used.
    assert told.value.retry_after_in_s == pytest.approx(6.1, abs=0.2)
    with pytest.raises(Busy) as next_told:
        line.put(job(seconds=5))
    assert next_told.value.retry_after_in_s > told.value.retry_after_in_s
    line.put(job(seconds=60))


def test_a_tenant_that_has_little_waits_little_behind_anothers_flood() -> None:
    line = line_of(*[job("a", cost=Cost(0.2, 1)) for _ in range(50)])
    line.put(job("b", seconds=1))
    assert line.crowd("a").waits_in_s > 5
    assert line.crowd("b").waits_in_s < 0.5


def test_heavy_work_is_told_how_long_it_waits_beside_a_flood_of_light() -> None:
    line = line_of(*[job("a") for _ in range(300)], *[job("a", HEAVY) for _ in range(3)], engines=2)
    # Fifteen seconds of heavy work wait; a quarter of two engines is half a one.
    with pytest.raises(Busy):
        line.put(job("a", HEAVY, seconds=40))
    line.put(job("a", HEAVY, seconds=60))


def test_an_engine_that_is_free_tries_however_little_time_there_is() -> None:
    line = line_of(job(cost=Cost(0.2, 1), seconds=0.001))
    assert taken(line).tenant == "a"


def test_jobs_on_one_source_are_done_at_once() -> None:
    same, other = Together("x", print), Together("y", print)
    jobs = [job(together=same), job(together=other), job(together=same), job(), job("b", together=same)]
    line = line_of(*jobs, engines=2)
    turn = line.take()
    assert turn is not None
    assert turn.jobs == (jobs[0], jobs[2])
    assert turn.cost.cpu_in_s == pytest.approx(0.2)
    assert line.crowd().light == 3


def test_a_job_that_nobody_waits_for_any_more_leaves_the_line() -> None:
    jobs = [job(), job(), job()]
    line = line_of(*jobs)
    jobs[1].future.cancel()
    assert line.crowd().light == 2
    assert [taken(line), taken(line)] == [jobs[0], jobs[2]]
    jobs[2].future.cancel()
    assert line.crowd() == line.crowd("new")


def test_a_closed_line_gives_back_what_waits() -> None:
    jobs = [job("a"), job("b", HEAVY)]
    line = line_of(*jobs)
    assert set(line.close()) == set(jobs)
    assert line.take() is None


def test_one_who_waits_can_be_woken() -> None:
    line = Line(1, 1000)
    line.wake()
    assert line.take() is None


def test_the_pace_is_learned_but_one_that_hangs_teaches_little() -> None:
    forecast = Forecast()
    for _ in range(200):
        forecast.learn(0.1, 0.3)
    assert forecast.time_of(1.0) == pytest.approx(3, rel=0.2)
    forecast.learn(0.1, 3600)
    assert forecast.time_of(1.0) < 4


def test_promises_follow_one_another_and_never_lie_too_far_ahead() -> None:
    forecast = Forecast()
    waits = [forecast.promise_in_s("a", late_in_s=2, share_in_s=0.5) for _ in range(1000)]
    assert waits[:4] == pytest.approx([2, 2.5, 3, 3.5], abs=0.2)
    assert max(waits) <= 300
    assert forecast.promise_in_s("b", late_in_s=2, share_in_s=0.5) == pytest.approx(2, abs=0.1)


def test_many_engines_take_every_job_once() -> None:
    line, count = Line(4, 10**9), 400
    done: list[Job] = []

    def work() -> None:
        while (turn := line.take()) is not None:
            time.sleep(0)
            done.extend(turn.jobs)
            line.finished(turn)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    jobs = [job("abc"[index % 3], HEAVY if index % 7 == 0 else LIGHT) for index in range(count)]
    for each in jobs:
        line.put(each)
    ends = time.monotonic() + 30
    while len(done) < count and time.monotonic() < ends:
        time.sleep(0.01)
    line.close()
    for thread in threads:
        thread.join(10)
    assert sorted(map(id, done)) == sorted(map(id, jobs))
