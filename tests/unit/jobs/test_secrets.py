"""Every organization has one current secret, whoever asks first; one that was rotated out signs for another day."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from banking import new_account
from sqlalchemy import text

from imageplane.accounts.books import Books
from imageplane.database import Database
from imageplane.jobs import secrets
from imageplane.jobs.secrets import ROTATION_IN_MS, WebhookSecret
from imageplane.jobs.webhook import key_of

NOW = 1_764_000_000_000


def signing(database: Database, organization_id: str, now: int = NOW) -> tuple[WebhookSecret, ...]:
    with database.writing() as connection:
        return secrets.that_sign(connection, [organization_id], now)[organization_id]


def rotate(database: Database, organization_id: str, now: int = NOW) -> tuple[WebhookSecret, ...]:
    with database.writing() as connection:
        return secrets.rotate(connection, organization_id, now)


def test_the_first_secret_is_made_when_it_is_needed_and_stays(books: Books) -> None:
    one, other = (new_account(books).organization_id for _ in range(2))
    (first,) = signing(books.database, one)
    assert len(key_of(first.text)) == 32
    assert first.text not in repr(first)
    assert (first.created_at_in_ms, first.signs_until_in_ms) == (NOW, None)
    with books.database.writing() as connection:
        both = secrets.that_sign(connection, [other, one], NOW + 1)
    assert both[one] == (first,)
    assert both[other][0].text != first.text


def test_servers_that_ask_at_once_get_the_same(books: Books) -> None:
    organization_id, start = new_account(books).organization_id, Barrier(4)

    def ask(_: int) -> tuple[WebhookSecret, ...]:
        start.wait()
        return signing(books.database, organization_id)

    with ThreadPoolExecutor(4) as threads:
        found = set(threads.map(ask, range(4)))
    assert len(found) == 1


def test_after_a_rotation_both_sign_for_a_day(books: Books) -> None:
    organization_id = new_account(books).organization_id
    (first,) = signing(books.database, organization_id)
    new, old = rotate(books.database, organization_id, NOW + 5)
    assert new.text != first.text
    assert (new.created_at_in_ms, new.signs_until_in_ms) == (NOW + 5, None)
    assert (old.text, old.signs_until_in_ms) == (first.text, NOW + 5 + ROTATION_IN_MS)
    assert signing(books.database, organization_id, NOW + 4 + ROTATION_IN_MS) == (new, old)
    assert signing(books.database, organization_id, NOW + 5 + ROTATION_IN_MS) == (new,)
    # What signs no more is not kept for ever.
    rotate(books.database, organization_id, NOW + 6 + ROTATION_IN_MS)
    assert [row[0] for row in books.database.rows("SELECT count(*) FROM webhook_secrets")] == [2]


def test_who_rotates_without_having_a_secret_gets_one(books: Books) -> None:
    organization_id = new_account(books).organization_id
    (only,) = rotate(books.database, organization_id)
    assert signing(books.database, organization_id) == (only,)


def test_who_rotates_again_and_again_ends_the_oldest(books: Books) -> None:
    organization_id = new_account(books).organization_id
    made = [rotate(books.database, organization_id, NOW + number)[0].text for number in range(9)]
    assert [secret.text for secret in signing(books.database, organization_id, NOW + 10)] == made[:-6:-1]


def test_rotations_at_once_leave_one_current_secret(books: Books) -> None:
    organization_id, start = new_account(books).organization_id, Barrier(3)
    signing(books.database, organization_id)

    def ask(_: int) -> str:
        start.wait()
        return rotate(books.database, organization_id)[0].text

    with ThreadPoolExecutor(3) as threads:
        made = set(threads.map(ask, range(3)))
    assert len(made) == 3
    found = signing(books.database, organization_id)
    assert [secret.signs_until_in_ms is None for secret in found] == [True, False, False, False]
    assert found[0].text in made


def test_the_installation_has_one_secret_of_a_name(books: Books) -> None:
    start = Barrier(4)

    def ask(number: int) -> bytes:
        start.wait()
        with books.database.writing() as connection:
            return secrets.installation_secret(connection, "links" if number else "other", NOW)

    with ThreadPoolExecutor(4) as threads:
        other, *same = threads.map(ask, range(4))
    assert len(set(same)) == 1
    assert len(same[0]) == len(other) == 32
    assert other != same[0]


def test_no_organization_has_two_current_secrets_whatever_happens(books: Books) -> None:
    organization_id = new_account(books).organization_id
    signing(books.database, organization_id)
    insert = "INSERT INTO webhook_secrets (id, organization_id, secret, created_at_in_ms) VALUES ('x', :id, 's', 0)"
    with pytest.raises(Exception, match=r"(?i)unique"), books.database.writing() as connection:
        connection.execute(text(insert), {"id": organization_id})
