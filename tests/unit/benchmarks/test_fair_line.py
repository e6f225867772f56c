"""The line of the simulation gives turns in the order in which that of a server does."""

import random
from collections import deque

import pytest

from benchmarks.scaling.fair_line import FairLine, Order
from imageplane.cost import Cost
from imageplane.deadline import Deadline
from imageplane.engine.job import Job, Turn
from imageplane.engine.line import Line
from imageplane.errors import Busy

_COSTS_IN_S = (0.02, 0.05, 0.2, 0.4, 1.1)
_WEIGHTS = {"a": 1.0, "b": 1.0, "c": 0.1, "d": 3.0}


def _job(tenant: str, cost_in_s: float, deadline: Deadline | None = None) -> Job:
    cost = Cost(cost_in_s, 0)
    return Job(len, b"", deadline=deadline or Deadline(), cost=cost, tenant=tenant, weight=_WEIGHTS[tenant])


def _taken(line: Line) -> Turn:
    turn = line.take()
    assert turn is not None
    return turn


@pytest.mark.parametrize("engines", [1, 2, 4])
@pytest.mark.parametrize("seed", range(5))
def test_turns_come_in_the_order_of_the_server(engines: int, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - no secret
    real, simulated = Line(engines, float("inf")), FairLine(engines)
    working: deque[tuple[Turn, Order]] = deque()
    left = 0
    for _ in range(300):
        if chance.random() < 0.55:
            tenant, cost_in_s = chance.choice("abcd"), chance.choice(_COSTS_IN_S)
            real.put(_job(tenant, cost_in_s))
            assert simulated.put(Order(tenant, 0.0, cost_in_s, 0.0, weight=_WEIGHTS[tenant]), 0.0) is None
            left += 1
        elif working:
            turn, order = working.popleft()
            real.finished(turn)
            simulated.finished(order)
        # The real line would wait for a turn that nobody may take.
        while (taken := simulated.next(0.0)) is not None:
            turn = _taken(real)
            assert (turn.jobs[0].tenant, turn.cost.cpu_in_s) == (taken.tenant, taken.engine_in_s)
            working.append((turn, taken))
            left -= 1
        crowd = real.crowd()
        assert (crowd.light + crowd.heavy, crowd.working) == (left, len(working))


def test_refuses_where_the_server_does() -> None:
    real, simulated = Line(2, float("inf")), FairLine(2)
    refused = []
    for _ in range(40):
        try:
            real.put(_job("a", 0.2, Deadline.after(2.05)))
            is_refused = False
        except Busy:
            is_refused = True
        pause_in_s = simulated.put(Order("a", 0.0, 0.2, 0.0, due_at=2.05), 0.0)
        assert (pause_in_s is not None) is is_refused
        refused.append(is_refused)
    assert any(refused)
    assert not refused[0]


def test_those_who_are_refused_are_told_different_times() -> None:
    line = FairLine(1)
    pauses = [line.put(Order("a", 0.0, 0.2, 0.0, due_at=1.0), 0.0) for _ in range(30)]
    told = [pause for pause in pauses if pause is not None]
    assert len(told) > 20
    assert told == sorted(set(told))
