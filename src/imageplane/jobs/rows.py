"""The rows of jobs, and every statement that changes them.

A job that is queued is claimed by one worker for as long as its lease runs, and what the worker did counts only while
it still has the claim: nothing is done twice at once, and what a killed worker held is done by another.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, fields
from typing import Any, Final

from sqlalchemy import Connection

from imageplane.accounts.moves import Hold
from imageplane.database.stamps import now_in_ms
from imageplane.database.statements import Statement
from imageplane.jobs.job import Job

# Later than any lease.
FOREVER_IN_MS: Final = 2**62
# Behind any id, in the order of every language too: punctuation would come first in most.
NEWEST: Final = "z"

_NAMES: Final = tuple(field.name for field in fields(Job))
_COLUMNS: Final = ", ".join(_NAMES)

_INSERT: Final = Statement(f"""
    INSERT INTO jobs ({_COLUMNS}, fingerprint, is_parked)
    VALUES ({", ".join(f":{name}" for name in _NAMES)}, :fingerprint, FALSE)
    ON CONFLICT (organization_id, fingerprint) DO NOTHING
""")  # noqa: S608 - made of constants, as all below
_SAME: Final = Statement(f"""
    SELECT {_COLUMNS} FROM jobs WHERE organization_id = :organization_id AND fingerprint = :fingerprint
""")  # noqa: S608
_OF_ID: Final = Statement(f"SELECT {_COLUMNS} FROM jobs WHERE id IN :ids")  # noqa: S608
_LIST: Final = """
    SELECT {columns} FROM jobs
    WHERE organization_id = :organization_id AND parent_id IS NULL AND id < :before {status}
    ORDER BY id DESC LIMIT :most
"""
_LIST_ALL: Final = Statement(_LIST.format(columns=_COLUMNS, status=""))
_LIST_STATUS: Final = Statement(_LIST.format(columns=_COLUMNS, status="AND status = :status"))
_NEXT: Final = Statement("""
    SELECT id FROM jobs
    WHERE status = 'queued' AND due_at_in_ms <= :now AND NOT organization_id IN :organization_ids
    ORDER BY priority DESC, due_at_in_ms, id LIMIT 1
""")
_CLAIM: Final = Statement(f"""
    UPDATE jobs SET status = 'running', claim = :claim, leased_until_in_ms = :leased_until, attempts = attempts + 1,
        started_at_in_ms = COALESCE(started_at_in_ms, :now), is_parked = FALSE
    WHERE id = :id AND status = 'queued' AND due_at_in_ms <= :now
    RETURNING {_COLUMNS}
""")  # noqa: S608
_RENEW: Final = Statement("""
    UPDATE jobs SET leased_until_in_ms = :leased_until WHERE claim IN :claims AND status = 'running' RETURNING claim
""")
_SUCCEED: Final = Statement("""
    UPDATE jobs SET status = 'succeeded', reply = :reply, ended_at_in_ms = :now, claim = NULL,
        leased_until_in_ms = NULL, items_done = :items_done, items_failed = :items_failed
    WHERE id = :id AND claim = :claim AND status = 'running'
""")
_FAIL: Final = Statement("""
    UPDATE jobs SET status = 'failed', error = :error, ended_at_in_ms = :now, claim = NULL, leased_until_in_ms = NULL
    WHERE id = :id AND claim = :claim AND status = 'running'
""")
_PUT_BACK: Final = Statement("""
    UPDATE jobs SET status = 'queued', due_at_in_ms = :due_at, attempts = :attempts, claim = NULL,
        leased_until_in_ms = NULL
    WHERE id = :id AND claim = :claim AND status = 'running'
""")
_CANCEL: Final = Statement("""
    UPDATE jobs SET status = 'cancelled', ended_at_in_ms = :now, claim = NULL, leased_until_in_ms = NULL
    WHERE id = :id AND hold_id = :hold_id AND status IN ('queued', 'running')
""")
_REPLAY: Final = Statement("""
    UPDATE jobs SET status = 'queued', hold_id = :hold_id, key_id = :key_id, attempts = 0, due_at_in_ms = :now,
        reply = NULL, error = NULL, started_at_in_ms = NULL, ended_at_in_ms = NULL
    WHERE id = :id AND status IN ('succeeded', 'failed', 'cancelled')
""")
_RELEASE_EXPIRED: Final = Statement("""
    UPDATE jobs SET status = 'queued', claim = NULL, leased_until_in_ms = NULL
    WHERE status = 'running' AND leased_until_in_ms <= :until RETURNING id
""")
_OLD: Final = Statement(f"""
    SELECT {_COLUMNS} FROM jobs WHERE ended_at_in_ms <= :until ORDER BY ended_at_in_ms LIMIT :most
""")  # noqa: S608
_DELETE: Final = Statement("DELETE FROM jobs WHERE id IN :ids AND ended_at_in_ms <= :until")
_PARTS: Final = Statement("""
    SELECT count(*), sum(CASE WHEN ended_at_in_ms IS NULL THEN 0 ELSE 1 END), sum(items), sum(items_done),
        sum(items_failed), sum(CASE WHEN status IN ('failed', 'cancelled') THEN items ELSE 0 END)
    FROM jobs WHERE parent_id = :id
""")
_OPEN_PARTS: Final = Statement("SELECT id FROM jobs WHERE parent_id = :id AND ended_at_in_ms IS NULL")
_FORGET_PARTS: Final = Statement("DELETE FROM jobs WHERE parent_id = :id AND ended_at_in_ms IS NOT NULL")
_EACH_PART: Final = Statement(f"""
    SELECT {_COLUMNS} FROM jobs WHERE parent_id = :id AND id > :after ORDER BY id LIMIT :most
""")  # noqa: S608
_COUNT: Final = Statement("""
    SELECT status, count(*) FROM jobs WHERE status = 'queued' GROUP BY status UNION ALL
    SELECT status, count(*) FROM jobs WHERE status = 'running' GROUP BY status UNION ALL
    SELECT 'webhooks', count(*) FROM deliveries WHERE status = 'pending'
""")

_LOCK: Final = Statement("SELECT id FROM organizations WHERE id = :organization_id FOR NO KEY UPDATE")
_WORKING: Final = Statement("""
    SELECT count(*) FROM jobs WHERE status = 'running' AND organization_id = :organization_id
""")
_PARK: Final = Statement("UPDATE jobs SET is_parked = TRUE WHERE id = :id AND status = 'queued'")
_UNPARK: Final = Statement(f"""
    UPDATE jobs SET is_parked = FALSE WHERE id IN (
        SELECT id FROM jobs WHERE status = 'queued' AND is_parked AND organization_id = :organization_id
        ORDER BY priority DESC, id LIMIT :most
    ) RETURNING {_COLUMNS}
""")  # noqa: S608
_PARKING: Final = Statement("SELECT DISTINCT organization_id FROM jobs WHERE status = 'queued' AND is_parked")


@dataclass(frozen=True, slots=True)
class Parts:
    """How the parts of a bulk stand: how many there are and have ended, and how their items fared."""

    jobs: int
    ended: int
    items: int
    items_done: int
    items_failed: int


def insert(connection: Connection, job: Job, fingerprint: str | None) -> bool:
    """Add a job; False, and nothing is done, when one with this fingerprint is there."""
    row = {name: getattr(job, name) for name in _NAMES}
    return _INSERT.run(connection, row | {"fingerprint": fingerprint}).rowcount == 1


def same(connection: Connection, organization_id: str, fingerprint: str) -> Job | None:
    """Give the job that was handed in with this fingerprint."""
    found = _jobs(_SAME.run(connection, {"organization_id": organization_id, "fingerprint": fingerprint}))
    return found[0] if found else None


def of_ids(connection: Connection, ids: Collection[str]) -> list[Job]:
    """Give the jobs with these ids, as far as there are any."""
    return _jobs(_OF_ID.run(connection, {"ids": list(ids)}))


def listed(connection: Connection, organization_id: str, status: str | None, before: str, most: int) -> list[Job]:
    """Give the latest jobs of an organization whose id is smaller than `before`, the latest first."""
    parameters: dict[str, Any] = {"organization_id": organization_id, "before": before, "most": most}
    if status is None:
        return _jobs(_LIST_ALL.run(connection, parameters))
    return _jobs(_LIST_STATUS.run(connection, parameters | {"status": status}))


def next_due(connection: Connection, without: Collection[str], now_in_ms: int) -> str | None:
    """Give the id of the job that is the next to be done, but none of these organizations."""
    rows = list(_NEXT.run(connection, {"now": now_in_ms, "organization_ids": list(without)}))
    return rows[0][0] if rows else None


def claim(connection: Connection, job_id: str, name: str, now_in_ms: int, leased_until_in_ms: int) -> Job | None:
    """Claim a job that is queued and due; None when it is not, or not any more."""
    parameters = {"id": job_id, "claim": name, "now": now_in_ms, "leased_until": leased_until_in_ms}
    found = _jobs(_CLAIM.run(connection, parameters))
    return found[0] if found else None


def renew(connection: Connection, claims: Collection[str], leased_until_in_ms: int) -> set[str]:
    """Lengthen the leases of claims; gives those that still hold."""
    rows = _RENEW.run(connection, {"claims": list(claims), "leased_until": leased_until_in_ms})
    return {row[0] for row in rows}


def succeed(
    connection: Connection, job: Job, reply: str, now_in_ms: int, items: tuple[int | None, int | None] = (None, None)
) -> bool:
    """Note that a job is done, and how many of its items were and how many failed; False when its claim is lost."""
    facts = {"reply": reply, "now": now_in_ms, "items_done": items[0], "items_failed": items[1]}
    return _SUCCEED.run(connection, _claimed(job) | facts).rowcount == 1


def fail(connection: Connection, job: Job, error: str, now_in_ms: int) -> bool:
    """Note that a job can't be done; False when its claim is lost."""
    return _FAIL.run(connection, _claimed(job) | {"error": error, "now": now_in_ms}).rowcount == 1


def put_back(connection: Connection, job: Job, due_at_in_ms: int, attempts: int) -> bool:
    """Have a job done again later; False when its claim is lost."""
    parameters = _claimed(job) | {"due_at": due_at_in_ms, "attempts": attempts}
    return _PUT_BACK.run(connection, parameters).rowcount == 1


def cancel(connection: Connection, job: Job, now_in_ms: int) -> bool:
    """Note that nobody wants a job any more; False when it has ended."""
    parameters = {"id": job.id, "hold_id": job.hold_id, "now": now_in_ms}
    return _CANCEL.run(connection, parameters).rowcount == 1


def replay(connection: Connection, job_id: str, hold: Hold, now_in_ms: int) -> bool:
    """Queue a job that has ended anew, with what is set aside for it now; False when it has not."""
    parameters = {"id": job_id, "hold_id": hold.id, "key_id": hold.key_id, "now": now_in_ms}
    return _REPLAY.run(connection, parameters).rowcount == 1


def release_expired(connection: Connection, until_in_ms: int) -> list[str]:
    """Queue the jobs whose lease ended by then anew, where they were before; gives their ids."""
    return [row[0] for row in _RELEASE_EXPIRED.run(connection, {"until": until_in_ms})]


def ended_by(connection: Connection, until_in_ms: int, most: int) -> list[Job]:
    """Give jobs that ended by then, the earliest first."""
    return _jobs(_OLD.run(connection, {"until": until_in_ms, "most": most}))


def delete(connection: Connection, ids: Sequence[str], until_in_ms: int) -> None:
    """Forget jobs that ended by then, with their deliveries."""
    _DELETE.run(connection, {"ids": ids, "until": until_in_ms})


def parts(connection: Connection, parent_id: str) -> Parts:
    """Tell how the parts of a bulk stand."""
    ((jobs, ended, items, done, failed, lost),) = _PARTS.run(connection, {"id": parent_id})
    return Parts(jobs, ended or 0, items or 0, done or 0, (failed or 0) + (lost or 0))


def open_parts(connection: Connection, parent_id: str) -> list[str]:
    """Give the ids of the parts of a bulk that have not ended."""
    return [row[0] for row in _OPEN_PARTS.run(connection, {"id": parent_id})]


def forget_parts(connection: Connection, parent_id: str) -> None:
    """Forget the parts of a bulk that have ended, before it is done once more; what they made stays."""
    _FORGET_PARTS.run(connection, {"id": parent_id})


def replies_of_parts(connection: Connection, parent_id: str, after: str, most: int) -> list[Job]:
    """Give the parts of a bulk, the first first, whose id is larger than `after`."""
    return _jobs(_EACH_PART.run(connection, {"id": parent_id, "after": after, "most": most}))


def counts(connection: Connection) -> dict[str, int]:
    """Tell how many jobs wait, how many are at work, and how many webhooks are to be sent, of all organizations."""
    found: dict[str, int] = dict(_COUNT.run(connection, {}))
    return {status: found.get(status, 0) for status in ("queued", "running", "webhooks")}


def _claimed(job: Job) -> dict[str, Any]:
    return {"id": job.id, "claim": job.claim}


def _jobs(rows: Any) -> list[Job]:
    return [Job(*tuple(row)) for row in rows]


def claim_within(
    connection: Connection, job_id: str, name: str, leased_until_in_ms: int, most_per_organization: int
) -> Job | None:
    """Claim a job unless its organization has so many at work; then it is parked, until one of them ends.

    Takes: a database with several processes that claim; the row of the organization is locked, as it is where one of
    its jobs ends, so that no parked job is overlooked. A ticket comes when its job is due by the clock of the
    database, and would be lost if that of this machine, being late, had the last word.
    """
    found = of_ids(connection, [job_id])
    if not found:
        return None
    owner = {"organization_id": found[0].organization_id}
    _LOCK.run(connection, owner)
    ((working,),) = _WORKING.run(connection, owner)
    if working >= most_per_organization:
        _PARK.run(connection, {"id": job_id})
        return None
    now = max(now_in_ms(), found[0].due_at_in_ms)
    return claim(connection, job_id, name, now, leased_until_in_ms)


def unpark(connection: Connection, organization_id: str, most_per_organization: int) -> list[Job]:
    """Give the jobs of an organization that were parked and for which there is room now; they are parked no more."""
    owner = {"organization_id": organization_id}
    _LOCK.run(connection, owner)
    ((working,),) = _WORKING.run(connection, owner)
    room = max(0, most_per_organization - working)
    return _jobs(_UNPARK.run(connection, owner | {"most": room})) if room else []


def parking(connection: Connection) -> list[str]:
    """Give the organizations that have parked jobs."""
    return [row[0] for row in _PARKING.run(connection, {})]
