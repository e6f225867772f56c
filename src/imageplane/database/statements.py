"""Statements of the hot path, handed to the driver as they are: SQLAlchemy would prepare them anew each time.

Measured for a hold and its settling on SQLite: that took more than half of the CPU.
"""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.engine import CursorResult

_LIST = re.compile(r"\bIN :(\w+)")
_NAME = re.compile(r":(\w+)")


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

    def run(self, connection: Connection, parameters: Mapping[str, Any]) -> CursorResult[Any]:
        """Run it once."""
        values = dict(parameters)
        if connection.dialect.name == "sqlite":
            values |= {name: json.dumps(list(values[name])) for name in self._lists}
        return connection.exec_driver_sql(self._by_dialect[connection.dialect.name], values)

    def run_each(self, connection: Connection, rows: Sequence[Mapping[str, Any]]) -> CursorResult[Any]:
        """Run it once for each of these rows, at least one; its `rowcount` is that of all."""
        words = self._by_dialect[connection.dialect.name]
        return connection.exec_driver_sql(words, dict(rows[0]) if len(rows) == 1 else [dict(row) for row in rows])
