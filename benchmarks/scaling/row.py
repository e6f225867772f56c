"""How often one row can be changed: the balance of an organization whose requests come to several processes.

`python -m benchmarks.scaling.row FOLDER moves|claims ORGANIZATION SECONDS NUMBER` with `IMAGEPLANE_DATABASE__URL` is
one of these processes; it says how many requests it held and settled credits for, or how many jobs it claimed.
"""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final

from pydantic import SecretStr
from sqlalchemy import text

from benchmarks.load.stage import Part, table
from benchmarks.peers import ROOT
from benchmarks.scaling.postgres import Watched
from benchmarks.scaling.units import COMMITS, ON_SQLITE
from imageplane.accounts import keys
from imageplane.accounts.account import Account
from imageplane.accounts.books import Books
from imageplane.accounts.moves import Hold
from imageplane.accounts.prices import Price
from imageplane.database.stamps import new_id, now_in_ms
from imageplane.jobs import rows
from imageplane.settings import DatabaseSettings, Settings
from tests.job_rows import insert_job

_CALLERS: Final = 64
_CLAIMERS: Final = 4
_COMMITTERS: Final = 16
_SECONDS: Final = 3.0
_PRICE: Final = Price("image_transformation", 1000)
_LEASE_IN_MS: Final = 600_000
_MOST: Final = 10**6
_JOBS: Final = 6000
_QUEUED: Final = text("""
    INSERT INTO jobs SELECT (jsonb_populate_record(one, jsonb_build_object(
        'id', one.id || '-' || number, 'status', 'queued', 'due_at_in_ms', 0))).*
    FROM jobs one, generate_series(1, :count) number WHERE one.id = :id
""")
_WAITING: Final = "SELECT id FROM jobs WHERE status = 'queued' AND organization_id = :id ORDER BY id"


@dataclass(frozen=True, slots=True)
class Case:
    """So many processes that do the same for one organization, or each for one of its own."""

    title: str
    way: str
    processes: int
    is_shared: bool
    is_on_sqlite: bool = False


_CASES: Final = (
    Case("hold and settle, 1 process", "moves", 1, is_shared=True),
    Case("hold and settle, 4 processes, one organization", "moves", 4, is_shared=True),
    Case("hold and settle, 4 processes, one each", "moves", 4, is_shared=False),
    Case(ON_SQLITE, "moves", 1, is_shared=True, is_on_sqlite=True),
    Case("claim a job, 2 processes, one organization", "claims", 2, is_shared=True),
    Case("claim a job, 2 processes, one each", "claims", 2, is_shared=False),
)


def part(watched: Watched, scratch: Path, step: Callable[[str], None]) -> Part:
    """Do every case for a few seconds."""
    figures = {}
    for case in _CASES:
        step(f"one row: {case.title}")
        figures[case.title] = _measured(watched, scratch / new_id(), case)
    step(f"one row: {COMMITS}")
    commits = watched.commits_per_s(_COMMITTERS, _SECONDS)
    figures[COMMITS] = {
        "per_s": commits,
        "commits_per_s": commits,
        "in_one_commit": 1.0,
        "wait_in_ms": 1000 * _COMMITTERS / commits,
        "cpu_in_ms": None,
    }
    lines = [
        f"Nothing but the database's part, without HTTP: {_CALLERS} callers a process hold credits and settle them, or "
        f"{_CLAIMERS} threads a process claim jobs that wait. All processes share the cores with PostgreSQL.",
        "",
        *table(
            ("case", "a second", "commits a second", "in one commit", "mean wait, ms", "CPU ms of PostgreSQL each"),
            [(title, *found.values()) for title, found in figures.items()],
        ),
    ]
    return Part("row", "One organization's row", figures, lines)


def _measured(watched: Watched, folder: Path, case: Case) -> dict[str, float | None]:
    url = f"sqlite:///{folder}/imageplane.db" if case.is_on_sqlite else watched.new_database()
    with _books(url, folder) as books:
        names = [_founded(books, number, case) for number in range(1 if case.is_shared else case.processes)]
    environment = os.environ | {"IMAGEPLANE_DATABASE__URL": url}
    command = [sys.executable, "-m", "benchmarks.scaling.row", str(folder), case.way]
    children = [
        subprocess.Popen(
            [*command, names[number % len(names)], str(_SECONDS), str(number)],
            env=environment,
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for number in range(case.processes)
    ]
    for child in children:
        _pipe(child.stdout).readline()
    mark, started = watched.mark(), time.monotonic()
    for child in children:
        _pipe(child.stdin).write("go\n")
        _pipe(child.stdin).flush()
    told = [json.loads(child.communicate()[0]) for child in children]
    seconds, work = time.monotonic() - started, watched.since(mark)
    done = sum(each["done"] for each in told)
    at_once = (_CALLERS if case.way == "moves" else _CLAIMERS) * case.processes
    moves = 2 * done if case.way == "moves" else done
    return {
        "per_s": done / _SECONDS,
        "commits_per_s": None if case.is_on_sqlite else work.commits / seconds,
        "in_one_commit": None if case.is_on_sqlite else moves / (work.commits or 1),
        "wait_in_ms": 1000 * at_once * _SECONDS / (done or 1),
        "cpu_in_ms": None if case.is_on_sqlite else 1000 * work.cpu_in_s / (done or 1),
    }


def _pipe(pipe: IO[str] | None) -> IO[str]:
    if pipe is None:
        raise RuntimeError("the process was started without pipes")
    return pipe


def _books(url: str, folder: Path) -> Books:
    return Books.open(Settings.model_construct(data_dir=folder, database=DatabaseSettings(url=SecretStr(url))))


def _founded(books: Books, number: int, case: Case) -> str:
    """Make an organization, and jobs that wait where they are to be claimed; gives its name."""
    name = f"organization {number}"
    with books.database.writing() as connection:
        owner = books.new_organization(connection, name, 10**9)
        keys.create(connection, owner.id, name)
        if case.way == "claims":
            connection.execute(_QUEUED, {"id": insert_job(connection, owner.id), "count": _JOBS})
    return name


class Callers:
    """Callers who hold credits, settle them, and come again, without a thread of their own."""

    def __init__(self, books: Books, account: Account, until: float) -> None:
        self._ledger = books.ledger
        self._account = account
        self._until = until
        self.done = 0
        self.ended = threading.Semaphore(0)

    def start(self) -> None:
        """Have one caller begin."""
        holding = self._ledger.hold(self._account, _PRICE, "benchmark", expires_in_s=600)
        holding.add_done_callback(self._held)

    def _held(self, holding: "Future[Hold]") -> None:
        self._ledger.settle(holding.result()).add_done_callback(self._settled)

    def _settled(self, settling: "Future[int]") -> None:
        settling.result()
        if time.monotonic() < self._until:
            self.done += 1
            self.start()
        else:
            self.ended.release()


def _move(books: Books, account: Account, seconds: float) -> int:
    callers = Callers(books, account, time.monotonic() + seconds)
    for _ in range(_CALLERS):
        callers.start()
    for _ in range(_CALLERS):
        callers.ended.acquire()
    return callers.done


def _claim(books: Books, account: Account, seconds: float, number: int) -> int:
    waiting = [row[0] for row in books.database.rows(_WAITING, {"id": account.organization_id})]
    # Where two processes share them, every other one.
    ids = iter(waiting[number % 2 :: 2])
    until, done = time.monotonic() + seconds, []

    def claim() -> None:
        while time.monotonic() < until and (job_id := next(ids, None)) is not None:
            with books.database.writing() as connection:
                if rows.claim_within(connection, job_id, new_id(), now_in_ms() + _LEASE_IN_MS, _MOST):
                    done.append(job_id)

    threads = [threading.Thread(target=claim) for _ in range(_CLAIMERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return len(done)


def main() -> None:
    """Be one of the processes."""
    folder, way, name, seconds, number = sys.argv[1:]
    with _books(os.environ["IMAGEPLANE_DATABASE__URL"], Path(folder)) as books:
        account = _account(books, name)
        print("ready", flush=True)
        sys.stdin.readline()
        if way == "moves":
            done = _move(books, account, float(seconds))
        else:
            done = _claim(books, account, float(seconds), int(number))
        print(json.dumps({"done": done}))


def _account(books: Books, name: str) -> Account:
    statement = """
        SELECT organizations.id, organizations.name, api_keys.id, api_keys.name
        FROM organizations JOIN api_keys ON organization_id = organizations.id WHERE organizations.name = :name
    """
    found: Any = books.database.rows(statement, {"name": name})[0]
    return Account(*found)


if __name__ == "__main__":
    main()
