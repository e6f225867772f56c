"""What the database says of all jobs, read beside those who work on them."""

from collections import Counter
from dataclasses import dataclass
from typing import Any, Final

from imageplane.accounts import audit
from imageplane.accounts.books import Books
from imageplane.database import Database
from imageplane.database.stamps import now_in_ms

_STATUSES: Final = "SELECT status, count(*) FROM jobs GROUP BY status"
_PENDING: Final = "SELECT status, count(*) FROM deliveries GROUP BY status"
_TICKETS: Final = "SELECT status, count(*) FROM procrastinate_jobs GROUP BY status"
_UNENDED: Final = "SELECT id, attempts, status FROM jobs WHERE status IN ('queued', 'running')"
_HOLDS: Final = "SELECT count(*) FROM holds"
_LATE: Final = """
    SELECT deliveries.id, organizations.name FROM deliveries JOIN organizations ON organizations.id = organization_id
    WHERE status = 'pending' AND due_at_in_ms > :later AND lease_expires_at_in_ms IS NULL
"""
_JOBS: Final = """
    SELECT jobs.id, organizations.name, status, attempts, error, hold_id, amount_in_millicredits,
           ended_at_in_ms - started_at_in_ms
    FROM jobs JOIN organizations ON organizations.id = organization_id
"""
_ENTRIES: Final = "SELECT hold_id, kind, amount_in_millicredits FROM ledger_entries WHERE hold_id IS NOT NULL"
_BALANCES: Final = """
    SELECT name, balance_in_millicredits,
           (SELECT SUM(amount_in_millicredits) FROM ledger_entries WHERE organization_id = organizations.id
            AND kind = 'grant')
    FROM organizations
"""
_ATTEMPTS: Final = "SELECT status_code, error, count(*) FROM delivery_attempts GROUP BY status_code, error"
_OF_DELIVERIES: Final = "SELECT job_id, attempts, status FROM deliveries"


@dataclass(frozen=True, slots=True)
class Standing:
    """How far everything is."""

    jobs: dict[str, int]
    deliveries: dict[str, int]
    tickets: int
    holds: int

    @property
    def is_quiet(self) -> bool:
        """Whether nothing is left to do."""
        under_way = self.jobs.get("queued", 0) + self.jobs.get("running", 0) + self.deliveries.get("pending", 0)
        return not (under_way or self.tickets or self.holds)

    def __str__(self) -> str:
        return f"jobs {self.jobs}, webhooks {self.deliveries}, {self.tickets} tickets, {self.holds} open holds"


@dataclass(frozen=True, slots=True)
class Row:
    """One job as its row tells it, with the moves of its hold in the ledger."""

    id: str
    owner: str
    status: str
    attempts: int
    error: str | None
    hold_id: str
    amount_in_millicredits: int
    work_in_ms: int | None
    moves: tuple[tuple[str, int], ...] = ()

    @property
    def ledger_fault(self) -> str | None:
        """Say how its moves differ from a hold, and one settling or release of it."""
        held = ("hold", -self.amount_in_millicredits)
        end = ("settle", 0) if self.status == "succeeded" else ("release", self.amount_in_millicredits)
        return None if sorted(self.moves) == sorted((held, end)) else f"a job that {self.status} has {self.moves}"


def standing(database: Database) -> Standing:
    """Tell how far everything is. Errors: busy."""
    tickets = 0 if database.is_sqlite else sum(count for _, count in database.rows(_TICKETS))
    holds = database.rows(_HOLDS)[0][0]
    return Standing(_counted(database, _STATUSES), _counted(database, _PENDING), tickets, holds)


def unended(database: Database, *, is_running: bool = False) -> dict[str, int]:
    """Give how often each job was begun that has not ended; only those that are at work, if asked. Errors: busy."""
    rows = database.rows(_UNENDED)
    return {name: attempts for name, attempts, status in rows if status == "running" or not is_running}


def waiting_for_long(database: Database, longer_than_in_s: float) -> list[tuple[str, str]]:
    """Give the webhooks, each with its organization, that nobody sends within so many seconds. Errors: busy."""
    later = now_in_ms() + round(longer_than_in_s * 1000)
    return [(name, owner) for name, owner in database.rows(_LATE, {"later": later})]


def jobs(database: Database) -> dict[str, Row]:
    """Give all jobs by id. Errors: busy."""
    moves: dict[str, list[tuple[str, int]]] = {}
    for hold_id, kind, amount in database.rows(_ENTRIES):
        moves.setdefault(hold_id.removesuffix("-late"), []).append((kind, amount))
    return {row[0]: Row(*row[:8], tuple(moves.pop(row[5], ()))) for row in database.rows(_JOBS)}  # type: ignore[call-arg]


def ledger_faults(books: Books, rows: dict[str, Row], price_in_millicredits: int) -> list[str]:
    """Say all that is wrong with the ledger."""
    faults = [f"the audit: {line}" for line in audit.verify(books.database)]
    wrong = Counter(fault for row in rows.values() if (fault := row.ledger_fault))
    faults += [f"{count} × {fault}" for fault, count in wrong.items()]
    done = Counter(row.owner for row in rows.values() if row.status == "succeeded")
    for name, balance, granted in books.database.rows(_BALANCES):
        if balance != granted - price_in_millicredits * done[name]:
            faults.append(f"{name} has {balance} of {granted} millicredits left after {done[name]} jobs that succeeded")
    holds_in_ledger = {row[0] for row in books.database.rows(_ENTRIES)}
    if len(holds_in_ledger) != len(rows):
        faults.append(f"{len(holds_in_ledger)} holds for {len(rows)} jobs")
    return faults


def attempts(database: Database) -> dict[str, int]:
    """Count what came of the attempts to deliver."""
    return {error or f"answered {status}": count for status, error, count in database.rows(_ATTEMPTS)}


def deliveries(database: Database) -> list[tuple[str, int, str]]:
    """Give job, number of attempts and status of every webhook."""
    found: list[Any] = database.rows(_OF_DELIVERIES)
    return found


def _counted(database: Database, statement: str) -> dict[str, int]:
    return dict(database.rows(statement))
