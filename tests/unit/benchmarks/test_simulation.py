"""The simulation keeps what is known of queues, loses nobody, and gives the same for the same seed."""

import math
from statistics import mean

import pytest

from benchmarks.scaling.simulation import Answer, Cluster, Demand, Kind, Loss, Simulation

_SERVICE_IN_S = 0.01
_REQUESTS = 30_000


def _exponential(mean_in_s: float, count: int = 2000) -> list[float]:
    """Give the quantiles of an exponential distribution, which drawn from by chance are one."""
    return [-mean_in_s * math.log(1 - (number + 0.5) / count) for number in range(count)]


def _mean_wait_in_s(demand: Demand, cluster: Cluster, load: float, seed: int = 1) -> float:
    simulation = Simulation(cluster, demand, seed)
    per_s = load * demand.full_per_s(cluster.cores)
    simulation.stream(per_s, _REQUESTS / per_s)
    return mean(simulation.run().took_in_s(after=0.05 * _REQUESTS / per_s)) - demand.engine_in_s


def _erlang_c(servers: int, load: float) -> float:
    """Give the chance to wait in M/M/c."""
    offered = servers * load
    waits = offered**servers / math.factorial(servers) / (1 - load)
    return waits / (sum(offered**number / math.factorial(number) for number in range(servers)) + waits)


@pytest.mark.parametrize("load", [0.5, 0.8])
def test_waits_are_those_of_m_d_1(load: float) -> None:
    demand = Demand([Kind(1.0, 0.0, [_SERVICE_IN_S])], tenants=1)
    # Pollaczek and Khinchine.
    expected_in_s = load * _SERVICE_IN_S / (2 * (1 - load))
    assert _mean_wait_in_s(demand, Cluster(1, 1), load) == pytest.approx(expected_in_s, rel=0.1)


@pytest.mark.parametrize(("engines", "load"), [(1, 0.7), (2, 0.8), (8, 0.9)])
def test_waits_are_those_of_m_m_c(engines: int, load: float) -> None:
    demand = Demand([Kind(1.0, 0.0, _exponential(_SERVICE_IN_S))], tenants=1)
    expected_in_s = _erlang_c(engines, load) * _SERVICE_IN_S / (engines * (1 - load))
    assert _mean_wait_in_s(demand, Cluster(1, engines), load) == pytest.approx(expected_in_s, rel=0.12)


def test_tenants_who_take_turns_wait_as_long_in_the_mean() -> None:
    # Who waits is another; how much work waits is not, as long as it is all of one size.
    kinds = [Kind(1.0, 0.0, [_SERVICE_IN_S])]
    alone, many = (_mean_wait_in_s(Demand(kinds, tenants=count), Cluster(1, 1), 0.8) for count in (1, 20))
    assert many == pytest.approx(alone, rel=0.15)


def test_what_the_front_takes_is_taken_from_the_engines() -> None:
    # No more than the cores can do is done, however much comes.
    demand = Demand([Kind(1.0, 0.002, [0.018])])
    assert demand.full_per_s(2) == pytest.approx(100)
    simulation = Simulation(Cluster(1, 2), demand, 1)
    simulation.spike(2000, 100)
    outcome = simulation.run()
    assert len(outcome.answered) / outcome.ended_at == pytest.approx(100, rel=0.02)


def test_a_front_that_is_slower_than_its_engines_sets_the_pace() -> None:
    simulation = Simulation(Cluster(1, 16), Demand([Kind(1.0, 0.01, [0.02])]), 1)
    simulation.spike(1000, 200)
    outcome = simulation.run()
    assert len(outcome.answered) / outcome.ended_at == pytest.approx(100, rel=0.02)


def test_nobody_is_forgotten_whatever_happens() -> None:
    demand = Demand([Kind(0.9, 0.002, [0.02, 0.04]), Kind(0.1, 0.002, [0.6])], deadline_in_s=3.0)
    cluster = Cluster(4, 2, machines=4)
    simulation = Simulation(cluster, demand, 3)
    simulation.stream(demand.full_per_s(cluster.cores), 30.0, together=8)
    simulation.lose(Loss(at=10.0))
    outcome = simulation.run()
    assert outcome.refused > 0
    assert outcome.broken > 0
    assert len(outcome.answered) == outcome.came


def test_the_same_seed_gives_the_same_run() -> None:
    def run(seed: int) -> list[Answer]:
        simulation = Simulation(Cluster(2, 2), Demand([Kind(1.0, 0.001, [0.01, 0.03])]), seed)
        simulation.stream(100.0, 10.0, together=4)
        return simulation.run().answered

    assert run(1) == run(1)
    assert run(1) != run(2)


def test_a_back_fill_takes_what_others_leave() -> None:
    demand = Demand([Kind(1.0, 0.0, [0.02])], tenants=1)
    full = demand.full_per_s(2)
    simulation = Simulation(Cluster(1, 2), demand, 1, bulk=8)
    simulation.stream(0.3 * full, 60.0)
    outcome = simulation.run()
    assert outcome.bulk / outcome.ended_at == pytest.approx(0.7 * full, rel=0.05)
    # Who comes waits for one of two engines and takes turns with the back-fill.
    assert mean(outcome.took_in_s()) < 3 * 0.02


def test_the_server_with_the_fewest_requests_makes_waits_shorter() -> None:
    demand = Demand([Kind(0.9, 0.0, [0.02]), Kind(0.1, 0.0, [0.2])])

    def wait_in_s(cluster: Cluster) -> float:
        return _mean_wait_in_s(demand, cluster, 0.8)

    assert wait_in_s(Cluster(6, 1, "fewest")) < 0.7 * wait_in_s(Cluster(6, 1, "turns"))
