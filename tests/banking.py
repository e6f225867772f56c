"""Books, organizations and keys for tests, on SQLite and on PostgreSQL."""

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from imageplane.accounts import keys, organizations
from imageplane.accounts.account import Account
from imageplane.accounts.books import Books
from imageplane.accounts.prices import MILLICREDITS, Price
from imageplane.settings import DatabaseSettings, Settings

PRICE = Price("image_transformation", MILLICREDITS)
PATIENCE_IN_S = 30
_numbers = itertools.count()


def open_books(url: str, folder: Path) -> Books:
    database = DatabaseSettings(url=SecretStr(url))
    return Books.open(Settings.model_construct(data_dir=folder, database=database, trial_credits=100))


def new_key(books: Books, credit: int = 100, cap: int | None = None, expires_at_in_ms: int | None = None) -> str:
    """Give a key of a new organization with as many credits, and a cap in credits."""
    with books.database.writing() as connection:
        owner = books.new_organization(connection, f"organization {next(_numbers)}", credit)
        cap_in_millicredits = None if cap is None else cap * MILLICREDITS
        return keys.create(
            connection,
            owner.id,
            "test",
            budget_cap_in_millicredits=cap_in_millicredits,
            expires_at_in_ms=expires_at_in_ms,
        )


def new_account(books: Books, credit: int = 100, cap: int | None = None) -> Account:
    return books.keys.ask(new_key(books, credit, cap)).result(PATIENCE_IN_S)


def balance_of(books: Books, account: Account) -> int:
    with books.database.reading() as connection:
        return organizations.of_id(connection, account.organization_id).balance_in_millicredits


@pytest.fixture
def books(database_url: str, tmp_path: Path) -> Iterator[Books]:
    """Give fresh books, once on SQLite and once on PostgreSQL."""
    with open_books(database_url, tmp_path) as books:
        yield books


@pytest.fixture
def sqlite_books(tmp_path: Path) -> Iterator[Books]:
    """Give fresh books on SQLite, for what does not depend on the database."""
    with open_books(f"sqlite:///{tmp_path / 'imageplane.db'}", tmp_path) as books:
        yield books
