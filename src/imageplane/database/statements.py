"""Statements of the hot path, handed to the driver as they are: SQLAlchemy would prepare them anew each time.

Measured for a hold and its settling on SQLite: that took more than half of the CPU, and its results most of the rest.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol, cast

from sqlalchemy import Connection
from sqlalchemy.engine.interfaces import DBAPICursor

_LIST = re.compile(r"\bIN :(\w+)")
_NAME = re.compile(r":(\w+)")


class Rows(Protocol):
    """What a statement found, row by row, and how many it found or changed."""

    @property
    def rowcount(self) -> int: ...

    def __iter__(self) -> Iterator[tuple[Any, ...]]: ...


class Statement:
    """One statement with named parameters such as `:id`.

    Takes: `IN :ids` for a list of texts; ` FOR NO KEY UPDATE` where rows are to be locked, which SQLite, where one
    writes at a time, neither needs nor knows.
    """

    def __init__(self, words: str) -> None:
        unlocked = words.replace(" FOR NO KEY UPDATE", "")
        arrays = _LIST.sub(r"= ANY(:\1)", words)
        self._lists = tuple(_LIST.findall(words))
        self._by_dialect = {
            "sqlite": _LIST.sub(r"IN (SELECT value FROM json_each(:\1))", unlocked),
            "postgresql": _NAME.sub(r"%(\1)s", arrays),
        }

    def run(self, connection: Connection, parameters: Mapping[str, Any]) -> Rows:
        """Run it once."""
        dialect, values = connection.dialect.name, dict(parameters)
        if dialect == "sqlite":
            values |= {name: json.dumps(list(values[name])) for name in self._lists}
        cursor = _cursor(connection)
        cursor.execute(self._by_dialect[dialect], values)
        return cast("Rows", cursor)

    def run_each(self, connection: Connection, rows: Sequence[Mapping[str, Any]]) -> Rows:
        """Run it once for each of these rows, at least one; its `rowcount` is that of all."""
        words = self._by_dialect[connection.dialect.name]
        cursor = _cursor(connection)
        if len(rows) == 1:
            cursor.execute(words, dict(rows[0]))
        else:
            cursor.executemany(words, [dict(row) for row in rows])
        return cast("Rows", cursor)


def _cursor(connection: Connection) -> DBAPICursor:
    return connection.connection.cursor()
