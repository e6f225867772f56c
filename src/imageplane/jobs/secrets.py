"""What an organization's webhooks are signed with, and what this installation signs its links with.

Secrets are kept as they are: who signs must have them, and the database holds what they protect.
"""

import os
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import Connection, text

from imageplane.database.stamps import new_id
from imageplane.database.statements import Statement
from imageplane.jobs.webhook import new_secret

ROTATION_IN_MS: Final = 24 * 3600 * 1000
# Every secret makes each message longer and each check dearer.
_MOST_THAT_SIGN: Final = 5
_INSTALLATION_SECRET_IN_BYTES: Final = 32

_MAKE: Final = Statement("""
    INSERT INTO webhook_secrets (id, organization_id, secret, created_at_in_ms)
    VALUES (:id, :organization_id, :secret, :now) ON CONFLICT DO NOTHING
""")
_THAT_SIGN: Final = Statement("""
    SELECT organization_id, secret, created_at_in_ms, signs_until_in_ms FROM webhook_secrets
    WHERE organization_id IN :organization_ids AND (signs_until_in_ms IS NULL OR signs_until_in_ms > :now)
    ORDER BY organization_id, signs_until_in_ms IS NOT NULL, signs_until_in_ms DESC, id DESC
""")
_LOCK: Final = Statement("SELECT id FROM organizations WHERE id = :organization_id FOR NO KEY UPDATE")
_RETIRE: Final = Statement("""
    UPDATE webhook_secrets SET signs_until_in_ms = :signs_until
    WHERE organization_id = :organization_id AND signs_until_in_ms IS NULL
""")
_FORGET: Final = Statement("""
    DELETE FROM webhook_secrets WHERE organization_id = :organization_id AND signs_until_in_ms IS NOT NULL AND id NOT IN
        (SELECT id FROM webhook_secrets WHERE organization_id = :organization_id AND signs_until_in_ms > :now
         ORDER BY signs_until_in_ms DESC, id DESC LIMIT :most)
""")


@dataclass(frozen=True, slots=True)
class WebhookSecret:
    """A secret that signs now; `signs_until_in_ms` is None for the current one."""

    text: str = field(repr=False)
    created_at_in_ms: int
    signs_until_in_ms: int | None


def that_sign(
    connection: Connection, organization_ids: Collection[str], now_in_ms: int
) -> dict[str, tuple[WebhookSecret, ...]]:
    """Give the secrets that sign the webhooks of each organization now, the current one first.

    An organization that has none is given its first one, which is why the connection must be one that writes. Of
    servers that do so at once, all get the same.
    """
    found = _found(connection, organization_ids, now_in_ms)
    missing = sorted(set(organization_ids) - found.keys())
    if missing:
        _MAKE.run_each(connection, [_new(organization_id, now_in_ms) for organization_id in missing])
        found |= _found(connection, missing, now_in_ms)
    return found


def rotate(connection: Connection, organization_id: str, now_in_ms: int) -> tuple[WebhookSecret, ...]:
    """Make a new current secret, and give all that sign now; the one that was current signs for another day.

    Who rotates more often than that ends the oldest ones sooner: no more than five sign at once.
    """
    # Two at once must not both find that there is no current one.
    _LOCK.run(connection, {"organization_id": organization_id})
    owner = {"organization_id": organization_id, "now": now_in_ms}
    _RETIRE.run(connection, {**owner, "signs_until": now_in_ms + ROTATION_IN_MS})
    _FORGET.run(connection, {**owner, "most": _MOST_THAT_SIGN - 1})
    _MAKE.run(connection, _new(organization_id, now_in_ms))
    return that_sign(connection, [organization_id], now_in_ms)[organization_id]


def installation_secret(connection: Connection, name: str, now_in_ms: int) -> bytes:
    """Give 32 bytes that all servers of this installation share under a name; made when it is first asked for."""
    parameters = {"name": name, "value": os.urandom(_INSTALLATION_SECRET_IN_BYTES), "now": now_in_ms}
    insert = """
        INSERT INTO installation_secrets (name, value, created_at_in_ms) VALUES (:name, :value, :now)
        ON CONFLICT DO NOTHING
    """
    select = text("SELECT value FROM installation_secrets WHERE name = :name")
    known = connection.execute(select, {"name": name}).scalar_one_or_none()
    if known is None:
        connection.execute(text(insert), parameters)
        known = connection.execute(select, {"name": name}).scalar_one()
    return bytes(known)


def _new(organization_id: str, now_in_ms: int) -> dict[str, object]:
    return {"id": new_id(), "organization_id": organization_id, "secret": new_secret(), "now": now_in_ms}


def _found(
    connection: Connection, organization_ids: Collection[str], now_in_ms: int
) -> dict[str, tuple[WebhookSecret, ...]]:
    found: dict[str, list[WebhookSecret]] = {}
    rows = _THAT_SIGN.run(connection, {"organization_ids": list(organization_ids), "now": now_in_ms})
    for organization_id, *columns in map(tuple, rows):
        found.setdefault(organization_id, []).append(WebhookSecret(*columns))
    return {organization_id: tuple(secrets) for organization_id, secrets in found.items()}
