"""The latest requests of each organization, for its people to look at.

A request only leaves a note in memory. Once a second the notes are written together, in the transaction of whatever
else is written then. Of each organization the latest that went well and the latest that failed are kept, apart.
"""

import re
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future
from itertools import chain
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, text

from imageplane.database import Database, Line, Writer
from imageplane.database.stamps import Clock, new_id, now_in_ms
from imageplane.database.statements import Statement

# How many of each kind an organization sees.
LATEST: Final = 300
KEPT_FOR_IN_S: Final = 3 * 24 * 3600
_MOST_WAITING: Final = 5_000
_MOST_DELETED_AT_ONCE: Final = 1_000
_MOST_CHARACTERS: Final = 300
_ADDRESS: Final = re.compile(r"\b[A-Za-z][A-Za-z0-9+.-]*://\S+")

_INSERT: Final = Statement("""
    INSERT INTO recent_requests (id, organization_id, key_id, at_in_ms, route, status, is_failed, error_code, error,
                                 duration_in_ms, charged_in_millicredits, request_id)
    VALUES (:id, :organization_id, :key_id, :at_in_ms, :route, :status, :is_failed, :error_code, :error,
            :duration_in_ms, :charged_in_millicredits, :request_id)
""")
_LIST: Final = """
    SELECT recent_requests.organization_id, key_id, at_in_ms, route, status, error_code, error, duration_in_ms,
           charged_in_millicredits, request_id, name
    FROM recent_requests JOIN api_keys ON api_keys.id = key_id
    WHERE recent_requests.organization_id = :organization_id AND is_failed = :is_failed
    ORDER BY recent_requests.id DESC LIMIT :most
"""
_TOO_MANY: Final = """
    SELECT organization_id, is_failed, COUNT(*) - :most FROM recent_requests
    GROUP BY organization_id, is_failed HAVING COUNT(*) > :most
"""
_DELETE_FIRST: Final = text("""
    DELETE FROM recent_requests WHERE id IN (
        SELECT id FROM recent_requests WHERE organization_id = :organization_id AND is_failed = :is_failed
        ORDER BY id LIMIT :count)
""")
_DELETE_OLD: Final = text("""
    DELETE FROM recent_requests WHERE id IN (SELECT id FROM recent_requests WHERE id < :before ORDER BY id LIMIT :count)
""")


class Noted(NamedTuple):
    """One request that was answered.

    Takes: `route`, its method and the path of its route, never the path that was asked for.
    """

    organization_id: str
    key_id: str
    at_in_ms: int
    route: str
    status: int
    error_code: str | None
    error: str | None
    duration_in_ms: float
    charged_in_millicredits: int
    request_id: str
    key_name: str = ""

    @property
    def is_failed(self) -> bool:
        return self.status >= 400


class Recent:
    """The latest requests: notes that wait in memory, and those that are written."""

    def __init__(self, database: Database, writer: Writer, clock: Clock = now_in_ms) -> None:
        self._database = database
        self._clock = clock
        self._waiting: dict[tuple[str, bool], deque[Noted]] = {}
        self._count = 0
        self._line: Line[Sequence[Noted], None] = writer.line(_write)
        self.dropped = 0

    def note(self, request: Noted) -> None:
        """Remember a request until notes are written; never blocks, and drops one when there are too many."""
        kind = request.organization_id, request.is_failed
        notes = self._waiting.get(kind)
        if notes is None:
            notes = self._waiting[kind] = deque(maxlen=LATEST)
        if len(notes) == LATEST:
            # The first of them would not be among the latest any more.
            self.dropped += 1
        elif self._count == _MOST_WAITING:
            self.dropped += 1
            return
        else:
            self._count += 1
        notes.append(request)

    def write(self) -> None:
        """Have what was noted written; does not wait for it."""
        if self._waiting:
            notes = tuple(chain.from_iterable(self._waiting.values()))
            self._waiting, self._count = {}, 0
            self._line.submit(notes).add_done_callback(lambda done: self._count_lost(done, len(notes)))

    def latest(self, organization_id: str, *, only_failed: bool = False) -> tuple[Noted, ...]:
        """Give the latest requests of an organization, the latest first. Errors: busy."""
        kinds = (True,) if only_failed else (True, False)
        with self._database.reading() as connection:
            rows = [
                Noted(*row)
                for is_failed in kinds
                for row in connection.execute(
                    text(_LIST), {"organization_id": organization_id, "is_failed": is_failed, "most": LATEST}
                )
            ]
        return tuple(sorted(rows, key=lambda request: request.at_in_ms, reverse=True))

    def forget(self) -> None:
        """Delete what is no longer among the latest, or too old; waits for it. Errors: busy."""
        for organization_id, is_failed, count in self._database.rows(_TOO_MANY, {"most": LATEST}):
            row = {"organization_id": organization_id, "is_failed": is_failed}
            # In small parts: a debit may wait for one of them.
            for part in _parts(count):
                with self._database.writing() as connection:
                    connection.execute(_DELETE_FIRST, row | {"count": part})
        before, found = new_id(self._clock() - KEPT_FOR_IN_S * 1000), _MOST_DELETED_AT_ONCE
        while found == _MOST_DELETED_AT_ONCE:
            with self._database.writing() as connection:
                row = {"before": before, "count": _MOST_DELETED_AT_ONCE}
                found = connection.execute(_DELETE_OLD, row).rowcount

    def _count_lost(self, done: "Future[None]", count: int) -> None:
        if done.exception() is not None:
            self.dropped += count


def _write(connection: Connection, batches: Sequence[Sequence[Noted]]) -> list[None]:
    rows = [_row(request) for batch in batches for request in batch]
    if rows:
        _INSERT.run_each(connection, rows)
    return [None] * len(batches)


def _row(request: Noted) -> dict[str, Any]:
    return {
        **request._asdict(),
        "id": new_id(request.at_in_ms),
        "is_failed": request.is_failed,
        "duration_in_ms": round(request.duration_in_ms),
        "error": None if request.error is None else _without_addresses(request.error),
    }


def _without_addresses(message: str) -> str:
    return _ADDRESS.sub("(an address)", message)[:_MOST_CHARACTERS]


def _parts(count: int) -> list[int]:
    whole, rest = divmod(count, _MOST_DELETED_AT_ONCE)
    return [_MOST_DELETED_AT_ONCE] * whole + [rest] * (rest > 0)
