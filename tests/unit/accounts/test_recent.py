"""The latest requests of each organization: noted in memory, written together, and forgotten."""

from collections.abc import Sequence
from typing import Any

import pytest
from banking import PATIENCE_IN_S, new_account
from sqlalchemy import Connection

from imageplane.accounts.account import Account
from imageplane.accounts.books import Books
from imageplane.accounts.recent import KEPT_FOR_IN_S, LATEST, Noted, Recent

NOW = 1_800_000_000_000


def noted(account: Account, number: int, status: int = 200, **other: Any) -> Noted:
    told = {"error_code": None, "error": None, "duration_in_ms": 1.6, "charged_in_millicredits": 1000}
    values = told | {"at_in_ms": NOW + number, "request_id": f"req_{number}"} | other
    return Noted(account.organization_id, account.key_id, route="POST /transform", status=status, **values)


@pytest.fixture
def recent(books: Books) -> Recent:
    return books.recent


def settled(books: Books) -> None:
    """Wait until the writer has done what was submitted so far."""

    def write(_connection: Connection, items: Sequence[None]) -> list[None]:
        return [None] * len(items)

    books._writer.line(write).submit(None).result(PATIENCE_IN_S)


def test_notes_are_told_the_latest_first_to_their_organization(books: Books, recent: Recent) -> None:
    ada, bob = new_account(books), new_account(books)
    recent.note(noted(ada, 1))
    recent.note(noted(ada, 3, 422, error_code="undecodable_image", error="The image data is damaged."))
    recent.note(noted(ada, 2))
    recent.note(noted(bob, 4))
    assert recent.latest(ada.organization_id) == ()
    recent.write()
    recent.write()
    settled(books)
    found = recent.latest(ada.organization_id)
    assert [request.request_id for request in found] == ["req_3", "req_2", "req_1"]
    (failed,) = recent.latest(ada.organization_id, only_failed=True)
    assert (failed.status, failed.error_code, failed.key_name) == (422, "undecodable_image", "test")
    assert (failed.error, failed.duration_in_ms) == ("The image data is damaged.", 2)
    assert [request.request_id for request in recent.latest(bob.organization_id)] == ["req_4"]
    assert recent.dropped == 0


def test_no_address_gets_into_what_is_kept(books: Books, recent: Recent) -> None:
    account = new_account(books)
    words = "file.url: https://user:word@example.com/a?b=c can't be had, nor HTTP://10.0.0.1/x " + "x" * 500
    recent.note(noted(account, 1, 400, error=words))
    recent.write()
    settled(books)
    (found,) = recent.latest(account.organization_id)
    assert found.error is not None
    assert found.error.startswith("file.url: (an address) can't be had, nor (an address) xxx")
    assert len(found.error) == 300


def test_a_flood_drops_what_would_not_be_seen_and_no_failure(books: Books, recent: Recent) -> None:
    account = new_account(books)
    recent.note(noted(account, 0, 500))
    for number in range(1, LATEST + 51):
        recent.note(noted(account, number))
    assert recent.dropped == 50
    recent.write()
    settled(books)
    found = recent.latest(account.organization_id)
    assert len(found) == LATEST + 1
    assert found[0].request_id == f"req_{LATEST + 50}"
    assert found[-1].status == 500


def test_memory_is_bounded_whoever_asks(books: Books, recent: Recent) -> None:
    for number in range(6_000):
        organization = Account(f"o{number % 30}", "", "k", "")
        recent.note(noted(organization, number))
    assert sum(map(len, recent._waiting.values())) == 5_000
    assert recent.dropped == 1_000
    # None of these organizations exists: what can't be written is counted, and harms nobody.
    recent.write()
    account = new_account(books)
    recent.note(noted(account, 1))
    recent.write()
    settled(books)
    assert len(recent.latest(account.organization_id)) == 1
    assert recent.dropped == 6_000


def test_only_the_latest_are_kept_and_those_for_some_days(books: Books) -> None:
    clock = [NOW]
    recent = Recent(books.database, books._writer, lambda: clock[0])
    ada, bob = new_account(books), new_account(books)
    for batch in range(5):
        for number in range(LATEST):
            recent.note(noted(ada, batch * LATEST + number))
        recent.write()
    recent.note(noted(ada, 0, 404))
    recent.note(noted(bob, 5))
    recent.write()
    settled(books)
    assert books.database.rows("SELECT COUNT(*) FROM recent_requests") == [(5 * LATEST + 2,)]
    recent.forget()
    assert books.database.rows("SELECT COUNT(*) FROM recent_requests") == [(LATEST + 2,)]
    assert recent.latest(ada.organization_id)[0].request_id == f"req_{5 * LATEST - 1}"
    assert len(recent.latest(bob.organization_id)) == 1
    clock[0] += KEPT_FOR_IN_S * 1000 + 4
    recent.forget()
    assert recent.latest(bob.organization_id) != ()
    clock[0] += 5 * LATEST
    recent.forget()
    assert books.database.rows("SELECT COUNT(*) FROM recent_requests") == [(0,)]
