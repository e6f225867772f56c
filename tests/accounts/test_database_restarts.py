"""PostgreSQL goes away and comes back: whoever asks meanwhile is told so at once, and nothing is lost."""

import asyncio
from pathlib import Path

import pytest
from banking import PATIENCE_IN_S, PRICE, balance_of, new_account, new_key, open_books
from postgres import Postgres

from imageplane.accounts.audit import verify
from imageplane.errors import Busy


def test_moves_fail_while_it_is_gone_and_go_on_when_it_is_back(postgres: Postgres, tmp_path: Path) -> None:
    with open_books(postgres.new_database(), tmp_path) as books:
        key_text = new_key(books)
        account = new_account(books, credit=3)
        hold = books.ledger.hold(account, PRICE, "before", expires_in_s=60).result(PATIENCE_IN_S)
        postgres.stop()
        try:
            for future in [books.ledger.settle(hold), books.ledger.hold(account, PRICE, "now", expires_in_s=60)]:
                error = future.exception(PATIENCE_IN_S)
                assert isinstance(error, Busy)
                assert (error.status, error.retryable) == (503, True)
                assert error.retry_after_in_s
            with pytest.raises(Busy):
                asyncio.run(books.keys.account(key_text))
            with pytest.raises(Busy):
                books.database.check()
        finally:
            postgres.start()
        books.database.check()
        assert books.ledger.settle(hold).result(PATIENCE_IN_S) == 1000
        after = books.ledger.hold(account, PRICE, "after", expires_in_s=60).result(PATIENCE_IN_S)
        books.ledger.settle(after).result(PATIENCE_IN_S)
        assert asyncio.run(books.keys.account(key_text)).key_name == "test"
        assert balance_of(books, account) == 1000
        assert verify(books.database) == []


def test_an_idle_server_does_not_notice_a_restart(postgres: Postgres, tmp_path: Path) -> None:
    with open_books(postgres.new_database(), tmp_path) as books:
        account = new_account(books, credit=2)
        books.ledger.hold(account, PRICE, "before", expires_in_s=60).result(PATIENCE_IN_S)
        postgres.stop()
        postgres.start()
        books.ledger.hold(account, PRICE, "after", expires_in_s=60).result(PATIENCE_IN_S)
        assert balance_of(books, account) == 0
