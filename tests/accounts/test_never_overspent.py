"""However many ask at once, from one process or several, and whoever is killed: nobody spends what is not there."""

import contextlib
import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from banking import PATIENCE_IN_S, PRICE, balance_of, new_account, new_key, open_books

from imageplane.accounts.account import Account
from imageplane.accounts.audit import verify
from imageplane.accounts.books import Books
from imageplane.errors import BudgetCapExceeded, InsufficientCredits

HERE = Path(__file__).parent


@contextlib.contextmanager
def storm(url: str, folder: Path, key_text: str, mode: str) -> Iterator[subprocess.Popen[str]]:
    """Give a process that is ready to begin."""
    path = os.pathsep.join([str(HERE.parent), os.environ.get("PYTHONPATH", "")])
    with subprocess.Popen(
        [sys.executable, str(HERE / "storm.py"), url, str(folder), key_text, mode],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": path},
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            yield process
        finally:
            process.kill()


def begin(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.flush()


def usage_of(books: Books, account: Account) -> tuple[int, int]:
    statement = "SELECT SUM(requests), SUM(charged_in_millicredits) FROM usage_by_day WHERE key_id = :id"
    ((requests, charged),) = books.database.rows(statement, {"id": account.key_id})
    return int(requests or 0), int(charged or 0)


@pytest.mark.parametrize(
    ("credit", "cap", "refusal"), [(100, None, InsufficientCredits), (500, 100, BudgetCapExceeded)]
)
def test_of_200_requests_at_once_100_are_paid(
    books: Books, credit: int, cap: int | None, refusal: type[Exception]
) -> None:
    account = new_account(books, credit, cap)
    futures = [books.ledger.hold(account, PRICE, str(number), expires_in_s=60) for number in range(200)]
    errors = [future.exception(PATIENCE_IN_S) for future in futures]
    assert [type(error) for error in errors if error is not None] == [refusal] * 100
    for future, error in zip(futures, errors, strict=True):
        if error is None:
            books.ledger.settle(future.result())
    assert books.ledger.release_expired() == 0
    books.close()
    assert balance_of(books, account) == (credit - 100) * 1000
    assert usage_of(books, account) == (100, 100_000)
    assert verify(books.database) == []
    books.database.close()


def test_of_200_requests_from_four_processes_100_are_paid(books: Books, database_url: str, tmp_path: Path) -> None:
    key_text = new_key(books, credit=100)
    account = books.keys.ask(key_text).result(PATIENCE_IN_S)
    with contextlib.ExitStack() as stack:
        processes = [stack.enter_context(storm(database_url, tmp_path, key_text, "50")) for _ in range(4)]
        for process in processes:
            begin(process)
        paid = [int(process.communicate(timeout=60)[0]) for process in processes]
        assert [process.returncode for process in processes] == [0] * 4
    assert sum(paid) == 100
    assert balance_of(books, account) == 0
    assert usage_of(books, account) == (100, 100_000)
    assert verify(books.database) == []


def test_processes_that_are_killed_leave_nothing_but_holds_that_expire(
    books: Books, database_url: str, tmp_path: Path
) -> None:
    key_text = new_key(books, credit=1000)
    account = books.keys.ask(key_text).result(PATIENCE_IN_S)
    told: list[int] = []
    for _ in range(2):
        with contextlib.ExitStack() as stack:
            processes = [stack.enter_context(storm(database_url, tmp_path, key_text, "for ever")) for _ in range(2)]
            for process in processes:
                begin(process)
            # Long enough to be in the middle of something, and never the same.
            time.sleep(0.2 + secrets.randbelow(400) / 1000)
            for process in processes:
                process.send_signal(signal.SIGKILL)
                # The last line may be cut off.
                told += [int(line) for line in process.communicate()[0].split("\n")[:-1] if line]
        with open_books(database_url, tmp_path) as reopened:
            assert verify(reopened.database) == []
            assert balance_of(reopened, account) >= 0
    with books.database.writing() as connection:
        connection.exec_driver_sql("UPDATE holds SET expires_at_in_ms = 0")
    books.ledger.release_expired()
    assert books.database.rows("SELECT * FROM holds") == []
    assert verify(books.database) == []
    requests, charged = usage_of(books, account)
    assert balance_of(books, account) == 1_000_000 - charged >= 0
    # Whoever was told that a request is charged was told the truth; a few more died before they could tell.
    assert len(told) <= requests
    assert sum(told) <= charged
    assert len(told) > 0
