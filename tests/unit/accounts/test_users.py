"""Users, their passwords and sessions, on both databases."""

import asyncio
import threading

import pytest
from argon2 import PasswordHasher

from imageplane.accounts import sessions, users
from imageplane.accounts.books import Books
from imageplane.accounts.passwords import Passwords, check_password
from imageplane.accounts.users import User
from imageplane.errors import Busy, NotFound, RequestError

HOUR_IN_S = 3600
NOW = 1_800_000_000_000


def new_user(books: Books, email: str = "ada@example.com", password_hash: str = "hash") -> User:  # noqa: S107
    with books.database.writing() as connection:
        owner = books.new_organization(connection, email)
        return users.create(connection, owner.id, email, password_hash)


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("ada@example.com", "ada@example.com"),
        ("  Ada@Example.COM\n", "ada@example.com"),
        ("STRASSE@example.com", "strasse@example.com"),
        ("cafe\u0301@example.com", "caf\u00e9@example.com"),
        ("o'brien+tag@mail.example", "o'brien+tag@mail.example"),
    ],
)
def test_an_address_is_kept_as_it_is_compared(given: str, kept: str) -> None:
    assert users.normalized(given) == kept


@pytest.mark.parametrize(
    "given",
    ["", "ada", "@example.com", "ada@", "a b@example.com", "a@b@c", "a\0@b.com", "x" * 250 + "@b.com", "a@b\u202e"],
)
def test_what_can_be_no_address_is_refused(given: str) -> None:
    with pytest.raises(RequestError, match="no e-mail address"):
        users.normalized(given)


def test_an_address_is_there_once(books: Books) -> None:
    user = new_user(books)
    with pytest.raises(RequestError, match="already"), books.database.writing() as connection:
        users.create(connection, user.organization_id, "ADA@example.com", "other")
    with books.database.reading() as connection:
        assert users.with_email(connection, " Ada@Example.com") == user
        assert users.with_email(connection, "nobody@example.com") is None
        assert users.with_email(connection, "\0") is None
        assert users.of_id(connection, user.id) == user
        assert users.every(connection) == ((user, "ada@example.com"),)
        with pytest.raises(NotFound):
            users.of_id(connection, "none")
    assert "hash" not in repr(user).replace("password_hash", "")


def test_a_session_is_found_until_it_ends(books: Books) -> None:
    user = new_user(books)
    with books.database.writing() as connection:
        secret = sessions.begin(connection, user, NOW, HOUR_IN_S)
        other = sessions.begin(connection, user, NOW, HOUR_IN_S)
    assert secret is not None
    assert other not in (None, secret)
    assert sessions.is_well_formed(secret)
    with books.database.writing() as connection:
        found = sessions.found(connection, secret, NOW + 1)
        assert found is not None
        assert (found.user_id, found.email) == (user.id, user.email)
        assert (found.organization_id, found.organization_name) == (user.organization_id, user.email)
        assert sessions.found(connection, secret, NOW + HOUR_IN_S * 1000) is None
        assert sessions.found(connection, secret[:-1] + "_", NOW) is None
        sessions.prolong(connection, secret, NOW + 1000, HOUR_IN_S)
        assert sessions.found(connection, secret, NOW + HOUR_IN_S * 1000) is not None
        # What is over is not brought back.
        sessions.prolong(connection, secret, NOW + HOUR_IN_S * 2000, HOUR_IN_S)
        assert sessions.found(connection, secret, NOW + HOUR_IN_S * 2000) is None
        sessions.forget_expired(connection, NOW + HOUR_IN_S * 1000)
        assert sessions.found(connection, str(other), NOW) is None
        assert sessions.found(connection, secret, NOW) is not None
        sessions.end(connection, secret)
        assert sessions.found(connection, secret, NOW) is None


def test_an_old_password_begins_no_session(books: Books) -> None:
    user = new_user(books)
    with books.database.writing() as connection:
        assert users.keep_hash(connection, user, "newer")
        assert not users.keep_hash(connection, user, "newest")
        assert sessions.begin(connection, user, NOW, HOUR_IN_S) is None
        changed = users.of_id(connection, user.id)
        secret = sessions.begin(connection, changed, NOW, HOUR_IN_S)
        assert secret is not None
        assert sessions.end_all(connection, user.id) == 1
        assert sessions.found(connection, secret, NOW) is None


def test_a_password_that_is_changed_meanwhile_begins_no_session(books: Books) -> None:
    user, begun = new_user(books), threading.Event()
    found: list[str | None] = []

    def sign_in() -> None:
        begun.set()
        with books.database.writing() as connection:
            found.append(sessions.begin(connection, user, NOW, HOUR_IN_S))

    thread = threading.Thread(target=sign_in)
    with books.database.writing() as connection:
        users.keep_hash(connection, user, "newer")
        thread.start()
        begun.wait()
        sessions.end_all(connection, user.id)
    thread.join()
    assert found == [None]
    assert books.database.rows("SELECT * FROM sessions") == []


@pytest.mark.parametrize("password", ["", "elevenchars", "a" * 300, "ababababababab", "Ada@Example.com"])
def test_what_is_no_password_is_refused(password: str) -> None:
    with pytest.raises(RequestError):
        check_password(password, "ada@example.com")


def test_a_password_is_the_same_from_every_keyboard() -> None:
    passwords = Passwords(64, 1)
    kept = passwords.hash("caf\u00e9 lanterns \ufb01re")
    assert asyncio.run(passwords.matches("cafe\u0301 lanterns fire", kept))
    assert not asyncio.run(passwords.matches("cafe lanterns fire", kept))
    assert not asyncio.run(passwords.matches("anything", "not a hash"))
    assert kept != passwords.hash("caf\u00e9 lanterns \ufb01re")
    passwords.close()


def test_a_hash_of_other_parameters_is_outdated() -> None:
    passwords = Passwords(128, 1)
    assert not passwords.is_outdated(passwords.hash("a"))
    older = PasswordHasher(1, 64, 1).hash("seven quiet lanterns")
    assert passwords.is_outdated(older)
    assert asyncio.run(passwords.matches("seven quiet lanterns", older))
    passwords.close()


def test_who_comes_when_too_many_wait_is_told_so() -> None:
    async def story() -> None:
        passwords = Passwords(64, 1)
        found = await asyncio.gather(*(passwords.matches("x", None) for _ in range(230)), return_exceptions=True)
        assert sum(isinstance(each, Busy) for each in found) == 30
        assert found.count(False) == 200
        assert await passwords.matches("x", None) is False
        passwords.close()

    asyncio.run(story())
