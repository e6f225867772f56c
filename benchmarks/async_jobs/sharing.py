"""Two workers that share nothing but a database and a store: both do their part, and one does the rest alone."""

import asyncio
import os
import shutil
import subprocess
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from rich.progress import Progress, TaskID

from benchmarks.async_jobs import books as told
from benchmarks.async_jobs.customers import Customers, new_session
from benchmarks.async_jobs.orders import Order, orders
from benchmarks.async_jobs.programs import Installation, Program
from benchmarks.async_jobs.storm_report import BEGUN_AGAIN_WITHIN_IN_S
from benchmarks.goals import Verdict
from benchmarks.load.stage import Part, table
from imageplane.accounts.books import Books
from imageplane.settings import PriceSettings
from tests.postgres import Postgres

_CUSTOMERS: Final = 8
_LEAST_SHARE: Final = 0.25
_PATIENCE_IN_S: Final = 240.0
_GLANCE_IN_S: Final = 0.2
_WORKERS: Final = ("first", "second")


@dataclass
class Shared:
    """What came of it.

    Gives: jobs done by worker, up to the death of one and in all; `networks`, how many of their own they had;
    `taken_over_in_s`, after the death, when all had ended that was at work then.
    """

    before: Mapping[str, int] = field(default_factory=dict)
    in_all: Mapping[str, int] = field(default_factory=dict)
    networks: int = 1
    at_work: int = 0
    taken_over_in_s: float | None = None
    faults: list[str] = field(default_factory=list)


def missing_networks() -> str | None:
    """Give why no process here can have a network of its own, or None."""
    if shutil.which("unshare") is None:
        return "unshare is not installed (Debian: apt install util-linux)"
    done = subprocess.run([*_apart(), "true"], capture_output=True, text=True, check=False)
    return f"this system allows no network namespaces: {done.stderr.strip()[:200]}" if done.returncode else None


def part(scratch: Path, postgres: Postgres, progress: Progress, count: int) -> Part:
    """Have jobs done by two workers, one of which is killed halfway."""
    skipped = missing_networks()
    # The database is reached by a socket in a folder, the store is a folder: no network is needed. Nobody waits for
    # webhooks, which would need one.
    found = Shared()
    installation = Installation(scratch, postgres.new_database(), {})
    installation.found()
    installation.server(JOBS__CONCURRENCY="0")
    workers = [
        installation.program(name, "worker", within=() if skipped else _apart(), HTTP__LOG_LEVEL="debug")
        for name in _WORKERS
    ]
    for worker in workers:
        worker.start()
    try:
        with installation.books() as books:
            asyncio.run(_shared(installation, books, workers, found, progress, count))
    finally:
        codes = installation.close()
    found.faults += [f"{name} ended with exit code {code}" for name, code in codes.items() if code and name == "server"]
    return _part(found, count, skipped)


def _apart() -> Sequence[str]:
    return "unshare", "--net", *(() if os.geteuid() == 0 else ("--user", "--map-root-user"))


async def _shared(  # noqa: PLR0913, PLR0917 - all that is shared
    installation: Installation,
    books: Books,
    workers: Sequence[Program],
    found: Shared,
    progress: Progress,
    count: int,
) -> None:
    customers, wanted = Customers(installation.url, installation.keys), orders(count, has_links=False)
    bar = progress.add_task("two workers", total=count)
    async with new_session() as session:
        waiting = iter(wanted)

        async def customer() -> None:
            for order in waiting:
                await customers.hand_in(session, order, None)

        await asyncio.gather(*(customer() for _ in range(_CUSTOMERS)))
    found.networks = (
        len({_network(worker.process.pid) for worker in workers if worker.process} | {_network("self")}) - 1
    )
    await _until(books, count // 2, progress, bar, count)
    found.before = {worker.name: _done(worker) for worker in workers}
    await asyncio.to_thread(workers[0].kill)
    died = time.monotonic()
    at_work = set(await asyncio.to_thread(told.unended, books.database, is_running=True))
    found.at_work = len(at_work)
    while at_work and time.monotonic() < died + _PATIENCE_IN_S:
        at_work &= (await asyncio.to_thread(told.unended, books.database)).keys()
        await asyncio.sleep(_GLANCE_IN_S)
    found.taken_over_in_s = None if at_work else time.monotonic() - died
    await _until(books, 0, progress, bar, count)
    found.in_all = {worker.name: _done(worker) for worker in workers}
    _judge(installation, books, customers, wanted, found)
    progress.remove_task(bar)


async def _until(books: Books, most: int, progress: Progress, bar: TaskID, count: int) -> None:
    until = time.monotonic() + _PATIENCE_IN_S
    while time.monotonic() < until:
        left = len(await asyncio.to_thread(told.unended, books.database))
        progress.update(bar, completed=count - left)
        if left <= most:
            return
        await asyncio.sleep(_GLANCE_IN_S)


def _judge(
    installation: Installation, books: Books, customers: Customers, wanted: Sequence[Order], found: Shared
) -> None:
    rows = told.jobs(books.database)
    wrong = Counter(customers.faults)
    for order in wanted:
        accepted = customers.accepted.get(order.number)
        row = rows.get(accepted.job_id) if accepted else None
        status = row.status if row else "not there"
        if status != ("failed" if order.has_to_fail else "succeeded"):
            wrong[f"a job that is {status} for {order.kind}"] += 1
        elif accepted and not order.has_to_fail:
            for each in order.pictures:
                path = f"/v1/jobs/{accepted.job_id}/outputs/{each.name}"
                if fault := each.fault(installation.get(path, order.owner), order.color):
                    wrong[fault] += 1
    if len(rows) != len(wanted):
        wrong[f"{len(rows)} jobs for {len(wanted)} orders"] += 1
    found.faults += [f"{count} × {fault}" for fault, count in wrong.items()]
    found.faults += told.ledger_faults(books, rows, PriceSettings().transform_in_millicredits)
    if not (standing := told.standing(books.database)).is_quiet:
        found.faults.append(f"it never came to rest: {standing}")


def _network(process_id: int | str) -> str:
    return str(Path(f"/proc/{process_id}/ns/net").readlink())


def _done(worker: Program) -> int:
    return sum(line.get("event") == "job" for line in worker.lines)


def _part(found: Shared, count: int, skipped: str | None) -> Part:
    total = sum(found.before.values()) or 1
    least = min(found.before.values(), default=0) / total
    is_fair = least >= _LEAST_SHARE
    within = found.taken_over_in_s
    is_taken_over = within is not None and within <= BEGUN_AGAIN_WITHIN_IN_S
    if not is_fair:
        found.faults.append(f"one worker did {least:.0%} of the first half")
    if not is_taken_over:
        found.faults.append(f"jobs of a worker that died were taken over after {within} s")
    verdicts = [
        Verdict(
            f"both workers do at least {_LEAST_SHARE:.0%} while both live",
            ", ".join(f"{name} {done}" for name, done in found.before.items()),
            is_fair,
        ),
        Verdict(
            f"what a killed worker was at is done by the other within {BEGUN_AGAIN_WITHIN_IN_S:g} s",
            f"{found.at_work} jobs were at work, and had ended {within or float('nan'):.1f} s later",
            is_taken_over,
        ),
        Verdict("every job ended as it has to, ledger exact", f"{count} jobs", not found.faults),
    ]
    figures: dict[str, Any] = {
        "jobs": count,
        "networks_of_their_own": found.networks,
        "skipped": skipped,
        "done_before_the_death": dict(found.before),
        "done_in_all": dict(found.in_all),
        "at_work_at_the_death": found.at_work,
        "taken_over_in_s": within,
    }
    return Part("sharing", "Two workers", figures, list(_lines(found, skipped)), verdicts, found.faults)


def _lines(found: Shared, skipped: str | None) -> Iterator[str]:
    if skipped:
        yield f"- network namespaces: **skipped**, {skipped}"
    else:
        yield f"Each has a data folder of its own; {found.networks} have a network of their own."
    yield ""
    rows = [(name, found.before.get(name, 0), found.in_all.get(name, 0)) for name in _WORKERS]
    yield from table(("worker (the first is killed)", "jobs until then", "jobs in all"), rows)
