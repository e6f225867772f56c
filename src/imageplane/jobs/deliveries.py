"""Deliveries: the rows of messages to webhooks, and the statements that a courier changes them with.

A row that is due is claimed by one process for as long as its lease runs; what it did counts only while it still has
the claim. So nothing is sent by two at once, and what a killed process held is sent by another when the lease is over.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from sqlalchemy import Connection

from imageplane.database.stamps import new_id
from imageplane.database.statements import Statement
from imageplane.jobs.delivery_schedule import TRIES, Attempt, Step
from imageplane.jobs.secrets import WebhookSecret, that_sign
from imageplane.jobs.slots import Candidate, Full
from imageplane.sources.location import Location

Delivery = Literal["bytes", "link"]

ID_PREFIX: Final = "msg_"
# The log of one delivery, however often a person asks for another go.
_MOST_ATTEMPTS_KEPT: Final = 100
_MOST_LOOKED_AT: Final = 200

_INSERT: Final = Statement("""
    INSERT INTO deliveries (id, organization_id, job_id, url, host, delivery, size_in_bytes, status, attempts,
                            tries_left, due_at_in_ms, created_at_in_ms)
    VALUES (:id, :organization_id, :job_id, :url, :host, :delivery, :size_in_bytes, 'pending', 0, :tries, :now, :now)
""")
_IS_DUE: Final = """
    status = 'pending' AND due_at_in_ms <= :now AND (lease_expires_at_in_ms IS NULL OR lease_expires_at_in_ms <= :now)
"""
_DUE: Final = Statement(f"""
    SELECT id, organization_id, host, size_in_bytes FROM deliveries
    WHERE {_IS_DUE} AND NOT organization_id IN :organization_ids AND NOT host IN :hosts
          AND NOT organization_id || ' ' || host IN :pairs
    ORDER BY due_at_in_ms LIMIT :most
""")  # noqa: S608 - made of constants
# SQLite, where one writes at a time, neither needs nor knows the lock.
_CLAIM: Final = {
    dialect: Statement(f"""
        UPDATE deliveries SET claim = :claim, lease_expires_at_in_ms = :lease_expires_at
        WHERE id IN (SELECT id FROM deliveries WHERE id IN :ids AND {_IS_DUE} {lock})
        RETURNING id, organization_id, job_id, url, delivery, attempts, tries_left
    """)  # noqa: S608 - made of constants
    for dialect, lock in (("sqlite", ""), ("postgresql", "FOR NO KEY UPDATE SKIP LOCKED"))
}
_RECORD: Final = Statement("""
    UPDATE deliveries SET status = :status, attempts = :number, tries_left = :tries_left, due_at_in_ms = :due_at,
        ended_at_in_ms = :ended_at, claim = NULL, lease_expires_at_in_ms = NULL
    WHERE id = :id AND claim = :claim
""")
_LOG: Final = Statement("""
    INSERT INTO delivery_attempts (delivery_id, number, at_in_ms, duration_in_ms, status_code, error)
    VALUES (:id, :number, :at, :duration, :status_code, :error)
""")
_SHORTEN_LOG: Final = Statement("DELETE FROM delivery_attempts WHERE delivery_id = :id AND number <= :number")
_PUT_BACK: Final = Statement("""
    UPDATE deliveries SET due_at_in_ms = :due_at, claim = NULL, lease_expires_at_in_ms = NULL
    WHERE id = :id AND claim = :claim
""")


@dataclass(frozen=True, slots=True)
class Wish:
    """A message that is to be sent.

    Takes: the receiver, as `receiver.receiver_at` gave it; `size_in_bytes`, as far as it is known, of the body that
    will be sent, so that many large ones are not in memory at once.
    """

    organization_id: str
    job_id: str
    receiver: Location
    delivery: Delivery = "bytes"
    size_in_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Claimed:
    """A delivery that this process is to send now; `tries_left` counts the one that is due."""

    id: str
    organization_id: str
    job_id: str
    url: str = field(repr=False)
    delivery: Delivery
    attempts: int
    tries_left: int
    claim: str
    lease_expires_at_in_ms: int
    secrets: tuple[WebhookSecret, ...]


def insert(connection: Connection, wishes: Sequence[Wish], now_in_ms: int) -> list[str]:
    """Have messages sent once the transaction is committed; gives their ids."""
    rows = [
        {
            "id": ID_PREFIX + new_id(now_in_ms),
            "organization_id": wish.organization_id,
            "job_id": wish.job_id,
            "url": wish.receiver.text,
            "host": f"{wish.receiver.host}:{wish.receiver.port}",
            "delivery": wish.delivery,
            "size_in_bytes": wish.size_in_bytes,
            "tries": TRIES,
            "now": now_in_ms,
        }
        for wish in wishes
    ]
    if rows:
        _INSERT.run_each(connection, rows)
    return [str(row["id"]) for row in rows]


def due(connection: Connection, full: Full, now_in_ms: int) -> list[Candidate]:
    """Give the first of the deliveries that are due, without those of whom may send no more for now."""
    parameters = {
        "now": now_in_ms,
        "organization_ids": list(full.organization_ids),
        "hosts": list(full.hosts),
        "pairs": list(full.pairs),
        "most": _MOST_LOOKED_AT,
    }
    return [Candidate(*tuple(row)) for row in _DUE.run(connection, parameters)]


def claim(connection: Connection, ids: Sequence[str], now_in_ms: int, lease_in_ms: int) -> list[Claimed]:
    """Claim what of these is still due and nobody else's, and give it with what it is to be signed with."""
    name, until = new_id(), now_in_ms + lease_in_ms
    parameters = {"claim": name, "lease_expires_at": until, "ids": list(ids), "now": now_in_ms}
    rows = [tuple(row) for row in _CLAIM[connection.dialect.name].run(connection, parameters)]
    secrets = that_sign(connection, {row[1] for row in rows}, now_in_ms) if rows else {}
    return [Claimed(*(*row, name, until, secrets[row[1]])) for row in rows]


def record(connection: Connection, claimed: Claimed, attempt: Attempt, step: Step, now_in_ms: int) -> bool:
    """Keep what came of an attempt and what is next; False, and nothing is kept, when the claim is lost."""
    number = claimed.attempts + 1
    parameters: dict[str, Any] = {
        "id": claimed.id,
        "claim": claimed.claim,
        "status": step.status,
        "number": number,
        "tries_left": claimed.tries_left - 1,
        "due_at": now_in_ms + round(step.wait_in_s * 1000),
        "ended_at": None if step.status == "pending" else now_in_ms,
    }
    if not _RECORD.run(connection, parameters).rowcount:
        return False
    log = {
        "id": claimed.id,
        "number": number,
        "at": attempt.at_in_ms,
        "duration": attempt.duration_in_ms,
        "status_code": attempt.status_code,
        "error": attempt.error,
    }
    _LOG.run(connection, log)
    if number > _MOST_ATTEMPTS_KEPT:
        _SHORTEN_LOG.run(connection, {"id": claimed.id, "number": number - _MOST_ATTEMPTS_KEPT})
    return True


def put_back(connection: Connection, claimed: Claimed, due_at_in_ms: int) -> bool:
    """Give up a claim without an attempt that counts; False when it was lost before."""
    parameters = {"id": claimed.id, "claim": claimed.claim, "due_at": due_at_in_ms}
    return _PUT_BACK.run(connection, parameters).rowcount > 0
