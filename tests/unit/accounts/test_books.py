"""The books open, start with one key, close, and know what a transform costs."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from banking import PATIENCE_IN_S, balance_of, open_books

from imageplane.accounts.audit import verify
from imageplane.accounts.books import Books
from imageplane.accounts.prices import Price, in_credits, price_of_transform
from imageplane.errors import Busy
from imageplane.settings import PriceSettings


def test_the_first_start_gives_one_key_with_trial_credits(books: Books) -> None:
    text = books.first_start()
    assert text is not None
    account = books.keys.ask(text).result(PATIENCE_IN_S)
    assert (account.organization_name, balance_of(books, account)) == ("default", 100_000)
    assert books.first_start() is None
    assert verify(books.database) == []


def test_of_servers_that_start_at_once_one_gives_the_key(database_url: str, tmp_path: Path) -> None:
    def start(_number: int) -> str | None:
        with open_books(database_url, tmp_path) as books:
            return books.first_start()

    # Alembic keeps its state in the process, and is called by one thread in each server.
    open_books(database_url, tmp_path).close()
    with ThreadPoolExecutor(8) as threads:
        given = [text for text in threads.map(start, range(8)) if text is not None]
    assert len(given) == 1


def test_closed_books_are_busy(sqlite_books: Books) -> None:
    sqlite_books.close()
    assert isinstance(sqlite_books.keys.ask("any").exception(0), Busy)


def test_a_transform_costs_what_the_settings_say() -> None:
    assert price_of_transform(PriceSettings()) == Price("image_transformation", 1000)
    assert price_of_transform(PriceSettings(transform_in_millicredits=500)) == Price("image_transformation", 500)


@pytest.mark.parametrize(
    ("amount", "text"),
    [(0, "0"), (1, "0.001"), (500, "0.5"), (1000, "1"), (10_000, "10"), (12_340, "12.34"), (-1500, "-1.5")],
)
def test_amounts_are_read_as_credits(amount: int, text: str) -> None:
    assert in_credits(amount) == text
