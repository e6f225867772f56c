"""The key ring knows good and bad keys from memory, asks for many at once, and sees what changed within moments."""

import asyncio
import time
from collections.abc import Iterator

import pytest
from banking import PATIENCE_IN_S, new_key
from sqlalchemy import event

from imageplane.accounts import keyring, keys
from imageplane.accounts.books import Books
from imageplane.accounts.keyring import KeyRing
from imageplane.database.stamps import now_in_ms
from imageplane.errors import InvalidKey


@pytest.fixture
def ring(books: Books) -> Iterator[KeyRing]:
    ring = KeyRing(books.database, believed_for_in_s=60)
    yield ring
    ring.close()


@pytest.fixture
def queries(books: Books) -> list[str]:
    """Give a list that grows with every query."""
    made: list[str] = []
    event.listen(books.database.engine, "before_cursor_execute", lambda *about: made.append(about[2]))
    return made


def test_a_good_key_is_asked_for_once(books: Books, ring: KeyRing, queries: list[str]) -> None:
    text = new_key(books)
    queries.clear()
    assert ring.find(text) is None
    account = asyncio.run(ring.account(text))
    asked = len(queries)
    assert asked > 0
    assert ring.find(text) is account
    assert asyncio.run(ring.account(text)) is account
    assert len(queries) == asked
    assert account.key_name == "test"


def test_a_bad_key_is_asked_for_once(ring: KeyRing, queries: list[str]) -> None:
    text = keys.new_text()
    with pytest.raises(InvalidKey) as caught:
        asyncio.run(ring.account(text))
    assert (caught.value.message, caught.value.status) == ("Invalid API key", 401)
    asked = len(queries)
    with pytest.raises(InvalidKey):
        asyncio.run(ring.account(text))
    assert len(queries) == asked


@pytest.mark.parametrize("text", ["", "Bearer", "ip_live_short", "ip_live_" + "ü" * 43, "\udcff" * 51])
def test_what_is_no_key_never_reaches_the_database(ring: KeyRing, queries: list[str], text: str) -> None:
    with pytest.raises(InvalidKey):
        ring.find(text)
    assert queries == []


def test_a_flood_of_bad_keys_shares_queries_and_is_forgotten(
    books: Books, queries: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keyring, "_MOST_KNOWN", 100)
    ring = KeyRing(books.database, believed_for_in_s=60)
    good = new_key(books)
    assert ring.ask(good).result(PATIENCE_IN_S)
    queries.clear()
    futures = [ring.ask(keys.new_text()) for _ in range(2000)]
    assert all(isinstance(future.exception(PATIENCE_IN_S), InvalidKey) for future in futures)
    assert len([query for query in queries if "api_keys" in query]) < 500
    assert len(ring._bad) == 100
    # Bad keys push out bad keys, never good ones.
    assert ring.find(good) is not None
    ring.close()


def test_a_revoked_key_is_refused_within_moments(books: Books) -> None:
    ring = KeyRing(books.database, believed_for_in_s=0.1)
    text = new_key(books)
    assert ring.ask(text).result(PATIENCE_IN_S)
    with books.database.writing() as connection:
        keys.revoke(connection, text)
    patience = time.monotonic() + PATIENCE_IN_S
    while True:
        assert time.monotonic() < patience
        try:
            asyncio.run(ring.account(text))
        except InvalidKey:
            break
        time.sleep(0.01)
    ring.close()


def test_a_new_key_is_taken_though_it_was_tried_before(books: Books, monkeypatch: pytest.MonkeyPatch) -> None:
    ring = KeyRing(books.database, believed_for_in_s=0)
    text = keys.new_text()
    with pytest.raises(InvalidKey):
        asyncio.run(ring.account(text))
    monkeypatch.setattr(keys, "new_text", lambda: text)
    new_key(books)
    assert asyncio.run(ring.account(text)).key_name == "test"
    ring.close()


def test_a_key_ends_on_its_day_though_it_is_remembered(
    books: Books, ring: KeyRing, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = new_key(books, expires_at_in_ms=now_in_ms() + 3_600_000)
    assert asyncio.run(ring.account(text))
    monkeypatch.setattr(keyring, "now_in_ms", lambda: now_in_ms() + 3_600_001)
    with pytest.raises(InvalidKey):
        ring.find(text)
    with pytest.raises(InvalidKey):
        ring.ask(text).result(PATIENCE_IN_S)
