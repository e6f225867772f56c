"""What waits is committed together; what fails, fails alone."""

import threading
from collections.abc import Sequence
from concurrent.futures import wait
from pathlib import Path

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import IntegrityError

from imageplane.database import Database, Writer, migrate
from imageplane.database.grouping import Grouping
from imageplane.database.stamps import new_id
from imageplane.errors import Busy, NotFound

PATIENCE_IN_S = 30


@pytest.fixture
def database(database_url: str, tmp_path: Path) -> Database:
    database = Database.at(database_url, tmp_path)
    migrate(database)
    return database


class Names:
    """Writes names of organizations; a name of two that are the same can't be written."""

    def __init__(self) -> None:
        self.groups: list[list[str]] = []
        self.may_go = threading.Event()
        self.is_going = threading.Event()

    def write(self, connection: Connection, names: Sequence[str]) -> list[str | Exception]:
        self.is_going.set()
        assert self.may_go.wait(PATIENCE_IN_S)
        self.groups.append(list(names))
        for name in names:
            statement = text("INSERT INTO organizations VALUES (:id, :name, 0, 0)")
            connection.execute(statement, {"id": new_id(), "name": name})
        return [NotFound("no") if name == "refused" else name.upper() for name in names]


def test_what_waits_for_a_commit_shares_the_next(database: Database) -> None:
    names, writer = Names(), Writer(database)
    line = writer.line(names.write)
    first = line.submit("first")
    assert names.is_going.wait(PATIENCE_IN_S)
    others = [line.submit(f"name {number}") for number in range(20)]
    names.may_go.set()
    assert first.result(PATIENCE_IN_S) == "FIRST"
    assert [other.result(PATIENCE_IN_S) for other in others] == [f"NAME {number}" for number in range(20)]
    assert [len(group) for group in names.groups] == [1, 20]
    writer.close()
    assert database.rows("SELECT COUNT(*) FROM organizations") == [(21,)]
    database.close()


def test_a_failure_harms_no_neighbor(database: Database) -> None:
    names, writer = Names(), Writer(database)
    line = writer.line(names.write)
    line.submit("taken")
    assert names.is_going.wait(PATIENCE_IN_S)
    futures = {name: line.submit(name) for name in ("one", "taken", "refused", "two")}
    names.may_go.set()
    wait(futures.values(), PATIENCE_IN_S)
    assert isinstance(futures["taken"].exception(), IntegrityError)
    assert isinstance(futures["refused"].exception(), NotFound)
    assert (futures["one"].result(), futures["two"].result()) == ("ONE", "TWO")
    writer.close()
    written = {name for (name,) in database.rows("SELECT name FROM organizations")}
    assert written == {"taken", "one", "refused", "two"}
    database.close()


def test_lines_share_a_transaction_in_their_order(database: Database) -> None:
    done: list[tuple[str, list[int]]] = []
    names, writer = Names(), Writer(database)
    gate = writer.line(names.write)
    first = writer.line(lambda _, items: [done.append(("first", list(items)))] * len(items))
    second = writer.line(lambda _, items: [done.append(("second", list(items)))] * len(items))
    gate.submit("gate")
    assert names.is_going.wait(PATIENCE_IN_S)
    futures = [second.submit(1), first.submit(2), second.submit(3), first.submit(4)]
    names.may_go.set()
    wait(futures, PATIENCE_IN_S)
    assert done == [("first", [2, 4]), ("second", [1, 3])]
    writer.close()
    database.close()


def test_who_gave_up_is_not_served(database: Database) -> None:
    names, writer = Names(), Writer(database)
    line = writer.line(names.write)
    line.submit("first")
    assert names.is_going.wait(PATIENCE_IN_S)
    given_up, other = line.submit("given up"), line.submit("other")
    assert given_up.cancel()
    names.may_go.set()
    assert other.result(PATIENCE_IN_S) == "OTHER"
    assert names.groups[-1] == ["other"]
    writer.close()
    database.close()


def test_closing_writes_what_waits_and_takes_no_more(database: Database) -> None:
    names, writer = Names(), Writer(database)
    names.may_go.set()
    line = writer.line(names.write)
    futures = [line.submit(f"name {number}") for number in range(1200)]
    writer.close()
    assert all(future.done() and future.exception() is None for future in futures)
    assert max(len(group) for group in names.groups) <= 500
    assert isinstance(line.submit("late").exception(0), Busy)
    writer.close()
    database.close()


def test_a_line_that_is_too_long_is_busy() -> None:
    may_go, is_going = threading.Event(), threading.Event()

    def work(items: Sequence[int]) -> list[int | Exception]:
        is_going.set()
        assert may_go.wait(PATIENCE_IN_S)
        return list(items)

    grouping = Grouping(work, "test", most_waiting=3)
    grouping.submit(0)
    assert is_going.wait(PATIENCE_IN_S)
    futures = [grouping.submit(number) for number in range(5)]
    may_go.set()
    grouping.close()
    assert [isinstance(future.exception(), Busy) for future in futures] == [False, False, False, True, True]


def test_ids_sort_by_time_and_never_meet() -> None:
    ids = [new_id(at_in_ms) for at_in_ms in (0, 1, 121, 473_000, 1_764_000_000_000, 2**48 - 1)]
    assert ids == sorted(ids)
    assert {len(text) for text in ids} == {26}
    assert len({new_id(5) for _ in range(10_000)}) == 10_000
