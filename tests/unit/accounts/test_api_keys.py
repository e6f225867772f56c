"""Keys are random, shown once, kept as digests, listed and revoked."""

import hashlib
import re

import pytest
from banking import new_account, new_key

from imageplane.accounts import keys, organizations
from imageplane.accounts.books import Books
from imageplane.errors import NotFound, RequestError


def test_a_key_is_256_random_bits_with_a_prefix() -> None:
    made = {keys.new_text() for _ in range(1000)}
    assert len(made) == 1000
    assert all(re.fullmatch(r"ip_live_[0-9A-Za-z]{43}", text) and keys.is_well_formed(text) for text in made)
    # Every digit but the first takes every value.
    assert all(len({text[place] for text in made}) > 50 for place in range(len("ip_live_") + 1, 51))


@pytest.mark.parametrize("text", ["", "ip_live_", "ip_live_" + "a" * 42, "ip_live_" + "a" * 42 + "é", "x" * 51, "\n"])
def test_what_no_key_can_be_is_told_at_once(text: str) -> None:
    assert not keys.is_well_formed(text)


def test_the_database_never_holds_a_key(books: Books) -> None:
    text = new_key(books)
    assert text not in str(books.database.rows("SELECT * FROM api_keys"))
    ((digest,),) = books.database.rows("SELECT digest FROM api_keys")
    assert bytes(digest) == hashlib.sha256(text.encode()).digest()


def test_keys_are_listed_with_what_they_may_and_did(books: Books) -> None:
    text = new_key(books, cap=7, expires_at_in_ms=1)
    with books.database.reading() as connection:
        (key,) = keys.listed(connection)
    assert text.startswith(key.prefix)
    assert len(key.prefix) < 16
    assert (key.budget_cap_in_millicredits, key.spent_in_millicredits, key.expires_at_in_ms) == (7000, 0, 1)
    assert (key.state(0), key.state(1)) == ("active", "expired")


@pytest.mark.parametrize("name_of", ["id", "prefix", "text"])
def test_a_key_is_revoked_by_any_of_its_names(books: Books, name_of: str) -> None:
    text = new_key(books)
    with books.database.writing() as connection:
        (key,) = keys.listed(connection)
        wanted = {"id": key.id, "prefix": key.prefix, "text": text}[name_of]
        assert keys.revoke(connection, wanted) == "test"
        (first,) = keys.listed(connection)
        keys.revoke(connection, wanted)
        assert keys.listed(connection) == (first,)
    assert first.state(0) == "revoked"


def test_an_unknown_key_cannot_be_revoked(books: Books) -> None:
    new_account(books)
    with pytest.raises(NotFound), books.database.writing() as connection:
        keys.revoke(connection, "ip_live_")


@pytest.mark.parametrize("name", ["", "  ", "a" * 101, "two\nlines"])
def test_a_name_is_one_short_line(books: Books, name: str) -> None:
    with pytest.raises(RequestError, match="A name has"), books.database.writing() as connection:
        organizations.create(connection, name)


def test_two_organizations_never_have_one_name(books: Books) -> None:
    with books.database.writing() as connection:
        organizations.create(connection, "twice")
    with pytest.raises(RequestError, match="'twice'"), books.database.writing() as connection:
        organizations.create(connection, "twice")
