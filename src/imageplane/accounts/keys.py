"""Keys: 256 bits of chance, shown once, kept as a digest.

A password needs a slow hash because it can be guessed; of 256 random bits nobody guesses one in the life of the sun,
so that a single SHA-256 keeps them as safe and costs half a microsecond. A key is found by its digest, and what is
compared on the way tells nothing of the key itself.
"""

import hashlib
import re
import secrets
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, text

from imageplane.accounts.organizations import check_name
from imageplane.database.stamps import new_id, now_in_ms
from imageplane.errors import NotFound, RequestError

PREFIX: Final = "ip_live_"
_ALPHABET: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_BYTES: Final = 32
# The digits that 256 bits have in base 62.
_DIGITS: Final = 43
_SHAPE: Final = re.compile(rf"{PREFIX}[0-9A-Za-z]{{{_DIGITS}}}")
_SHOWN: Final = len(PREFIX) + 6
_LISTED: Final = """
    SELECT api_keys.id, organizations.name, api_keys.name, prefix, spent_in_millicredits, budget_cap_in_millicredits,
           api_keys.created_at_in_ms, expires_at_in_ms, revoked_at_in_ms
    FROM api_keys JOIN organizations ON organizations.id = organization_id
"""


@dataclass(frozen=True, slots=True)
class Key:
    """A key as it is listed; the key itself is nowhere."""

    id: str
    organization_name: str
    name: str
    prefix: str
    spent_in_millicredits: int
    budget_cap_in_millicredits: int | None
    created_at_in_ms: int
    expires_at_in_ms: int | None
    revoked_at_in_ms: int | None

    def state(self, at_in_ms: int) -> str:
        """Give `active`, `expired` or `revoked`."""
        if self.revoked_at_in_ms is not None:
            return "revoked"
        return "expired" if self.expires_at_in_ms is not None and self.expires_at_in_ms <= at_in_ms else "active"


def new_text() -> str:
    """Give a new key."""
    number, digits = int.from_bytes(secrets.token_bytes(_BYTES), "big"), ""
    for _ in range(_DIGITS):
        number, digit = divmod(number, len(_ALPHABET))
        digits = _ALPHABET[digit] + digits
    return PREFIX + digits


def is_well_formed(key_text: str) -> bool:
    """Tell whether a text can be a key at all."""
    return _SHAPE.fullmatch(key_text) is not None


def digest_of(key_text: str) -> bytes:
    """Give the 32 bytes by which a key is kept and found."""
    return hashlib.sha256(key_text.encode()).digest()


def create(
    connection: Connection,
    organization_id: str,
    name: str,
    *,
    expires_at_in_ms: int | None = None,
    budget_cap_in_millicredits: int | None = None,
) -> str:
    """Make a key, and give its text, which cannot be read again. Errors: invalid_request."""
    check_name(name)
    key_text = new_text()
    statement = """
        INSERT INTO api_keys (id, organization_id, name, prefix, digest, budget_cap_in_millicredits,
                              spent_in_millicredits, created_at_in_ms, expires_at_in_ms)
        VALUES (:id, :organization_id, :name, :prefix, :digest, :cap, 0, :now, :expires_at)
    """
    row = {
        "id": new_id(),
        "organization_id": organization_id,
        "name": name,
        "prefix": key_text[:_SHOWN],
        "digest": digest_of(key_text),
        "cap": budget_cap_in_millicredits,
        "now": now_in_ms(),
        "expires_at": expires_at_in_ms,
    }
    connection.execute(text(statement), row)
    return key_text


def listed(connection: Connection) -> tuple[Key, ...]:
    """Give all keys, the oldest first."""
    return tuple(Key(*row) for row in connection.execute(text(f"{_LISTED} ORDER BY api_keys.id")))


def of_organization(connection: Connection, organization_id: str) -> tuple[Key, ...]:
    """Give the keys of an organization, the newest first."""
    statement = text(f"{_LISTED} WHERE organization_id = :id ORDER BY api_keys.id DESC")
    return tuple(Key(*row) for row in connection.execute(statement, {"id": organization_id}))


def of_id(connection: Connection, organization_id: str, key_id: str) -> Key:
    """Give a key of an organization. Errors: not_found."""
    statement = text(f"{_LISTED} WHERE organization_id = :organization_id AND api_keys.id = :id")
    row = connection.execute(statement, {"organization_id": organization_id, "id": key_id}).one_or_none()
    if row is None:
        raise NotFound("There is no such key.")
    return Key(*row)


def cap(connection: Connection, key: Key, budget_cap_in_millicredits: int | None) -> None:
    """Set the most that a key may ever spend; `None` lets it spend what its organization has."""
    statement = "UPDATE api_keys SET budget_cap_in_millicredits = :cap WHERE id = :id"
    connection.execute(text(statement), {"cap": budget_cap_in_millicredits, "id": key.id})


def revoke(connection: Connection, wanted: str) -> str:
    """Make a key worthless for good, and give its name; once more does no harm.

    Takes: its id, the prefix that lists show, or the key itself.
    Errors: not_found; invalid_request, when several keys have the prefix.
    """
    statement = "SELECT id, name FROM api_keys WHERE id = :wanted OR prefix = :wanted OR digest = :digest"
    found = connection.execute(text(statement), {"wanted": wanted, "digest": digest_of(wanted)}).all()
    if not found:
        raise NotFound("There is no such key; `imageplane keys list` shows all.")
    if len(found) > 1:
        raise RequestError("Several keys begin so; give the id of one of them.")
    update = "UPDATE api_keys SET revoked_at_in_ms = :now WHERE id = :id AND revoked_at_in_ms IS NULL"
    connection.execute(text(update), {"now": now_in_ms(), "id": found[0].id})
    return str(found[0].name)
