"""Users: who signs in with an e-mail address and a password, and which organization they belong to."""

import re
import unicodedata
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import Connection, text
from sqlalchemy.exc import IntegrityError

from imageplane.database.stamps import new_id, now_in_ms
from imageplane.errors import NotFound, RequestError

MOST_CHARACTERS: Final = 254
_EMAIL: Final = re.compile(r"[^@\s\x00-\x1f\x7f]{1,64}@[^@\s\x00-\x1f\x7f]+")
_SELECT: Final = "SELECT id, organization_id, email, password_hash, created_at_in_ms FROM users"


@dataclass(frozen=True, slots=True)
class User:
    """One person, or one mailbox that several share."""

    id: str
    organization_id: str
    email: str
    password_hash: str = field(repr=False)
    created_at_in_ms: int


def normalized(email: str) -> str:
    """Give an address as it is kept and compared. Errors: invalid_request, when it can be none."""
    # No mailbox of today tells capitals from small letters, and people type both.
    known = unicodedata.normalize("NFC", email.strip()).casefold()
    if len(known) > MOST_CHARACTERS or not known.isprintable() or not _EMAIL.fullmatch(known):
        raise RequestError("That is no e-mail address; expected one such as ada@example.com.")
    return known


def create(connection: Connection, organization_id: str, email: str, password_hash: str) -> User:
    """Make a user of an organization. Errors: invalid_request, also when there is one with this address."""
    now = now_in_ms()
    user = User(new_id(now), organization_id, normalized(email), password_hash, now)
    statement = """
        INSERT INTO users (id, organization_id, email, password_hash, created_at_in_ms)
        VALUES (:id, :organization_id, :email, :hash, :now)
    """
    row = {
        "id": user.id,
        "organization_id": organization_id,
        "email": user.email,
        "hash": password_hash,
        "now": now,
    }
    try:
        connection.execute(text(statement), row)
    except IntegrityError as error:
        raise RequestError("There is an account with this e-mail address already.") from error
    return user


def with_email(connection: Connection, email: str) -> User | None:
    """Give the user of an address, if there is one; what can be no address has none."""
    try:
        known = normalized(email)
    except RequestError:
        return None
    row = connection.execute(text(f"{_SELECT} WHERE email = :email"), {"email": known}).one_or_none()
    return None if row is None else User(*row)


def of_id(connection: Connection, user_id: str) -> User:
    """Give a user as it is now. Errors: not_found."""
    row = connection.execute(text(f"{_SELECT} WHERE id = :id"), {"id": user_id}).one_or_none()
    if row is None:
        raise NotFound("There is no such user.")
    return User(*row)


def every(connection: Connection) -> tuple[tuple[User, str], ...]:
    """Give all users, by address, each with the name of the organization."""
    statement = """
        SELECT users.id, organization_id, email, password_hash, users.created_at_in_ms, organizations.name
        FROM users JOIN organizations ON organizations.id = organization_id ORDER BY email
    """
    return tuple((User(*columns), name) for *columns, name in connection.execute(text(statement)))


def keep_hash(connection: Connection, user: User, password_hash: str) -> bool:
    """Put another hash in the place of the one that a user was read with; tells whether it was still there."""
    statement = "UPDATE users SET password_hash = :hash WHERE id = :id AND password_hash = :before"
    row = {"hash": password_hash, "id": user.id, "before": user.password_hash}
    return connection.execute(text(statement), row).rowcount == 1
