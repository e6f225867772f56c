"""Organizations: one pool of credits each, for all keys and all APIs."""

from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, text
from sqlalchemy.exc import IntegrityError

from imageplane.database.stamps import new_id, now_in_ms
from imageplane.errors import NotFound, RequestError

MOST_CHARACTERS: Final = 100
_SELECT: Final = "SELECT id, name, balance_in_millicredits FROM organizations"


@dataclass(frozen=True, slots=True)
class Organization:
    """An organization, and what it can still spend; what open holds keep is not in the balance."""

    id: str
    name: str
    balance_in_millicredits: int


def create(connection: Connection, name: str) -> Organization:
    """Make an organization without credits. Errors: invalid_request."""
    check_name(name)
    organization = Organization(new_id(), name, 0)
    statement = (
        "INSERT INTO organizations (id, name, balance_in_millicredits, created_at_in_ms) VALUES (:id, :name, 0, :now)"
    )
    try:
        connection.execute(text(statement), {"id": organization.id, "name": name, "now": now_in_ms()})
    except IntegrityError as error:
        raise RequestError(f"There is an organization of the name {name!r} already.") from error
    return organization


def named(connection: Connection, name: str) -> Organization | None:
    """Give the organization of a name, if there is one."""
    row = connection.execute(text(f"{_SELECT} WHERE name = :name"), {"name": name}).one_or_none()
    return None if row is None else Organization(*row)


def every(connection: Connection) -> tuple[Organization, ...]:
    """Give all organizations, by name."""
    return tuple(Organization(*row) for row in connection.execute(text(f"{_SELECT} ORDER BY name")))


def of_id(connection: Connection, organization_id: str) -> Organization:
    """Give an organization as it is now. Errors: not_found."""
    row = connection.execute(text(f"{_SELECT} WHERE id = :id"), {"id": organization_id}).one_or_none()
    if row is None:
        raise NotFound("There is no such organization.")
    return Organization(*row)


def check_name(name: str) -> None:
    """Raise when this can be no name of an organization or a key. Errors: invalid_request."""
    if not name.strip() or len(name) > MOST_CHARACTERS or not name.isprintable():
        raise RequestError(f"A name has 1 to {MOST_CHARACTERS} printable characters; {name[:40]!r} has not.")
