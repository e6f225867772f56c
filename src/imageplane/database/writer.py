"""Writing in groups: one thread of a process commits whatever waits in one transaction.

A commit costs about as much as fifty debits. Requests that come while one group is committed share the next commit,
so that many requests cost little more than one, and a single one waits for nobody.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from sqlalchemy import Connection

from imageplane.database.connection import Database
from imageplane.database.grouping import Grouping
from imageplane.errors import Busy

Item = TypeVar("Item")
Outcome = TypeVar("Outcome")
Write = Callable[[Connection, Sequence[Item]], Sequence[Outcome | Exception]]


class Writer:
    """The one thread of this process that writes to the database while requests are served."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lines: list[Write[Any, Any]] = []
        self._kept: Connection | None = None
        self._groups: Grouping[tuple[int, Any], Any] = Grouping(self._commit, "imageplane-writer")

    def line(self, write: "Write[Item, Outcome]") -> "Line[Item, Outcome]":
        """Give a line for one kind of item.

        Takes: `write`, which does the items of a group, in their order, in the transaction it is given, and gives an
        outcome or an error for each. An error that it raises undoes the group; then every item is tried alone, so
        that it fails nobody else. Lines are written in the order in which they were made: servers that make them in
        the same order never lock each other out.
        """
        self._lines.append(write)
        return Line(self._groups, len(self._lines) - 1)

    def close(self) -> None:
        """Commit what waits, and take nothing more."""
        self._groups.close()
        self._let_go()

    def _commit(self, items: Sequence[tuple[int, Any]]) -> Sequence[Any]:
        try:
            return self._together(items)
        except Busy:
            raise
        except Exception:
            if len(items) == 1:
                raise
        return [self._alone(item) for item in items]

    def _together(self, items: Sequence[tuple[int, Any]]) -> Sequence[Any]:
        # To take a connection anew costs as much as to write a group; that to a server may break while it is kept.
        if self._kept is None and self._database.is_sqlite:
            self._kept = self._database.to_write()
        try:
            return self._written(items)
        except Exception:
            # Whatever state it is in, it holds no lock when it is back in the pool.
            self._let_go()
            raise

    def _let_go(self) -> None:
        kept, self._kept = self._kept, None
        if kept is not None:
            kept.close()

    def _written(self, items: Sequence[tuple[int, Any]]) -> Sequence[Any]:
        outcomes: list[Any] = [None] * len(items)
        with self._database.writing(self._kept) as connection:
            for number, write in enumerate(self._lines):
                places = [place for place, (line, _) in enumerate(items) if line == number]
                if places:
                    done = write(connection, [items[place][1] for place in places])
                    for place, outcome in zip(places, done, strict=True):
                        outcomes[place] = outcome
        return outcomes

    def _alone(self, item: tuple[int, Any]) -> Any:
        try:
            return self._together([item])[0]
        except Exception as error:
            return error


@dataclass(frozen=True, slots=True)
class Line(Generic[Item, Outcome]):
    """Where items of one kind wait to be written."""

    _groups: Grouping[tuple[int, Any], Any]
    _number: int

    def submit(self, item: Item) -> Future[Outcome]:
        """Queue an item; never blocks. The future is done when it is committed. Errors, by the future: busy."""
        return self._groups.submit((self._number, item))
