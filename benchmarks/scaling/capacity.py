"""The model, fed with what was measured and carried to large installations."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from benchmarks.load.stage import Part, table
from benchmarks.scaling import model, units
from benchmarks.scaling.mixes import IN_WORDS, MIXES, measured
from benchmarks.scaling.model import Curve, Each, Machine, Mix
from benchmarks.scaling.units import NEEDED, Units

_TITLE: Final = "The model, carried to large installations"
_KEPT_IN_DAYS: Final = 7.0
_CURVE: Final = Curve()
_GB: Final = 1e9


@dataclass(frozen=True, slots=True)
class Scale:
    """So many requests. Takes: requests a second at the peak, and in the mean of a day."""

    title: str
    peak_per_s: float
    mean_per_s: float

    @property
    def rates(self) -> tuple[float, float]:
        return self.peak_per_s, self.mean_per_s


SCALES: Final = (
    Scale("10 million a day", _CURVE.peak(1e7), 1e7 / model.DAY_IN_S),
    Scale("1,000 a second at the peak", 1000.0, 1000.0 / _CURVE.peak(model.DAY_IN_S)),
)


def missing(figures: Mapping[str, Any]) -> str:
    """Tell what has to be measured before anything can be reckoned."""
    absent = [name for name in NEEDED if name not in figures or "skipped" in figures[name]]
    return f"{', '.join(absent)} were not measured; run them too, or name an earlier result with --earlier"


def part(figures: Mapping[str, Any]) -> Part:
    """Carry the figures of the other parts to every scale."""
    try:
        costs = units.read(figures)
    except KeyError:
        return Part("model", _TITLE, {"skipped": missing(figures)}, [f"**Skipped**: {missing(figures)}."])
    machine = Machine()
    mixes = [(mix, model.each(costs, mix)) for mix in measured(MIXES, costs.engines_in_s)]
    found = {
        "units": asdict(costs),
        "machine": asdict(machine),
        "each": {mix.title: asdict(one) for mix, one in mixes},
        "scales": {
            scale.title: {mix.title: _needs(costs, one, machine, scale) for mix, one in mixes} for scale in SCALES
        },
        "ceilings": {
            mix.title: [asdict(each) for each in model.ceilings(costs, one, machine, mix.later)] for mix, one in mixes
        },
        "check": _check(figures["whole"]),
    }
    return Part("model", _TITLE, found, list(_lines(found, mixes, machine)))


def _needs(costs: Units, one: Each, machine: Machine, scale: Scale) -> dict[str, Any]:
    fleet = model.fleet(costs, one, machine, scale.peak_per_s)
    return {
        "fleet": asdict(fleet),
        "books": asdict(model.books(costs, one, fleet, scale.rates, _KEPT_IN_DAYS)),
        "wire": asdict(model.wire(costs, one, scale.rates, _KEPT_IN_DAYS)),
        "cores_in_the_mean": scale.mean_per_s * one.cpu_in_s / machine.used,
    }


def _check(whole: Mapping[str, Any]) -> dict[str, float]:
    """Give what a busy machine does beside what adding up the costs of single requests promises."""
    alone = whole["crowds"]["1"]
    busiest = max(whole["crowds"].values(), key=lambda each: float(each["per_s"]))
    cost_in_s = sum(alone[name] for name in ("front_in_s", "engine_in_s", "client_in_s"))
    return {"measured_per_s": busiest["per_s"], "promised_per_s": whole["cores"] / cost_in_s}


def _lines(found: Mapping[str, Any], mixes: Sequence[tuple[Mix, Each]], machine: Machine) -> Iterator[str]:
    yield (
        f"Machines of {machine.cores} cores like these, {machine.used:.0%} of them at work at the peak, and enough to "
        f"lose one. A day swings by {_CURVE.swing:.0%} around its mean and bursts by {_CURVE.burst - 1:.0%} above its "
        f"busiest hour. Jobs are kept for {_KEPT_IN_DAYS:.0f} days."
    )
    yield ""
    for mix, _ in mixes:
        yield f"- *{mix.title}*: {IN_WORDS[mix.title]}"
    yield ""
    rows = [
        (
            mix.title,
            *(seconds * 1000 for seconds in (one.front_in_s, one.worker_in_s, one.engine_in_s, one.cpu_in_s)),
            1 / one.cpu_in_s,
            one.asked.statements,
            one.asked.commits,
        )
        for mix, one in mixes
    ]
    yield from table(
        ("mix", "front ms", "worker ms", "engine ms", "all CPU ms", "requests/s of a core", "statements", "commits"),
        rows,
    )
    check = found["check"]
    yield (
        f"The check: by the costs of one request at a time a machine here does {check['promised_per_s']:.1f} a second "
        f"with its client; it did {check['measured_per_s']:.1f}, which is "
        f"{check['measured_per_s'] / check['promised_per_s']:.0%}."
    )
    for scale in SCALES:
        yield from ("", f"### {scale.title}", "")
        yield f"{scale.peak_per_s:,.0f} requests/s at the peak, {scale.mean_per_s:,.0f} in the mean."
        yield ""
        yield from _needs_lines(found["scales"][scale.title])
    yield from ("", "### What ends first", "")
    for title, ends in found["ceilings"].items():
        yield from table((f"{title}: what ends", "at requests/s"), [(each["name"], each["per_s"]) for each in ends])


def _needs_lines(needs: Mapping[str, Any]) -> Iterator[str]:
    yield from table(
        ("mix", "machines", "used", "without one", "fronts each", "workers each", "GiB each", "cores in the mean"),
        [
            (
                title,
                need["fleet"]["machines"],
                f"{need['fleet']['used']:.0%}",
                f"{need['fleet']['used_without_one']:.0%}",
                need["fleet"]["fronts"],
                need["fleet"]["workers"],
                need["fleet"]["memory_in_mib"] / 1024,
                need["cores_in_the_mean"],
            )
            for title, need in needs.items()
        ],
    )
    yield from _books_lines(needs)
    yield from _wire_lines(needs)


def _books_lines(needs: Mapping[str, Any]) -> list[str]:
    names = ("statements_per_s", "commits_per_s", "cores", "connections")
    return table(
        ("the database", "statements/s", "commits/s", "its cores", "connections", "WAL MB/s", "WAL GB a day",
         "million rows written a day", "ledger GB a day", "jobs GB"),
        [
            (
                title,
                *(need["books"][name] for name in names),
                need["books"]["wal_in_bytes_per_s"] / 1e6,
                need["books"]["wal_in_bytes_a_day"] / _GB,
                need["books"]["rows_a_day"] / 1e6,
                need["books"]["ledger_in_bytes_a_day"] / _GB,
                need["books"]["jobs_in_bytes"] / _GB,
            )
            for title, need in needs.items()
        ],
    )  # fmt: skip


def _wire_lines(needs: Mapping[str, Any]) -> list[str]:
    return table(
        ("traffic", "Gbit/s in", "Gbit/s out", "blob requests/s", "blobs TB", "Redis commands/s", "Redis cores"),
        [
            (
                title,
                need["wire"]["in_bits_per_s"] / _GB,
                need["wire"]["out_bits_per_s"] / _GB,
                need["wire"]["blob_requests_per_s"],
                need["wire"]["blobs_in_bytes"] / 1e12,
                need["wire"]["redis_commands_per_s"],
                need["wire"]["redis_cores"],
            )
            for title, need in needs.items()
        ],
    )
