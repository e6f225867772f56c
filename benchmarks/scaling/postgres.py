"""What PostgreSQL does, seen from outside: its log, its write-ahead log and its processes."""

import contextlib
import re
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Final

import psutil
import psycopg

from benchmarks.scaling.clocks import family_in_s
from tests.postgres import Postgres

_STATEMENT: Final = re.compile(rb"LOG:  (?:statement|execute [^:]*): *(\w*)")
_CONNECTIONS: Final = (
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
)
_LOOK_EVERY_IN_S: Final = 0.3
_PACE: Final = re.compile(r"tps = ([\d.]+)")
_RECORD: Final = re.compile(r"^(\S+/\S+)\s+(\d+)\s+\(.*?\)\s+(\d+)\s+\(.*?\)\s+(\d+)")
_ROWS: Final = re.compile(r"Heap2?/(?:MULTI_INSERT|INSERT|UPDATE|HOT_UPDATE|DELETE)")


@dataclass(frozen=True, slots=True)
class Work:
    """What was done between two moments.

    Takes: `commits` of transactions that wrote something, each of which waits for the disk; `rows`, inserted, changed
    and deleted; bytes of the write-ahead log without `page_images`, the copies of whole pages after a checkpoint.
    """

    statements: float
    commits: float
    rows: float
    wal_in_bytes: float
    page_images_in_bytes: float
    cpu_in_s: float

    def each(self, count: int) -> "Work":
        """Give the same by request."""
        return Work(*(round(getattr(self, field.name) / count, 6) for field in fields(self)))


@dataclass(frozen=True, slots=True)
class Mark:
    """A moment. Takes: how long the log was, the position in the write-ahead log, CPU seconds so far."""

    log_in_bytes: int
    position: str
    cpu_in_s: float


class Watched:
    """A PostgreSQL in a temporary folder whose work is counted."""

    def __init__(self, postgres: Postgres, folder: Path) -> None:
        self._postgres = postgres
        self._folder = folder
        pid = int((folder / "data" / "postmaster.pid").read_text().splitlines()[0])
        self._process = psutil.Process(pid)

    def new_database(self) -> str:
        """Give the URL of a fresh, empty database."""
        return self._postgres.new_database()

    def log_statements(self, *, is_on: bool) -> None:
        """Have every statement written to the log, or none."""
        self._tell(f"ALTER SYSTEM SET log_statement = '{'all' if is_on else 'none'}'", "SELECT pg_reload_conf()")

    def mark(self) -> Mark:
        """Give this moment."""
        position = str(self.row("SELECT pg_current_wal_flush_lsn()")[0])
        return Mark((self._folder / "log").stat().st_size, position, family_in_s(self._process))

    def since(self, mark: Mark) -> Work:
        """Tell what was done since a moment."""
        now = self.mark()
        with (self._folder / "log").open("rb") as log:
            log.seek(mark.log_in_bytes)
            statements = len(_STATEMENT.findall(log.read()))
        records = self._records(mark.position, now.position)
        return Work(
            statements,
            sum(count for name, count, _, _ in records if name.startswith("Transaction/COMMIT")),
            sum(count for name, count, _, _ in records if _ROWS.match(name)),
            sum(size for _, _, size, _ in records),
            sum(images for _, _, _, images in records),
            now.cpu_in_s - mark.cpu_in_s,
        )

    def commits_per_s(self, connections: int, seconds: float) -> float:
        """Give how often so many connections can commit a row each, asked by pgbench, which takes little CPU."""
        script = self._folder / "commit.sql"
        self._tell("CREATE TABLE IF NOT EXISTS committed (number integer)")
        script.write_text("INSERT INTO committed VALUES (1);\n")
        command = [_program("pgbench"), "--no-vacuum", f"--file={script}", f"--client={connections}"]
        command += [f"--time={round(seconds)}", "--username=postgres", f"--host={self._folder}", "postgres"]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        found = _PACE.search(done.stdout)
        if found is None:
            raise RuntimeError(f"pgbench says no pace: {done.stdout}")
        return float(found[1])

    def row(self, statement: str, url: str = "") -> tuple[Any, ...]:
        """Give one row of a database, or of the one that is always there."""
        with psycopg.connect(url or self._address, autocommit=True) as connection:
            found = connection.execute(statement.encode()).fetchone()
        if found is None:
            raise RuntimeError("the database gave no row")
        return found

    @property
    def _address(self) -> str:
        return f"host={self._folder} user=postgres dbname=postgres"

    def _tell(self, *statements: str) -> None:
        with psycopg.connect(self._address, autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement.encode())

    def _records(self, start: str, end: str) -> list[tuple[str, int, int, int]]:
        """Give kind, number, size and size of page images of the records between two positions."""
        if start == end:
            return []
        command = [_program("pg_waldump"), "--stats=record", f"--path={self._folder / 'data' / 'pg_wal'}"]
        done = subprocess.run(
            [*command, f"--start={start}", f"--end={end}"], capture_output=True, text=True, check=True
        )
        found = (_RECORD.match(line) for line in done.stdout.splitlines())
        return [(each[1], int(each[2]), int(each[3]), int(each[4])) for each in found if each]


class Connections:
    """Counts the connections to a database now and then, from a thread of its own, and keeps the most."""

    def __init__(self, watched: Watched, url: str) -> None:
        self._watched = watched
        self._url = url
        self._is_over = threading.Event()
        self.most = 0

    @contextlib.contextmanager
    def counted(self) -> Iterator[None]:
        """Count for the length of a block."""
        thread = threading.Thread(target=self._count)
        thread.start()
        try:
            yield
        finally:
            self._is_over.set()
            thread.join()

    def _count(self) -> None:
        while not self._is_over.wait(_LOOK_EVERY_IN_S):
            self.most = max(self.most, int(self._watched.row(_CONNECTIONS, self._url)[0]))


@contextlib.contextmanager
def running() -> Iterator[Watched]:
    """Run a PostgreSQL for a block, or skip as tests do."""
    with tempfile.TemporaryDirectory(prefix="pg", ignore_cleanup_errors=True) as name:
        postgres = Postgres(Path(name))
        postgres.start()
        try:
            yield Watched(postgres, Path(name))
        finally:
            postgres.stop()


def _program(name: str) -> str:
    # Debian keeps them beside the PATH, by version.
    places = sorted(map(str, Path("/usr/lib/postgresql").glob(f"*/bin/{name}")))
    found = shutil.which(name) or next(reversed(places), None)
    if found is None:
        raise RuntimeError(f"{name} is missing; it comes with the server of PostgreSQL")
    return found
