"""The figures of a spike, and what they are held to."""

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from benchmarks.goals import Verdict
from benchmarks.load.stage import Part, percentiles_in_ms, table

if TYPE_CHECKING:
    from benchmarks.load.spike import Spike

MOST_PROBE_IN_MS: Final = 100.0
MOST_MEMORY_IN_MB: Final = 2500.0
_MB_IN_A_MIB: Final = 1.048576


def part_of(spike: "Spike") -> Part:
    """Give the part of the page that tells of a spike."""
    figures = _figures(spike)
    return Part("spike", _title(spike), figures, list(_lines(figures)), list(_verdicts(spike, figures)), _faults(spike))


def _title(spike: "Spike") -> str:
    return f"{len(spike.outcomes):,} requests at once, {spike.connections:,} connections"


def _figures(spike: "Spike") -> dict[str, Any]:
    answered = [outcome for outcome in spike.outcomes if outcome.is_answered]
    count = len(answered) or 1
    return {
        "requests": len(spike.outcomes),
        "connections": spike.connections,
        "answered": len(answered),
        "duration_in_s": round(spike.duration_in_s, 1),
        "throughput_per_s": round(len(answered) / spike.duration_in_s, 2),
        "accepted_in_ms": percentiles_in_ms([outcome.attempts[-1].took_in_s for outcome in answered]),
        "whole_wait_in_ms": percentiles_in_ms([outcome.whole_wait_in_s for outcome in answered]),
        "attempts_by_status": {str(status): number for status, number in sorted(spike.statuses.items())},
        **_returns(spike),
        "troubles": dict(Counter(outcome.trouble for outcome in spike.outcomes if outcome.trouble)),
        "lost": len(spike.outcomes) - len(answered),
        "judged": spike.judged,
        "wrong": dict(spike.bench.wrong),
        "other_bytes_of_the_same_picture": spike.bench.differing,
        "farthest_of_the_same_picture": round(spike.bench.farthest, 2),
        "repeats": len(spike.repeats),
        "repeats_replayed": sum(repeat.is_replayed for repeat in spike.repeats),
        "credits_before": spike.credits_before,
        "credits_after": spike.credits_after,
        "credits_at_command": spike.credits_at_command,
        "charged": spike.credits_before - spike.credits_after,
        "deadline_in_s": spike.deadline_in_s,
        "health_live": spike.seen.summary(),
        "cpu_ms_per_request": {
            "server": round(spike.cpu.front_in_s * 1000 / count, 2),
            "engines": round(spike.cpu.engines_in_s * 1000 / count, 2),
            "clients": round(spike.client_cpu_in_s * 1000 / count, 2),
            "picture_server": round(spike.picture_server_cpu_in_s * 1000 / count, 2),
        },
        "by_wish_in_ms": _by_wish(spike),
        "metrics": spike.metrics,
    }


def _returns(spike: "Spike") -> dict[str, Any]:
    sent_away = [outcome for outcome in spike.outcomes if len(outcome.attempts) > 1]
    waits = [attempt.told_in_s for each in sent_away for attempt in each.attempts[:-1] if attempt.told_in_s is not None]
    returns = sum(len(outcome.attempts) - 1 for outcome in sent_away)
    at_once = sum(outcome.attempts[1].status == 200 for outcome in sent_away)
    return {
        "came_again": len(sent_away),
        "returns": returns,
        "accepted_at_first_return": round(at_once / len(sent_away), 4) if sent_away else None,
        "accepted_per_return": round(sum(each.is_answered for each in sent_away) / returns, 4) if returns else None,
        "retry_after_in_s": _spread(waits),
        "without_retry_after": returns - len(waits),
    }


def _by_wish(spike: "Spike") -> dict[str, dict[str, float]]:
    found: dict[str, list[float]] = {}
    for outcome in spike.outcomes:
        if outcome.is_answered:
            found.setdefault(outcome.request.wish.name, []).append(outcome.attempts[-1].took_in_s)
    return {name: percentiles_in_ms(values) for name, values in found.items()}


def _spread(values: list[float]) -> dict[str, float]:
    if not values:
        return {}
    ordered = sorted(values)
    return {"least": ordered[0], "median": ordered[len(ordered) // 2], "most": ordered[-1]}


def _lines(figures: dict[str, Any]) -> Iterator[str]:
    yield (
        f"Answered {figures['answered']:,} in {figures['duration_in_s']:,} s: "
        f"**{figures['throughput_per_s']:g} a second**. Attempts by status: "
        + ", ".join(f"{status}: {count:,}" for status, count in figures["attempts_by_status"].items())
        + "."
    )
    yield ""
    rows = [("accepted work", figures["accepted_in_ms"])]
    rows += [("the whole wait, returns included", figures["whole_wait_in_ms"])]
    rows += [(f"accepted work, {name}", values) for name, values in figures["by_wish_in_ms"].items()]
    names = ("p50", "p95", "p99", "most")
    yield from table(("ms", *names), [(title, *(values.get(name) for name in names)) for title, values in rows])
    if figures["came_again"]:
        yield (
            f"{figures['came_again']:,} were told to come again, {figures['returns']:,} times in all, after "
            f"{figures['retry_after_in_s'].get('median')} s in the median "
            f"({figures['retry_after_in_s'].get('least')} to {figures['retry_after_in_s'].get('most')}); "
            f"{figures['accepted_at_first_return']:.0%} of them were accepted when they first returned."
        )
        yield ""
    for trouble, count in figures["troubles"].items():
        yield f"- {count} × {trouble}"
    if figures["troubles"]:
        yield ""
    cpu = ", ".join(f"{name.replace('_', ' ')} {value:g}" for name, value in figures["cpu_ms_per_request"].items())
    yield from (f"CPU ms an answered request: {cpu}. The clients and the picture server share the machine.", "")


def _verdicts(spike: "Spike", figures: dict[str, Any]) -> Iterator[Verdict]:
    count, health = figures["requests"], figures["health_live"]
    wrong = sum(figures["wrong"].values())
    yield Verdict(
        f"all {count:,} answered with the right picture, none lost",
        f"{figures['answered']:,} answered, {figures['lost']} lost, {wrong} wrong of {figures['judged']:,} looked at",
        figures["answered"] == count and not wrong,
    )
    yield Verdict(
        f"charged exactly once: {count:,} credits",
        f"{figures['charged']:,g} credits; {figures['repeats_replayed']} of {figures['repeats']} repeats replayed",
        figures["charged"] == figures["answered"] and figures["repeats_replayed"] == figures["repeats"],
    )
    p99 = figures["accepted_in_ms"].get("p99", float("inf"))
    wanted = f"p99 of accepted work under its deadline of {spike.deadline_in_s:g} s"
    yield Verdict(wanted, f"{p99 / 1000:.1f} s", p99 < spike.deadline_in_s * 1000)
    probe = health["probe_p99_in_ms"]
    yield Verdict(
        f"/health/live p99 under {MOST_PROBE_IN_MS:g} ms, {health['probes']:,} probes",
        f"p50 {_ms(health['probe_p50_in_ms'])}, p99 {_ms(probe)}, most {_ms(health['probe_p100_in_ms'])}, "
        f"{health['failed_probes']} failed",
        probe is not None and probe < MOST_PROBE_IN_MS and not health["failed_probes"],
    )
    resident, proportional = (health[f"peak_{kind}_in_mib"] * _MB_IN_A_MIB for kind in ("resident", "proportional"))
    yield Verdict(
        f"peak memory of server and engines under {MOST_MEMORY_IN_MB:,.0f} MB",
        f"{resident:,.0f} MB resident (the sum, shared pages counted for each), {proportional:,.0f} MB proportional",
        resident < MOST_MEMORY_IN_MB,
    )


def _ms(value: float | None) -> str:
    return "–" if value is None else f"{value:.1f} ms"


def _faults(spike: "Spike") -> list[str]:
    figures = _figures(spike)
    return [
        *([f"{figures['lost']} requests were lost"] if figures["lost"] else []),
        *(f"{count} wrong replies: {what}" for what, count in figures["wrong"].items()),
        *(["the charges are not the answers"] if figures["charged"] != figures["answered"] else []),
        *(["a repeated request was done anew"] if figures["repeats_replayed"] != figures["repeats"] else []),
        *(["HTTP and command tell different credits"] if spike.credits_after != spike.credits_at_command else []),
    ]
