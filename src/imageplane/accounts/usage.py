"""Usage: what each key did on each day. It is counted in the transaction that charges for it."""

from dataclasses import dataclass
from datetime import date

from imageplane.database import Database


@dataclass(frozen=True, slots=True)
class Usage:
    """What one key did with one API on one day, in UTC."""

    day: date
    key_id: str
    key_name: str
    api: str
    requests: int
    charged_in_millicredits: int


def usage(database: Database, organization_id: str, since: date, until: date) -> tuple[Usage, ...]:
    """Give the usage of an organization from one day to another, both included. Errors: busy."""
    statement = """
        SELECT day, key_id, name, api, requests, charged_in_millicredits
        FROM usage_by_day JOIN api_keys ON api_keys.id = key_id
        WHERE usage_by_day.organization_id = :organization_id AND day BETWEEN :since AND :until
        ORDER BY day, key_id, api
    """
    parameters = {"organization_id": organization_id, "since": since.isoformat(), "until": until.isoformat()}
    rows = database.rows(statement, parameters)
    return tuple(Usage(date.fromisoformat(day), *rest) for day, *rest in rows)
