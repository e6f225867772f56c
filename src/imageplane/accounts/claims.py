"""Claims: the rows of idempotency keys, and the statements that change them.

A row without a status is claimed: somebody works on it. When its time is up, whoever comes next takes it over.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, text

from imageplane.errors import IdempotencyInProgress, IdempotencyMismatch

_CLAIM: Final = text("""
    INSERT INTO idempotency_keys (organization_id, key, claim, request_digest, expires_at_in_ms)
    VALUES (:organization_id, :key, :claim, :request_digest, :expires_at)
    ON CONFLICT (organization_id, key) DO UPDATE SET
        claim = excluded.claim, request_digest = excluded.request_digest, expires_at_in_ms = excluded.expires_at_in_ms,
        status = NULL, headers = NULL, body = NULL, blob = NULL
    WHERE idempotency_keys.expires_at_in_ms <= :now
    RETURNING claim
""")
_READ: Final = text("""
    SELECT request_digest, claim, status, headers, body, blob FROM idempotency_keys
    WHERE organization_id = :organization_id AND key = :key
""")
_KEEP: Final = text("""
    UPDATE idempotency_keys
    SET status = :status, headers = :headers, body = :body, blob = :blob, expires_at_in_ms = :expires_at
    WHERE organization_id = :organization_id AND key = :key AND claim = :claim AND status IS NULL
""")
_FORGET: Final = text("""
    DELETE FROM idempotency_keys WHERE organization_id = :organization_id AND key = :key AND claim = :claim
""")


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer, as it is sent."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes

    @property
    def is_kept(self) -> bool:
        """Whether a client that asks again gets the same."""
        return 200 <= self.status < 300 or self.status == 422


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to do the work of an idempotency key."""

    organization_id: str
    key: str
    id: str


@dataclass(frozen=True, slots=True)
class Begin:
    """The wish to claim a key until some moment."""

    claim: Claim
    request_digest: bytes
    expires_at_in_ms: int


@dataclass(frozen=True, slots=True)
class Keep:
    """The reply to keep for a claim until some moment; its body is in the row, or in the blob of this name."""

    claim: Claim
    reply: Reply
    blob: str | None
    expires_at_in_ms: int


@dataclass(frozen=True, slots=True)
class Forget:
    """The end of a claim without a reply, or of the reply that was kept for it."""

    claim: Claim


Step = Begin | Keep | Forget


def write(connection: Connection, steps: Sequence[Step], now_in_ms: int) -> list[Any]:
    """Do steps, those of one key in their order.

    Gives: for each step to begin the claim itself, or the `Keep` of an earlier one, or its error; for each step to
    keep, whether the claim still held; for each step to forget nothing.
    """
    outcomes: list[Any] = [None] * len(steps)
    # Every server goes through the keys in the same order, so that none waits for the other in a circle.
    for place, step in sorted(enumerate(steps), key=lambda item: (item[1].claim.organization_id, item[1].claim.key)):
        row = {"organization_id": step.claim.organization_id, "key": step.claim.key, "claim": step.claim.id}
        if isinstance(step, Begin):
            outcomes[place] = _begun(connection, step, row, now_in_ms)
        elif isinstance(step, Keep):
            outcomes[place] = connection.execute(_KEEP, row | _columns(step)).rowcount == 1
        else:
            connection.execute(_FORGET, row)
    return outcomes


def _columns(step: Keep) -> dict[str, object]:
    return {
        "status": step.reply.status,
        "headers": json.dumps(step.reply.headers),
        "body": step.reply.body if step.blob is None else None,
        "blob": step.blob,
        "expires_at": step.expires_at_in_ms,
    }


def _begun(connection: Connection, step: Begin, row: dict[str, Any], now_in_ms: int) -> Claim | Keep | Exception:
    wish = {"request_digest": step.request_digest, "expires_at": step.expires_at_in_ms, "now": now_in_ms}
    if connection.execute(_CLAIM, row | wish).one_or_none() is not None:
        return step.claim
    digest, claim, status, headers, body, blob = connection.execute(_READ, row).one()
    if bytes(digest) != step.request_digest:
        return IdempotencyMismatch("This idempotency key was used for another request; take a new key.")
    if status is None:
        message = "A request with this idempotency key is still running; ask again in a moment."
        return IdempotencyInProgress(message, retry_after_in_s=1)
    reply = Reply(status, tuple((name, value) for name, value in json.loads(headers)), bytes(body or b""))
    return Keep(Claim(step.claim.organization_id, step.claim.key, claim), reply, blob, step.expires_at_in_ms)
