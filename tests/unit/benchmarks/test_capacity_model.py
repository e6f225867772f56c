"""The capacity model adds up what it is given, and leaves room for a machine that is lost."""

import dataclasses

import pytest

from benchmarks.scaling import model, units
from benchmarks.scaling.mixes import MIXES, measured
from benchmarks.scaling.model import Curve, Machine, Mix, Wish
from benchmarks.scaling.units import Asked, Slope, Units

_MB = 1e6
UNITS = Units(
    engines_in_s={"small": (0.02, 0.04), "large": (0.97,)},
    results_in_bytes={"small": 3000.0, "large": 30_000.0},
    ways={"multipart": Slope(0.002, 1e-9), "base64": Slope(0.003, 2e-9), "url": Slope(0.004, 1e-9)},
    way_of_jobs=Slope(0.005, 2e-9),
    taking_in_s=0.001,
    doing_in_s=0.005,
    source_in_bytes=3 * _MB,
    crowded=1.0,
    now=Asked(10, 2, 7, 2000, 0.001, 600, 0),
    job=Asked(40, 5, 20, 8000, 0.006, 700, 1500),
    idle=Asked(5, 0.5, 0, 0, 0.002),
    front_connections=3,
    worker_connections=15,
    front_in_mib=700.0,
    engine_in_mib=150.0,
    holds_per_s=5000.0,
    claims_per_s=600.0,
    commits_per_s=10_000.0,
    sqlite_holds_per_s=6000.0,
    redis_in_s=0.0001,
    redis_commands=2.0,
)
NOW = Mix("now", [Wish("small", "multipart", 1.0)])
HALF_LATER = Mix("half later", [Wish("small", "multipart", 0.5), Wish("large", "multipart", 0.5, is_later=True)])


def test_a_line_goes_through_both_points_and_never_falls() -> None:
    line = Slope.through((1000, 0.002), (2000, 0.003))
    assert (line.at(1000), line.at(2000), line.at(3000)) == pytest.approx((0.002, 0.003, 0.004))
    assert Slope.through((1000, 0.002), (2000, 0.001)).at(10**9) == pytest.approx(0.002)


def test_a_request_is_the_sum_of_its_parts() -> None:
    one = model.each(UNITS, NOW)
    assert one.front_in_s == pytest.approx(0.002 + 0.003)
    assert one.engine_in_s == pytest.approx(0.03)
    assert one.worker_in_s == 0
    assert one.cpu_in_s == pytest.approx(0.035)
    assert one.stored_in_bytes == 0
    assert one.asked == UNITS.now


def test_what_a_job_moves_is_shared_by_front_and_worker() -> None:
    later = Mix("later", [Wish("large", "multipart", 1.0, is_later=True)])
    one = model.each(UNITS, later)
    moving_in_s = 3 * _MB * 2e-9
    assert one.front_in_s + one.worker_in_s == pytest.approx(0.001 + 0.005 + moving_in_s)
    assert one.stored_in_bytes > UNITS.source_in_bytes
    assert one.blob_requests == 4


def test_a_job_by_url_is_fetched_by_the_worker() -> None:
    one = model.each(UNITS, Mix("later", [Wish("large", "url", 1.0, is_later=True)]))
    assert one.front_in_s == pytest.approx(0.001)
    assert one.worker_in_s == pytest.approx(0.005 + 3 * _MB * 1e-9)
    assert one.stored_in_bytes < UNITS.source_in_bytes


def test_a_mix_is_the_mean_of_its_wishes() -> None:
    one = model.each(UNITS, HALF_LATER)
    assert one.engine_in_s == pytest.approx((0.03 + 0.97) / 2)
    assert one.asked.statements == pytest.approx(25)
    assert one.asked.jobs_in_bytes == pytest.approx(750)


def test_shares_that_are_no_whole_are_refused() -> None:
    with pytest.raises(ValueError, match=r"come to 0\.7"):
        Mix("wrong", [Wish("small", "url", 0.7)])


def test_the_hours_of_a_day_come_to_the_day() -> None:
    curve = Curve(swing=0.6, burst=1.25)
    rates = [curve.rate_at(hour, 86_400.0) for hour in range(24)]
    assert sum(rates) / 24 == pytest.approx(1.0)
    assert max(rates) == pytest.approx(1.6)
    assert rates.index(max(rates)) == 20
    assert curve.peak(86_400.0) == pytest.approx(2.0)


@pytest.mark.parametrize("per_s", [1, 100, 231, 1000, 20_000])
def test_a_fleet_does_its_peak_even_without_one_machine(per_s: float) -> None:
    machine = Machine(cores=8, used=0.7)
    fleet = model.fleet(UNITS, model.each(UNITS, NOW), machine, per_s)
    assert fleet.used <= machine.used + 1e-9
    assert fleet.used_without_one <= 0.9 + 1e-9
    assert fleet.machines >= 2
    assert fleet.used * fleet.machines * machine.cores == pytest.approx(per_s * 0.035)


def test_no_front_has_more_than_its_part_of_a_core() -> None:
    one, machine = model.each(UNITS, NOW), Machine(cores=64)
    fleet = model.fleet(UNITS, one, machine, 5000)
    busiest_per_s = 0.9 * 64 / one.cpu_in_s
    assert busiest_per_s * one.front_in_s / fleet.fronts <= machine.front_used
    assert busiest_per_s * one.front_in_s / (fleet.fronts - 1) > machine.front_used
    assert fleet.workers == 0


def test_what_grows_follows_the_mean_and_what_waits_the_peak() -> None:
    one = model.each(UNITS, HALF_LATER)
    fleet = model.fleet(UNITS, one, Machine(), 100)
    books = model.books(UNITS, one, fleet, (100.0, 50.0), kept_in_days=7)
    processes = fleet.machines * (fleet.fronts + fleet.workers)
    assert books.statements_per_s == pytest.approx(100 * 25 + processes * 5)
    assert books.ledger_in_bytes_a_day == pytest.approx(50 * 86_400 * 650)
    assert books.jobs_in_bytes == pytest.approx(7 * 50 * 86_400 * 750)
    assert books.connections == fleet.machines * (fleet.fronts * 3 + fleet.workers * 15)
    wire = model.wire(UNITS, one, (100.0, 50.0), kept_in_days=7)
    assert wire.in_bits_per_s == pytest.approx(8 * 100 * 3 * _MB)
    assert wire.redis_cores == pytest.approx(0.01)


def test_what_ends_first_comes_first() -> None:
    one = model.each(UNITS, NOW)
    found = {ceiling.name: ceiling.per_s for ceiling in model.ceilings(UNITS, one, Machine(), 0.0)}
    assert list(found.values()) == sorted(found.values())
    assert found["one machine: 8 cores"] == pytest.approx(8 / 0.035)
    assert found["one process that speaks HTTP: one core"] == pytest.approx(1 / 0.005)
    assert found["jobs of one organization: a claim locks its row"] == float("inf")
    later = dict.fromkeys(found) | {
        ceiling.name: ceiling.per_s
        for ceiling in model.ceilings(UNITS, model.each(UNITS, HALF_LATER), Machine(), HALF_LATER.later)
    }
    assert later["jobs of one organization: a claim locks its row"] == pytest.approx(600 / 0.5)


def test_twice_the_cost_takes_twice_the_machines() -> None:
    dear = dataclasses.replace(UNITS, crowded=2.0)
    one, other = (model.each(costs, Mix("large", [Wish("large", "url", 1.0)])) for costs in (UNITS, dear))
    first, second = (model.fleet(UNITS, each, Machine(), 1000).machines for each in (one, other))
    assert second == pytest.approx(2 * first, rel=0.02)


def test_a_mix_with_something_that_was_not_measured_is_left_out() -> None:
    without_networks = dict.fromkeys(("avatar", "card", "three", "avif"))
    assert [mix.title for mix in measured(MIXES, without_networks)] == ["thumbnails", "three sizes"]


def test_figures_that_are_missing_are_an_error_that_names_them() -> None:
    with pytest.raises(KeyError, match="engines"):
        units.read({})
