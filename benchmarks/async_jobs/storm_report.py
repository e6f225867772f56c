"""The part of the page that tells of a storm."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, Final

from benchmarks.async_jobs.judging import Judgement
from benchmarks.async_jobs.storm import Storm
from benchmarks.goals import Verdict
from benchmarks.load.stage import Part, percentiles_in_ms, table

BEGUN_AGAIN_WITHIN_IN_S: Final = 60.0


def part_of(key: str, storm: Storm, found: Judgement, wanted: Mapping[str, int], codes: Mapping[str, int]) -> Part:
    """Give the part of a page.

    Takes: `wanted`, how often which disaster has to have happened at least; `codes`, how programs ended.
    """
    missing = [
        f"{what}: {storm.disasters[what]}, and {least} were to be"
        for what, least in wanted.items()
        if storm.disasters[what] < least
    ]
    missing += [f"{name} ended with exit code {code}" for name, code in codes.items() if code]
    figures = _figures(storm, found)
    verdicts = list(_verdicts(storm, found, figures, not missing))
    title = f"{len(storm.orders):,} jobs on {storm.name}"
    return Part(key, title, figures, list(_lines(storm, figures)), verdicts, [*found.faults, *missing])


def _figures(storm: Storm, found: Judgement) -> dict[str, Any]:
    accepted = storm.customers.accepted
    messages = sorted(storm.receiver.accepted.values(), key=lambda message: message.at)
    waits = [message.at - accepted[message.number].at for message in messages if message.number in accepted]
    took_in_s = messages[-1].at - storm.started_at if messages else 0.0
    again = [row for row in found.rows.values() if row.attempts > 1]
    return {
        "orders": len(storm.orders),
        "kinds": dict(Counter(order.kind for order in storm.orders)),
        "disasters": dict(storm.disasters),
        "jobs": dict(Counter(row.status for row in found.rows.values())),
        "jobs_begun_again": len(again),
        "attempts_of_jobs": dict(sorted(Counter(row.attempts for row in found.rows.values()).items())),
        "jobs_begun_again_took_in_ms": percentiles_in_ms([(row.work_in_ms or 0) / 1000 for row in again]),
        "begun_again_after_a_kill_in_s": [round(each, 1) for each in storm.begun_again_in_s],
        "acceptance_to_delivery_in_ms": percentiles_in_ms([max(0.0, wait) for wait in waits]),
        "took_in_s": round(took_in_s, 1),
        "jobs_per_s": round(len(messages) / took_in_s, 2) if took_in_s else 0.0,
        "handed_in_again": sum(each.attempts - 1 for each in accepted.values()),
        "troubles_of_customers": dict(storm.customers.troubles),
        "receiver": dict(storm.receiver.counts),
        "attempts_to_deliver": found.attempts,
        "sent_again_by_a_person": storm.sent_again,
        "links_followed": found.links,
        "at_rest_after_in_s": round(storm.rest_after_in_s, 1),
        "standing": str(storm.standing),
        "said_by_programs": dict(storm.installation.told().most_common(40)),
    }


def _verdicts(storm: Storm, found: Judgement, figures: Mapping[str, Any], is_complete: bool) -> Iterator[Verdict]:
    jobs = ", ".join(f"{count:,} {status}" for status, count in figures["jobs"].items())
    disasters = ", ".join(f"{count} {what}" for what, count in storm.disasters.items())
    yield Verdict(f"everything happened to it that was to: {storm.name}", disasters or "nothing", is_complete)
    yield Verdict(
        "every job ended as it has to, and none was made twice", f"{jobs}, for {len(storm.orders):,}", not found.ended
    )
    yield Verdict(
        "the webhook of every job accepted once, and right",
        f"{len(storm.receiver.accepted):,} webhook-ids accepted for {len(storm.orders):,} jobs, "
        f"{storm.receiver.counts['duplicates']:,} duplicates known by their id, {found.delivered.total()} wrong",
        not found.delivered,
    )
    if storm.begun_again_in_s:
        slowest = max(storm.begun_again_in_s)
        yield Verdict(
            f"what a killed worker was at is begun again by others within {BEGUN_AGAIN_WITHIN_IN_S:g} s",
            f"at most {slowest:.1f} s after {len(storm.begun_again_in_s)} kills",
            slowest <= BEGUN_AGAIN_WITHIN_IN_S,
        )
    yield Verdict("ledger exact", "; ".join(found.ledger) or "every credit accounted for", not found.ledger)
    yield Verdict("nothing left: no job, webhook, ticket, or hold", figures["standing"], not found.left)


def _lines(storm: Storm, figures: Mapping[str, Any]) -> Iterator[str]:
    waits = ", ".join(
        f"{name} {value / 1000:,.1f} s" for name, value in figures["acceptance_to_delivery_in_ms"].items()
    )
    again = ", ".join(f"{name} {value / 1000:,.1f} s" for name, value in figures["jobs_begun_again_took_in_ms"].items())
    yield from (
        f"{figures['took_in_s']:,.0f} s from the first order to the last delivery, {figures['jobs_per_s']:g} jobs/s.",
        f"From acceptance to delivery: {waits}. At rest {figures['at_rest_after_in_s']:g} s later.",
        "",
        f"{figures['jobs_begun_again']} jobs were begun more than once; from their first beginning to their end: "
        f"{again or '–'}. Attempts: {figures['attempts_of_jobs']}.",
        "",
        f"Customers handed in {figures['handed_in_again']} times more than once. {storm.sent_again} webhooks whose "
        "next attempt was minutes away were asked for by `redeliver`, as a person would who has mended a receiver.",
        f"{figures['links_followed']} signed links were followed.",
        "",
    )
    yield from table(("the receiver", "times"), sorted(figures["receiver"].items()))
    yield from table(
        ("attempt to deliver, as the log tells it", "times"), sorted(figures["attempts_to_deliver"].items())
    )
    if troubles := figures["troubles_of_customers"]:
        yield from table(("why customers came again", "times"), sorted(troubles.items()))
    if said := figures["said_by_programs"]:
        yield from table(
            ("what programs warned of", "times"), [(what.replace("|", "/"), n) for what, n in said.items()]
        )
