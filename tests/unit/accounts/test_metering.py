"""Work is paid when it is done, and costs nothing when it fails, is cancelled, or never began."""

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import Future

import pytest
from banking import PATIENCE_IN_S, PRICE, balance_of, new_account

from imageplane.accounts import metering
from imageplane.accounts.account import Account
from imageplane.accounts.audit import verify
from imageplane.accounts.books import Books
from imageplane.accounts.metering import Charge, Meter
from imageplane.accounts.prices import Price
from imageplane.errors import Busy, InsufficientCredits, UndecodableImage

FREE = Price("nothing", 0)
Work = Callable[[Charge], Awaitable[None]]


async def charged(books: Books, account: Account, work: Work) -> Charge:
    async with Meter(books.ledger, holds_for_in_s=60).charged(account, PRICE, "request") as charge:
        await work(charge)
    return charge


async def nothing(_charge: Charge) -> None:
    pass


def settle_everything(books: Books, account: Account) -> int:
    """Give the balance when everything that is queued is written."""
    hold = books.ledger.hold(account, FREE, "last", expires_in_s=60).result(PATIENCE_IN_S)
    books.ledger.release(hold).result(PATIENCE_IN_S)
    assert verify(books.database) == []
    assert books.database.rows("SELECT * FROM holds") == []
    return balance_of(books, account)


def test_finished_work_is_charged(books: Books) -> None:
    account = new_account(books, credit=2)
    charge = asyncio.run(charged(books, account, nothing))
    assert (charge.amount_in_millicredits, balance_of(books, account)) == (1000, 1000)


def test_work_can_turn_out_cheaper(books: Books) -> None:
    async def cheaper(charge: Charge) -> None:
        charge.amount_in_millicredits = 250

    account = new_account(books, credit=2)
    charge = asyncio.run(charged(books, account, cheaper))
    assert (charge.amount_in_millicredits, balance_of(books, account)) == (250, 1750)


@pytest.mark.parametrize("error", [UndecodableImage("damaged"), RuntimeError("bug"), Busy("full")])
def test_failed_work_costs_nothing_once_the_failure_is_told(books: Books, error: Exception) -> None:
    async def fail(_charge: Charge) -> None:
        raise error

    account = new_account(books, credit=1)
    with pytest.raises(type(error)):
        asyncio.run(charged(books, account, fail))
    assert balance_of(books, account) == 1000


def test_who_cannot_pay_does_not_begin(books: Books) -> None:
    begun: list[Charge] = []

    async def begin(charge: Charge) -> None:
        begun.append(charge)

    with pytest.raises(InsufficientCredits):
        asyncio.run(charged(books, new_account(books, credit=0), begin))
    assert begun == []


def test_work_that_is_cancelled_costs_nothing(books: Books) -> None:
    account = new_account(books, credit=1)

    async def scenario() -> None:
        is_working = asyncio.Event()

        async def work(_charge: Charge) -> None:
            is_working.set()
            await asyncio.sleep(PATIENCE_IN_S)

        task = asyncio.create_task(charged(books, account, work))
        await is_working.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(scenario())
    assert settle_everything(books, account) == 1000


@pytest.mark.parametrize("is_waiting_in_line", [False, True])
def test_who_gives_up_while_credits_are_held_gets_them_back(sqlite_books: Books, is_waiting_in_line: bool) -> None:
    account = new_account(sqlite_books, credit=1)
    before = []

    async def scenario() -> None:
        # While another writes, nothing can be held.
        with sqlite_books.database.writing():
            if is_waiting_in_line:
                before.append(sqlite_books.ledger.hold(account, FREE, "first", expires_in_s=60))
                await asyncio.sleep(0.05)
            task = asyncio.create_task(charged(sqlite_books, account, nothing))
            await asyncio.sleep(0.05)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

    asyncio.run(scenario())
    for future in before:
        sqlite_books.ledger.release(future.result(PATIENCE_IN_S))
    # A hold that was on its way is undone by the thread that made it.
    assert settle_everything(sqlite_books, account) == 1000


def test_who_gives_up_after_the_work_has_paid(sqlite_books: Books) -> None:
    account = new_account(sqlite_books, credit=1)

    async def scenario() -> None:
        is_done, may_settle = asyncio.Event(), asyncio.Event()

        async def work(_charge: Charge) -> None:
            is_done.set()
            await may_settle.wait()

        task = asyncio.create_task(charged(sqlite_books, account, work))
        await is_done.wait()
        with sqlite_books.database.writing():
            may_settle.set()
            await asyncio.sleep(0.05)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

    asyncio.run(scenario())
    assert settle_everything(sqlite_books, account) == 0


@pytest.mark.parametrize(("failures", "balance"), [(3, 0), (4, 1000)])
def test_a_database_that_blinks_is_asked_again(
    sqlite_books: Books, monkeypatch: pytest.MonkeyPatch, failures: int, balance: int
) -> None:
    account = new_account(sqlite_books, credit=1)
    monkeypatch.setattr(metering, "_PAUSES_IN_S", (0.0, 0.0, 0.0))
    settle, left = type(sqlite_books.ledger).settle, [failures]

    def blinking(*arguments: object) -> Future[int]:
        if left[0]:
            left[0] -= 1
            future: Future[int] = Future()
            future.set_exception(Busy("gone"))
            return future
        return settle(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(type(sqlite_books.ledger), "settle", blinking)
    if balance:
        with pytest.raises(Busy):
            asyncio.run(charged(sqlite_books, account, nothing))
    else:
        asyncio.run(charged(sqlite_books, account, nothing))
    assert settle_everything(sqlite_books, account) == balance
