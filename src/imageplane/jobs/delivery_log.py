"""What an organization may know of its deliveries, each with its attempts; and another go when somebody asks for it."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection

from imageplane.database.statements import Statement
from imageplane.errors import NotFound
from imageplane.jobs.deliveries import Delivery
from imageplane.jobs.delivery_schedule import TRIES, Status
from imageplane.jobs.receiver import shown

_MOST_TOLD: Final = 100
_COLUMNS: Final = "id, job_id, url, delivery, status, due_at_in_ms, created_at_in_ms, ended_at_in_ms"
_IS_THERE: Final = Statement("SELECT id FROM jobs WHERE organization_id = :organization_id AND id = :job_id")
_OF_JOB: Final = Statement(f"""
    SELECT {_COLUMNS} FROM deliveries WHERE organization_id = :organization_id AND job_id = :job_id
    ORDER BY id DESC LIMIT {_MOST_TOLD}
""")  # noqa: S608 - made of constants
_OF_ID: Final = Statement(f"""
    SELECT {_COLUMNS} FROM deliveries WHERE organization_id = :organization_id AND id = :id
""")  # noqa: S608 - made of constants
_ATTEMPTS: Final = Statement("""
    SELECT delivery_id, number, at_in_ms, duration_in_ms, status_code, error FROM delivery_attempts
    WHERE delivery_id IN :ids ORDER BY delivery_id, number
""")
# What is being sent right now is left alone: it is the go that was asked for.
_AGAIN: Final = Statement("""
    UPDATE deliveries SET status = 'pending', tries_left = :tries, due_at_in_ms = :now, ended_at_in_ms = NULL,
        claim = NULL, lease_expires_at_in_ms = NULL
    WHERE organization_id = :organization_id AND id = :id
          AND (lease_expires_at_in_ms IS NULL OR lease_expires_at_in_ms <= :now)
""")


@dataclass(frozen=True, slots=True)
class LoggedAttempt:
    """One attempt: when, for how long, what the receiver answered, and what was wrong with that."""

    number: int
    at_in_ms: int
    duration_in_ms: int
    status_code: int | None
    error: str | None


@dataclass(frozen=True, slots=True)
class LoggedDelivery:
    """A delivery as it may be shown: its URL without the query; `due_at_in_ms` is None when it has ended."""

    id: str
    job_id: str
    url: str
    delivery: Delivery
    status: Status
    due_at_in_ms: int | None
    created_at_in_ms: int
    ended_at_in_ms: int | None
    attempts: tuple[LoggedAttempt, ...]


def of_job(connection: Connection, organization_id: str, job_id: str) -> tuple[LoggedDelivery, ...]:
    """Give the deliveries of a job, the newest first. Errors: not_found, when the organization has no such job."""
    parameters = {"organization_id": organization_id, "job_id": job_id}
    if not list(_IS_THERE.run(connection, parameters)):
        raise NotFound("There is no such job.")
    return _with_attempts(connection, _OF_JOB, parameters)


def redeliver(connection: Connection, organization_id: str, delivery_id: str, now_in_ms: int) -> LoggedDelivery:
    """Have a delivery sent again at once, whatever became of it, with all its tries before it. Errors: not_found."""
    parameters = {"organization_id": organization_id, "id": delivery_id}
    _AGAIN.run(connection, {**parameters, "tries": TRIES, "now": now_in_ms})
    found = _with_attempts(connection, _OF_ID, parameters)
    if not found:
        raise NotFound("There is no such delivery.")
    return found[0]


def _with_attempts(
    connection: Connection, statement: Statement, parameters: dict[str, Any]
) -> tuple[LoggedDelivery, ...]:
    rows = [tuple(row) for row in statement.run(connection, parameters)]
    attempts = _attempts(connection, [row[0] for row in rows])
    return tuple(_logged(row, tuple(attempts[row[0]])) for row in rows)


def _attempts(connection: Connection, ids: Sequence[str]) -> dict[str, list[LoggedAttempt]]:
    found: dict[str, list[LoggedAttempt]] = defaultdict(list)
    for delivery_id, *columns in map(tuple, _ATTEMPTS.run(connection, {"ids": list(ids)})):
        found[delivery_id].append(LoggedAttempt(*columns))
    return found


def _logged(row: tuple[Any, ...], attempts: tuple[LoggedAttempt, ...]) -> LoggedDelivery:
    name, job_id, url, delivery, status, due_at_in_ms, created_at_in_ms, ended_at_in_ms = row
    due = due_at_in_ms if status == "pending" else None
    return LoggedDelivery(name, job_id, shown(url), delivery, status, due, created_at_in_ms, ended_at_in_ms, attempts)
