"""Holds, settlements and grants in a database: entries, balances, usage, and what the audit sees."""

from datetime import UTC, datetime

import pytest
from banking import PATIENCE_IN_S, PRICE, balance_of, new_account
from sqlalchemy import text

from imageplane.accounts.account import Account
from imageplane.accounts.audit import verify
from imageplane.accounts.books import Books
from imageplane.accounts.ledger import grant
from imageplane.accounts.moves import Hold
from imageplane.accounts.usage import usage
from imageplane.errors import BudgetCapExceeded, InsufficientCredits, InternalError, InvalidKey, NotFound, RequestError


def held(books: Books, account: Account, expires_in_s: float = 60) -> Hold:
    return books.ledger.hold(account, PRICE, "request", expires_in_s=expires_in_s).result(PATIENCE_IN_S)


def test_what_is_settled_is_charged_and_what_is_released_is_not(books: Books) -> None:
    account = new_account(books, credit=3)
    settled, less, released = (held(books, account) for _ in range(3))
    assert balance_of(books, account) == 0
    assert books.ledger.settle(settled).result(PATIENCE_IN_S) == 1000
    assert books.ledger.settle(less, 400).result(PATIENCE_IN_S) == 400
    assert books.ledger.release(released).result(PATIENCE_IN_S) == 0
    assert balance_of(books, account) == 1600
    assert verify(books.database) == []
    entries = books.database.rows("SELECT kind, amount_in_millicredits, api, reference FROM ledger_entries ORDER BY id")
    about = ("image_transformation", "request")
    expected = [("grant", 3000, None, "first grant"), *[("hold", -1000, *about)] * 3]
    expected += [("settle", 0, None, None), ("settle", 600, None, None), ("release", 1000, None, None)]
    assert sorted(entries, key=str) == sorted(expected, key=str)


def test_the_last_credit_is_the_last(books: Books) -> None:
    account = new_account(books, credit=1)
    held(books, account)
    with pytest.raises(InsufficientCredits):
        held(books, account)
    capped = new_account(books, credit=9, cap=1)
    released = held(books, capped)
    with pytest.raises(BudgetCapExceeded):
        held(books, capped)
    books.ledger.release(released).result(PATIENCE_IN_S)
    held(books, capped)
    assert verify(books.database) == []


def test_a_revoked_key_holds_nothing_though_it_is_still_believed(books: Books) -> None:
    account = new_account(books)
    with books.database.writing() as connection:
        connection.execute(text("UPDATE api_keys SET revoked_at_in_ms = 1"))
    with pytest.raises(InvalidKey):
        held(books, account)


def test_a_key_spends_only_for_its_own_organization(books: Books) -> None:
    ours, theirs = new_account(books), new_account(books)
    mixed = Account(theirs.organization_id, theirs.organization_name, ours.key_id, ours.key_name)
    with pytest.raises(InvalidKey):
        held(books, mixed)


def test_what_expired_is_given_back_once(books: Books) -> None:
    account = new_account(books, credit=5)
    open_hold = held(books, account)
    expired = [held(books, account, expires_in_s=-1) for _ in range(3)]
    settled = held(books, account, expires_in_s=-1)
    books.ledger.settle(settled).result(PATIENCE_IN_S)
    assert books.ledger.release_expired() == 3
    assert books.ledger.release_expired() == 0
    assert balance_of(books, account) == 3000
    books.ledger.release(expired[0]).result(PATIENCE_IN_S)
    assert balance_of(books, account) == 3000
    assert books.database.rows("SELECT id FROM holds") == [(open_hold.id,)]
    assert verify(books.database) == []


def test_work_done_after_its_hold_expired_is_paid_or_fails(books: Books) -> None:
    account = new_account(books, credit=2)
    first, second = (held(books, account, expires_in_s=-1) for _ in range(2))
    books.ledger.release_expired()
    for _ in range(2):
        assert books.ledger.settle(first).result(PATIENCE_IN_S) == 1000
    held(books, account)
    with pytest.raises(InsufficientCredits):
        books.ledger.settle(second).result(PATIENCE_IN_S)
    assert balance_of(books, account) == 0
    assert verify(books.database) == []
    assert [row.requests for row in usage_of(books, account)] == [1]


def test_settling_after_a_release_is_a_mistake_that_costs_nothing(books: Books) -> None:
    account = new_account(books, credit=1)
    hold = held(books, account)
    books.ledger.release(hold).result(PATIENCE_IN_S)
    with pytest.raises(InternalError):
        books.ledger.settle(hold).result(PATIENCE_IN_S)
    assert balance_of(books, account) == 1000


@pytest.mark.parametrize("amount", [-1, 1001])
def test_no_more_is_settled_than_is_held(sqlite_books: Books, amount: int) -> None:
    hold = held(sqlite_books, new_account(sqlite_books))
    with pytest.raises(ValueError, match=str(amount)):
        sqlite_books.ledger.settle(hold, amount)


def test_free_work_needs_no_credits(books: Books) -> None:
    account = new_account(books, credit=0)
    free = type(PRICE)("image_transformation", 0)
    hold = books.ledger.hold(account, free, "request", expires_in_s=60).result(PATIENCE_IN_S)
    assert books.ledger.settle(hold).result(PATIENCE_IN_S) == 0
    assert [(row.requests, row.charged_in_millicredits) for row in usage_of(books, account)] == [(1, 0)]
    assert verify(books.database) == []


def usage_of(books: Books, account: Account) -> tuple[object, ...]:
    today = datetime.now(UTC).date()
    return usage(books.database, account.organization_id, today.replace(day=1, month=1), today)


def test_usage_is_told_by_key_and_day(books: Books) -> None:
    account, other = new_account(books), new_account(books)
    for charged in (1000, 250, 0):
        books.ledger.settle(held(books, account), charged).result(PATIENCE_IN_S)
    books.ledger.release(held(books, account)).result(PATIENCE_IN_S)
    books.ledger.settle(held(books, other)).result(PATIENCE_IN_S)
    (row,) = usage_of(books, account)
    assert (row.key_id, row.key_name, row.api) == (account.key_id, "test", "image_transformation")
    assert (row.requests, row.charged_in_millicredits) == (3, 1250)
    today = row.day
    assert usage(books.database, account.organization_id, today, today) == (row,)
    assert usage(books.database, account.organization_id, today.replace(year=2000), today.replace(year=2001)) == ()


def test_grants_are_added_and_written_down(books: Books) -> None:
    account = new_account(books, credit=1)
    with books.database.writing() as connection:
        assert grant(connection, account.organization_id, 2500, "gift") == 3500
    assert verify(books.database) == []
    with pytest.raises(NotFound), books.database.writing() as connection:
        grant(connection, "nobody", 1, "gift")
    for amount in (-1, 10**16):
        with pytest.raises(RequestError), books.database.writing() as connection:
            grant(connection, account.organization_id, amount, "gift")
    assert balance_of(books, account) == 3500


@pytest.mark.parametrize(
    ("damage", "found"),
    [
        ("UPDATE organizations SET balance_in_millicredits = balance_in_millicredits + 1", "balance of organization"),
        ("UPDATE api_keys SET spent_in_millicredits = 1", "credits spent by key"),
        ("UPDATE usage_by_day SET requests = 5", "requests of key"),
        ("UPDATE usage_by_day SET charged_in_millicredits = 5", "charges of key"),
        ("UPDATE holds SET amount_in_millicredits = 5", "amount of open hold"),
        ("DELETE FROM holds", "open or closed"),
        ("INSERT INTO holds SELECT 'x', organization_id, key_id, 1, 1 FROM holds", "amount of open hold x"),
    ],
)
def test_the_audit_sees_what_does_not_agree(books: Books, damage: str, found: str) -> None:
    account = new_account(books)
    held(books, account)
    books.ledger.settle(held(books, account)).result(PATIENCE_IN_S)
    assert verify(books.database) == []
    with books.database.writing() as connection:
        connection.execute(text(damage))
    assert found in "\n".join(verify(books.database))
