"""The simulation, fed with what was measured: load, a spike, a machine that is lost, a back-fill beside customers."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np

from benchmarks.load.stage import Part, percentiles_in_ms, table
from benchmarks.scaling import capacity, model, units
from benchmarks.scaling.mixes import MIXED, THREE_SIZES, measured
from benchmarks.scaling.model import Machine, Mix
from benchmarks.scaling.simulation import Cluster, Demand, Kind, Loss, Outcome, Simulation
from benchmarks.scaling.units import Units

_TITLE: Final = "The simulation"
_SEED: Final = 1
_REQUESTS: Final = 40_000
_LOADS: Final = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 1.0)
_SWARM: Final = 8.0
_DEADLINE_IN_S: Final = 120.0
_ENGINES: Final = 4
_SPIKE: Final = 10_000
_LOST_AT: Final = 60.0
_LOSS_LASTS_IN_S: Final = 180.0
_WINDOW_IN_S: Final = 5.0
_SERVERS_A_MACHINE: Final = 2
_BULK_OF_AN_ENGINE: Final = 2

# The machine here, and four machines of eight cores with two servers each.
_CLUSTERS: Final = {"1 server × 2 cores": Cluster(1, 2), "8 servers × 4 cores": Cluster(8, _ENGINES, machines=4)}

Found = tuple[Any, Sequence[str]]


def part(figures: Mapping[str, Any], step: Callable[[str], None]) -> Part:
    """Play every scene."""
    try:
        costs = units.read(figures)
    except KeyError:
        reason = capacity.missing(figures)
        return Part("simulation", _TITLE, {"skipped": reason}, [f"**Skipped**: {reason}."])
    mix = next(iter(measured((MIXED, THREE_SIZES), costs.engines_in_s)))
    demand = demand_of(costs, mix)
    scenes: dict[str, Callable[[], Found]] = {
        "check": lambda: _check(figures["whole"]),
        "load": lambda: _loads(demand, step),
        "spike": lambda: _spikes(demand, costs, mix),
        "loss": lambda: _losses(demand),
        "back-fill": lambda: _back_fills(demand_of(costs, THREE_SIZES)),
    }
    found: dict[str, Any] = {}
    lines = [
        f"Requests of the mix *{mix.title}*, all to be answered at once, of {demand.tenants} organizations, the "
        f"first of which asks twice as often as the second; every attempt has {_DEADLINE_IN_S:.0f} s. Times are from "
        "coming to the reply, what the work takes included; *more* is more than the deadline, by returns, and grows "
        "for as long as it goes on.",
    ]
    for name, scene in scenes.items():
        step(f"simulation: {name}")
        found[name], more = scene()
        lines += ["", *more]
    return Part("simulation", _TITLE, found, lines)


def demand_of(costs: Units, mix: Mix) -> Demand:
    """Give the requests of a mix, with the photos as they were measured."""
    kinds = [
        Kind(
            wish.share,
            costs.front_in_s(wish.way, is_later=False),
            [seconds * costs.crowded for seconds in costs.engines_in_s[wish.work]],
        )
        for wish in mix.wishes
    ]
    return Demand(kinds, deadline_in_s=_DEADLINE_IN_S)


def _check(whole: Mapping[str, Any]) -> Found:
    """Have as many clients as were measured wait for their replies, on a machine like the one here."""
    found = []
    for crowd, each in whole["crowds"].items():
        if int(crowd) <= whole["cores"]:
            # Fewer than the cores don't make the front and the engines wait for each other.
            continue
        # The client shares the cores.
        kind = Kind(1.0, each["front_in_s"] + each["client_in_s"], [each["engine_in_s"]])
        simulation = Simulation(Cluster(1, whole["cores"]), Demand([kind], tenants=1), _SEED)
        simulation.spike(2000, int(crowd))
        outcome = simulation.run()
        done_per_s = len(outcome.answered) / outcome.ended_at
        found.append({"clients": int(crowd), "measured_per_s": each["per_s"], "simulated_per_s": done_per_s})
    lines = [
        "The check: clients who wait for each reply, on the machine that was measured.",
        "",
        *table(("clients", "measured a second", "simulated"), [tuple(each.values()) for each in found]),
    ]
    return found, lines


def _loads(demand: Demand, step: Callable[[str], None]) -> Found:
    found, rows = [], []
    for name, cluster in _CLUSTERS.items():
        for swarm in (1.0, _SWARM):
            for load in _LOADS:
                step(f"simulation: {name} at {load:.0%}")
                outcome = _streamed(cluster, demand, load, swarm)
                each = {"cluster": name, "swarm": swarm, "load": load, **_figures(outcome)}
                found.append(each)
                rows.append(
                    (name, "alone" if swarm == 1 else f"in swarms of {swarm:.0f}", f"{load:.0%}", *_cells(each))
                )
    head = ("servers", "requests come", "load", *_HEAD)
    return found, ["### Waits by load", "", *table(head, rows)]


def _streamed(cluster: Cluster, demand: Demand, load: float, swarm: float = 1.0, bulk: int = 0) -> Outcome:
    simulation = Simulation(cluster, demand, _SEED, bulk=bulk)
    per_s = load * demand.full_per_s(cluster.cores)
    # Long enough for a queue to build up, wherever the cluster is small.
    simulation.stream(per_s, _REQUESTS / per_s, together=swarm)
    return simulation.run()


_NAMES: Final = ("p50", "p95", "p99")
_HEAD: Final = ("light: p50 ms", "p95", "p99", "heavy: p95 ms", "refused at first")


def _figures(outcome: Outcome) -> dict[str, Any]:
    return {
        "light_in_ms": percentiles_in_ms(outcome.took_in_s(is_heavy=False)),
        "heavy_in_ms": percentiles_in_ms(outcome.took_in_s(is_heavy=True)),
        "refused": outcome.refused / outcome.came,
        "ended_at": outcome.ended_at,
    }


def _cells(each: Mapping[str, Any]) -> tuple[object, ...]:
    light, heavy = each["light_in_ms"], each["heavy_in_ms"]
    times = (*(light[name] for name in _NAMES), heavy.get("p95"))
    return *map(_time, times), f"{each['refused']:.1%}"


def _time(in_ms: float | None) -> float | str | None:
    return "more" if in_ms is not None and in_ms > 1000 * _DEADLINE_IN_S else in_ms


def _spikes(demand: Demand, costs: Units, mix: Mix) -> Found:
    needed = model.fleet(costs, model.each(costs, mix), Machine(), capacity.SCALES[0].peak_per_s).machines
    clusters = {
        "1 server × 2 cores": Cluster(1, 2),
        "4 machines × 8 cores": Cluster(8, _ENGINES, machines=4),
        f"{needed} machines × 8 cores": Cluster(needed * _SERVERS_A_MACHINE, _ENGINES, machines=needed),
    }
    found, rows = [], []
    for name, cluster in clusters.items():
        simulation = Simulation(cluster, demand, _SEED)
        simulation.spike(_SPIKE, _SPIKE)
        outcome = simulation.run()
        each = {"cluster": name, **_figures(outcome)}
        found.append(each)
        rows.append((name, outcome.ended_at, *_spike_cells(each)))
    head = ("servers", "over after s", "light: p50 s", "p95", "p99", "heavy: p95 s", "refused at first")
    lines = [
        f"### {_SPIKE:,} at once",
        "",
        "Who is refused comes again when it was told to; nobody gives up.",
        "",
        *table(head, rows),
    ]
    return found, lines


def _spike_cells(each: Mapping[str, Any]) -> tuple[object, ...]:
    light, heavy = each["light_in_ms"], each["heavy_in_ms"]
    times = (*(light[name] for name in _NAMES), heavy.get("p95"))
    return *(None if time is None else time / 1000 for time in times), f"{each['refused']:.1%}"


def _losses(demand: Demand) -> Found:
    found, rows = [], []
    for machines in (2, 4, 8):
        cluster = Cluster(machines * _SERVERS_A_MACHINE, _ENGINES, machines=machines)
        for load in (0.5, 0.7, 0.8):
            simulation = Simulation(cluster, demand, _SEED)
            simulation.stream(load * demand.full_per_s(cluster.cores), _LOST_AT + _LOSS_LASTS_IN_S)
            simulation.lose(Loss(at=_LOST_AT))
            outcome = simulation.run()
            each = _loss_figures(outcome, load * machines / (machines - 1))
            found.append({"machines": machines, "load": load, **each})
            rows.append((machines, f"{load:.0%}", *each.values()))
    head = ("machines", "load", "load without one", "broken off", "p99 ms before", "p99 after, first 30 s",
            "p99, third minute", "refused")  # fmt: skip
    lines = [
        "### A machine is lost",
        "",
        "Requests that were there come again a second later. Until the balancer notices, ten seconds, every request "
        "that it sends there waits two seconds for nothing.",
        "",
        *table(head, rows),
    ]
    return found, lines


def _loss_figures(outcome: Outcome, load: float) -> dict[str, Any]:
    def p99_in_ms(after: float, before: float) -> float:
        return round(float(np.percentile(outcome.took_in_s(after, before, is_heavy=False), 99)) * 1000)

    return {
        "load_without_one": f"{load:.0%}",
        "broken": outcome.broken,
        "before": p99_in_ms(10.0, _LOST_AT - 5.0),
        "after": p99_in_ms(_LOST_AT, _LOST_AT + 30.0),
        "later": p99_in_ms(_LOST_AT + 120.0, _LOST_AT + _LOSS_LASTS_IN_S),
        "refused": f"{outcome.refused / outcome.came:.1%}",
    }


def _back_fills(demand: Demand) -> Found:
    found, rows = [], []
    cluster = Cluster(1, _ENGINES)
    for tenants in (1, 20):
        for load in (0.3, 0.5, 0.7, 0.9):
            for bulk in (0, _BULK_OF_AN_ENGINE * _ENGINES):
                outcome = _streamed(cluster, replace(demand, tenants=tenants), load, bulk=bulk)
                light = percentiles_in_ms(outcome.took_in_s())
                done = outcome.bulk / outcome.ended_at / demand.full_per_s(cluster.cores)
                found.append({"tenants": tenants, "load": load, "bulk": bulk, "took_in_ms": light, "done": done})
                rows.append(
                    (tenants, f"{load:.0%}", "yes" if bulk else "no", *(_time(light[name]) for name in _NAMES),
                     f"{done:.0%}" if bulk else None, f"{outcome.refused / outcome.came:.1%}")
                )  # fmt: skip
    head = ("customers", "their load", "back-fill", "p50 ms", "p95", "p99", "of all, the back-fill had", "refused")
    lines = [
        "### A back-fill beside customers",
        "",
        f"Three sizes of every photo, one server with {_ENGINES} cores; the back-fill always has two images for each "
        "core in the line, as an organization of its own.",
        "",
        *table(head, rows),
    ]
    return found, lines
