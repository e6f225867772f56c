"""Jobs and their webhooks under kills, restarts and failing receivers: `python -m benchmarks.async_jobs --help`."""

import argparse
import asyncio
import contextlib
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

import pytest
from rich.console import Console
from rich.markdown import Markdown
from rich.progress import Progress

from benchmarks import machine
from benchmarks.async_jobs import sharing
from benchmarks.async_jobs.customers import Customers
from benchmarks.async_jobs.disasters import (
    RESTARTS,
    SERVERS_KILLED,
    WORKERS_KILLED,
    kill_server,
    kill_workers,
    restart_postgres,
)
from benchmarks.async_jobs.judging import judge
from benchmarks.async_jobs.orders import MOST, orders
from benchmarks.async_jobs.programs import TIMEOUT_IN_S, Installation
from benchmarks.async_jobs.receiver import Receiver
from benchmarks.async_jobs.storm import Disaster, Storm
from benchmarks.async_jobs.storm_report import part_of
from benchmarks.load.report import Load
from benchmarks.load.stage import Part
from benchmarks.run import COLUMNS, RESULTS, names_of
from tests.postgres import Postgres

PARTS: Final = ("postgresql", "sqlite", "sharing")
_SERVERS_KILLED: Final = 5
_WORKERS_AT_LEAST: Final = 2
# So few that some wait for others of their organization, and more than what a killed worker holds for half a minute.
_MOST_OF_ONE: Final = 12
_SETTINGS: Final = {"JOBS__MAX_CONCURRENT_PER_ORGANIZATION": str(_MOST_OF_ONE)}


def main() -> None:
    """Read the command line, let loose, judge and print; the exit code is 1 when anything was lost or wrong."""
    options, console = _options(), Console()
    commit, before = machine.commit(), machine.describe()
    with Progress(*COLUMNS, console=console) as progress, contextlib.ExitStack() as stack:
        # The path of a socket may have only about 100 characters.
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="jobs", ignore_cleanup_errors=True)))
        parts = list(_parts(options, scratch, progress))
    here = before | {"load_average_after": machine.describe()["load_average"]}
    sizes = {"jobs": options.jobs, "workers": options.workers, "kill_every_in_s": options.kill_every}
    load = Load("jobs", "Jobs and webhooks", commit, here, sizes, parts)
    page = load.write(options.results)
    console.print(Markdown(page.read_text()))
    console.print(f"Written to {page} and {page.with_suffix('.json').name} beside it.")
    sys.exit(1 if load.faults else 0)


def _parts(options: argparse.Namespace, scratch: Path, progress: Progress) -> Iterator[Part]:
    with contextlib.ExitStack() as stack:
        postgres = None
        if {"postgresql", "sharing"} & set(options.only):
            try:
                postgres = stack.enter_context(_running_postgres())
            except pytest.skip.Exception as missing:
                progress.console.print(f"[yellow]postgresql and sharing are skipped: {missing}")
        for name in options.only:
            if name == "sqlite":
                yield _on_sqlite(scratch / name, options, progress)
            elif postgres is None:
                yield Part(name, f"{name}: skipped, there is no PostgreSQL here", {"skipped": True}, [])
            elif name == "postgresql":
                yield _on_postgres(scratch / name, postgres, options, progress)
            else:
                yield sharing.part(scratch / name, postgres, progress, options.shared)


def _on_postgres(folder: Path, postgres: Postgres, options: argparse.Namespace, progress: Progress) -> Part:
    installation = Installation(folder, postgres.new_database(), _SETTINGS)
    installation.found()
    installation.server(JOBS__CONCURRENCY="0")
    workers = [
        installation.program(f"worker {number}", "worker", JOBS__CONCURRENCY="4")
        for number in range(1, options.workers + 1)
    ]
    for worker in workers:
        worker.start()
    disasters = [kill_workers(workers, options.kill_every), restart_postgres(postgres)]
    wanted = {WORKERS_KILLED: _WORKERS_AT_LEAST, RESTARTS: 1}
    return _stormed("postgresql", "PostgreSQL", installation, disasters, wanted, options, progress)


def _on_sqlite(folder: Path, options: argparse.Namespace, progress: Progress) -> Part:
    # A claim of an Idempotency-Key lives as long as a request may; nobody shall wait for that of a killed server.
    installation = Installation(folder, None, _SETTINGS | {"HTTP__DEADLINE_IN_S": "5", "ENGINE__COUNT": "2"})
    installation.found()
    server = installation.server()
    disasters = [kill_server(server, _SERVERS_KILLED)]
    wanted = {SERVERS_KILLED: _SERVERS_KILLED}
    return _stormed("sqlite", "SQLite", installation, disasters, wanted, options, progress)


def _stormed(  # noqa: PLR0913, PLR0917 - all that a storm is made of
    key: str,
    name: str,
    installation: Installation,
    disasters: Sequence[Disaster],
    wanted: Mapping[str, int],
    options: argparse.Namespace,
    progress: Progress,
) -> Part:
    receiver = Receiver(installation.secrets, TIMEOUT_IN_S)
    customers = Customers(installation.url, installation.keys)
    try:
        with installation.books() as books:
            chosen = orders(options.jobs)
            storm = Storm(name, installation, books, chosen, receiver, customers, progress, options.patience)
            asyncio.run(storm.rage(disasters))
            found = asyncio.run(judge(storm))
    finally:
        codes = installation.close()
    return part_of(key, storm, found, wanted, codes)


@contextlib.contextmanager
def _running_postgres() -> Iterator[Postgres]:
    with tempfile.TemporaryDirectory(prefix="pg", ignore_cleanup_errors=True) as name:
        postgres = Postgres(Path(name))
        postgres.start()
        try:
            yield postgres
        finally:
            postgres.stop()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.async_jobs", description=__doc__)
    parser.add_argument("--jobs", type=int, default=2000, help="of each storm (2000)")
    parser.add_argument("--shared", type=int, default=600, help="jobs that two workers share (600)")
    parser.add_argument("--workers", type=int, default=3, help="of the storm on PostgreSQL (3)")
    parser.add_argument("--kill-every", type=float, default=10.0, help="seconds between kills of a worker (10)")
    parser.add_argument("--patience", type=float, default=600.0, help="seconds until a storm is given up (600)")
    parser.add_argument(
        "--only", type=names_of(dict.fromkeys(PARTS)), default=list(PARTS), help=f"some of {','.join(PARTS)}"
    )
    parser.add_argument("--results", type=Path, default=RESULTS, help="where the tables are written")
    options = parser.parse_args()
    if not 4 <= options.jobs <= MOST:
        parser.error(f"--jobs is between 4 and {MOST}")
    return options


if __name__ == "__main__":
    main()
