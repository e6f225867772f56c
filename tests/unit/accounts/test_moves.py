"""The bookkeeping of a group of moves, without a database."""

import pytest

from imageplane.accounts.moves import Close, Closing, Hold, Page, Purse, late_id
from imageplane.errors import BudgetCapExceeded, InsufficientCredits, InternalError, InvalidKey


def hold(number: int, amount: int = 1000, key: str = "key") -> Hold:
    return Hold(f"hold {number}", "us", key, amount, "image_transformation", "request", 0)


def page(
    balance: int = 3000,
    spent: int = 0,
    cap: int | None = None,
    open_holds: dict[str, int] | None = None,
    closings: dict[str, tuple[Closing, int]] | None = None,
) -> Page:
    purses = {"key": Purse("us", True, spent, cap), "revoked": Purse("us", False, 0, None)}
    return Page({"us": balance}, purses, open_holds or {}, closings or {})


def told(books: Page) -> list[tuple[str, int]]:
    return [(entry.kind, entry.amount_in_millicredits) for entry in books.entries]


def test_holds_are_judged_one_by_one() -> None:
    books = page(balance=2500)
    books.place(hold(1))
    with pytest.raises(InsufficientCredits) as caught:
        books.place(hold(2, 2000))
    assert (caught.value.message, caught.value.status) == ("Insufficient credits", 402)
    books.place(hold(3, 1500))
    assert books.balances == {"us": 0}
    assert books.purses["key"].spent_in_millicredits == 2500
    assert told(books) == [("hold", -1000), ("hold", -1500)]
    assert books.opened == [hold(1), hold(3, 1500)]


def test_a_cap_ends_what_a_key_may_spend() -> None:
    books = page(spent=500, cap=1500)
    books.place(hold(1))
    with pytest.raises(BudgetCapExceeded) as caught:
        books.place(hold(2, 1))
    assert (caught.value.message, caught.value.status) == ("Budget cap exceeded", 402)
    # What costs nothing is allowed to anybody.
    books.place(hold(3, 0))


@pytest.mark.parametrize("key", ["revoked", "unknown"])
def test_a_key_that_ended_holds_nothing(key: str) -> None:
    with pytest.raises(InvalidKey):
        page().place(hold(1, key=key))


@pytest.mark.parametrize(
    ("kind", "charged", "given_back"), [("settle", 700, 300), ("release", 0, 1000), ("expire", 0, 1000)]
)
def test_a_hold_is_closed_once(kind: Closing, charged: int, given_back: int) -> None:
    books = page(balance=0, spent=1000, open_holds={"hold 1": 1000})
    for _ in range(2):
        assert books.close(Close(hold(1), kind, charged)) == charged
    assert told(books) == [(kind, given_back)]
    assert books.balances == {"us": given_back}
    assert books.purses["key"].spent_in_millicredits == 1000 - given_back


def test_the_first_closing_counts() -> None:
    books = page(balance=0, closings={"hold 1": ("settle", 300)})
    assert books.close(Close(hold(1), "release")) == 700
    assert books.close(Close(hold(1), "expire")) == 700
    assert books.close(Close(hold(1), "settle", 1000)) == 700
    assert told(books) == []


def test_work_that_is_done_after_its_hold_expired_is_charged_once() -> None:
    books = page(balance=1500, closings={"hold 1": ("expire", 1000)})
    for _ in range(2):
        assert books.close(Close(hold(1), "settle", 800)) == 800
    assert books.close(Close(hold(1), "settle", 1000)) == 800
    assert told(books) == [("hold", -1000), ("settle", 200)]
    assert {entry.hold.id for entry in books.entries} == {late_id("hold 1")}
    assert books.balances == {"us": 700}
    # Nobody needs a row for a hold that is closed already.
    assert books.opened == []


def test_work_that_is_done_too_late_and_cannot_be_paid_fails() -> None:
    books = page(balance=500, closings={"hold 1": ("expire", 1000)})
    with pytest.raises(InsufficientCredits):
        books.close(Close(hold(1), "settle", 1000))
    assert (told(books), books.balances) == ([], {"us": 500})


@pytest.mark.parametrize("closings", [{}, {"hold 1": ("release", 1000)}])
def test_a_hold_that_was_released_or_never_was_cannot_be_settled(closings: dict[str, tuple[Closing, int]]) -> None:
    with pytest.raises(InternalError):
        page(closings=closings).close(Close(hold(1), "settle", 1000))
