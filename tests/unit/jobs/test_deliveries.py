"""What is due is claimed once, what came of it counts for who holds the claim, and what a dead process held goes on."""

import contextlib
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from threading import Barrier

import pytest
from banking import new_account
from job_rows import insert_job
from sqlalchemy import text

from imageplane.accounts.books import Books
from imageplane.errors import NotFound
from imageplane.jobs import deliveries, delivery_log
from imageplane.jobs.deliveries import Claimed, Delivery, Wish
from imageplane.jobs.delivery_log import LoggedAttempt, LoggedDelivery
from imageplane.jobs.delivery_schedule import TRIES, Attempt, Step
from imageplane.jobs.slots import NOBODY, Full
from imageplane.sources.location import Location

NOW, LEASE = 1_764_000_000_000, 35_000
FAILED, DELIVERED, AGAIN = Step("failed"), Step("delivered"), Step("pending", 5.0)
GOOD, BAD = Attempt(NOW, 12, 204), Attempt(NOW, 34, 500, "The receiver answered with status 500.")
_numbers = count()


def wish(
    organization_id: str, url: str = "https://hooks.example/in?token=s3cret", delivery: Delivery = "bytes"
) -> Wish:
    return Wish(organization_id, f"job{next(_numbers)}", Location.parse(url), delivery, 7)


def add(books: Books, *wishes: Wish, now: int = NOW) -> list[str]:
    with books.database.writing() as connection:
        for each in wishes:
            insert_job(connection, each.organization_id, each.job_id)
        return deliveries.insert(connection, wishes, now)


def due(books: Books, full: Full = NOBODY, now: int = NOW) -> list[str]:
    with books.database.reading() as connection:
        return [each.id for each in deliveries.due(connection, full, now)]


def claim(books: Books, *ids: str, now: int = NOW) -> list[Claimed]:
    with books.database.writing() as connection:
        return deliveries.claim(connection, ids, now, LEASE)


def record(books: Books, claimed: Claimed, attempt: Attempt, step: Step, now: int = NOW) -> bool:
    with books.database.writing() as connection:
        return deliveries.record(connection, claimed, attempt, step, now)


def redeliver(books: Books, organization_id: str, delivery_id: str, now: int = NOW) -> LoggedDelivery:
    with books.database.writing() as connection:
        return delivery_log.redeliver(connection, organization_id, delivery_id, now)


def logged(books: Books, wanted: Wish) -> LoggedDelivery:
    with books.database.reading() as connection:
        (found,) = delivery_log.of_job(connection, wanted.organization_id, wanted.job_id)
        return found


def test_what_is_inserted_is_due_at_once_and_not_before(books: Books) -> None:
    owner = new_account(books).organization_id
    one, other = add(books, wish(owner), wish(owner))
    assert one.startswith("msg_")
    assert len(one) == 30
    assert due(books, now=NOW - 1) == []
    assert sorted(due(books)) == sorted([one, other])
    assert add(books) == []


def test_an_insertion_that_is_rolled_back_is_none(books: Books) -> None:
    owner = new_account(books).organization_id
    wanted = wish(owner)
    with contextlib.suppress(ZeroDivisionError), books.database.writing() as connection:
        insert_job(connection, owner, wanted.job_id)
        assert deliveries.insert(connection, [wanted], NOW)
        raise ZeroDivisionError
    assert due(books) == []


def test_who_may_send_no_more_is_passed_over(books: Books) -> None:
    first, second = (new_account(books).organization_id for _ in range(2))
    one, other, third = add(
        books, wish(first, "https://a.example/"), wish(first, "https://b.example/"), wish(second, "https://a.example/")
    )
    assert set(due(books, Full((first,), (), ()))) == {third}
    assert set(due(books, Full((), ("a.example:443",), ()))) == {other}
    assert set(due(books, Full((), (), (f"{first} a.example:443",)))) == {other, third}
    assert set(due(books, Full((second,), ("b.example:443",), ("nobody x:443",)))) == {one}


def test_a_claim_carries_what_is_needed_to_send(books: Books) -> None:
    owner = new_account(books).organization_id
    wanted = wish(owner, delivery="link")
    (name,) = add(books, wanted)
    (claimed,) = claim(books, name, "msg_nobody")
    assert (claimed.id, claimed.organization_id, claimed.job_id) == (name, owner, wanted.job_id)
    assert (claimed.url, claimed.delivery) == ("https://hooks.example/in?token=s3cret", "link")
    assert (claimed.attempts, claimed.tries_left, claimed.lease_expires_at_in_ms) == (0, TRIES, NOW + LEASE)
    assert [secret.signs_until_in_ms for secret in claimed.secrets] == [None]
    assert "s3cret" not in repr(claimed)
    assert claimed.secrets[0].text not in repr(claimed)


def test_of_many_who_claim_at_once_each_gets_what_nobody_else_has(books: Books) -> None:
    owner = new_account(books).organization_id
    names, start = add(books, *(wish(owner) for _ in range(60))), Barrier(4)

    def take(_: int) -> list[Claimed]:
        start.wait()
        taken: list[Claimed] = []
        while found := due(books):
            taken += claim(books, *found[:7])
        return taken

    with ThreadPoolExecutor(4) as threads:
        taken = [each for some in threads.map(take, range(4)) for each in some]
    assert sorted(each.id for each in taken) == sorted(names)


def test_a_claim_is_nobody_elses_until_its_lease_is_over(books: Books) -> None:
    (name,) = add(books, wish(new_account(books).organization_id))
    (first,) = claim(books, name)
    assert due(books, now=NOW + LEASE - 1) == []
    assert claim(books, name, now=NOW + LEASE - 1) == []
    (second,) = claim(books, name, now=NOW + LEASE)
    assert (second.id, second.attempts) == (name, 0)
    # Whoever comes back from the dead is told that it is too late, and changes nothing.
    assert not record(books, first, GOOD, DELIVERED)
    assert record(books, second, GOOD, DELIVERED)
    assert not record(books, second, GOOD, DELIVERED)


def test_a_success_is_the_end(books: Books) -> None:
    wanted = wish(new_account(books).organization_id)
    (name,) = add(books, wanted)
    assert record(books, claim(books, name)[0], GOOD, DELIVERED, NOW + 99)
    assert due(books, now=NOW + 10**9) == []
    found = logged(books, wanted)
    assert (found.id, found.job_id, found.status) == (name, wanted.job_id, "delivered")
    assert (found.created_at_in_ms, found.ended_at_in_ms, found.due_at_in_ms) == (NOW, NOW + 99, None)
    assert found.attempts == (LoggedAttempt(1, NOW, 12, 204, None),)


def test_a_failure_is_due_again_later_under_the_same_name(books: Books) -> None:
    wanted = wish(new_account(books).organization_id)
    (name,) = add(books, wanted)
    assert record(books, claim(books, name)[0], BAD, AGAIN, NOW + 34)
    assert due(books, now=NOW + 5033) == []
    (again,) = claim(books, *due(books, now=NOW + 5034), now=NOW + 5034)
    assert (again.id, again.attempts, again.tries_left) == (name, 1, TRIES - 1)
    assert record(books, again, BAD, FAILED, NOW + 6000)
    found = logged(books, wanted)
    assert (found.status, found.due_at_in_ms, found.ended_at_in_ms) == ("failed", None, NOW + 6000)
    assert [(each.number, each.status_code, each.error) for each in found.attempts] == [
        (1, 500, "The receiver answered with status 500."),
        (2, 500, "The receiver answered with status 500."),
    ]
    assert due(books, now=NOW + 10**9) == []


def test_what_is_put_back_has_lost_no_try(books: Books) -> None:
    (name,) = add(books, wish(new_account(books).organization_id))
    (claimed,) = claim(books, name)
    with books.database.writing() as connection:
        assert deliveries.put_back(connection, claimed, NOW + 100)
        assert not deliveries.put_back(connection, claimed, NOW)
    assert due(books, now=NOW + 99) == []
    (again,) = claim(books, *due(books, now=NOW + 100), now=NOW + 100)
    assert (again.attempts, again.tries_left) == (0, TRIES)


@pytest.mark.parametrize("end", [DELIVERED, FAILED])
def test_what_has_ended_goes_again_when_somebody_asks(books: Books, end: Step) -> None:
    wanted = wish(new_account(books).organization_id)
    (name,) = add(books, wanted)
    assert record(books, claim(books, name)[0], BAD, end)
    found = redeliver(books, wanted.organization_id, name, NOW + 50)
    assert (found.status, found.due_at_in_ms, found.ended_at_in_ms) == ("pending", NOW + 50, None)
    assert len(found.attempts) == 1
    (again,) = claim(books, *due(books, now=NOW + 50), now=NOW + 50)
    assert (again.id, again.attempts, again.tries_left) == (name, 1, TRIES)
    assert record(books, again, GOOD, DELIVERED)
    assert [each.number for each in logged(books, wanted).attempts] == [1, 2]


def test_what_is_being_sent_is_not_sent_a_second_time(books: Books) -> None:
    wanted = wish(new_account(books).organization_id)
    (name,) = add(books, wanted)
    (claimed,) = claim(books, name)
    assert redeliver(books, wanted.organization_id, name, NOW + 1).status == "pending"
    assert due(books, now=NOW + 1) == []
    assert record(books, claimed, GOOD, DELIVERED)
    assert logged(books, wanted).status == "delivered"


def test_what_waits_for_its_next_try_goes_at_once(books: Books) -> None:
    wanted = wish(new_account(books).organization_id)
    (name,) = add(books, wanted)
    assert record(books, claim(books, name)[0], BAD, Step("pending", 20_000))
    assert due(books, now=NOW + 50) == []
    redeliver(books, wanted.organization_id, name, NOW + 50)
    assert due(books, now=NOW + 50) == [name]


def test_an_organization_sees_and_sends_its_own_only(books: Books) -> None:
    wanted, stranger = wish(new_account(books).organization_id), new_account(books).organization_id
    (name,) = add(books, wanted)
    with pytest.raises(NotFound), books.database.reading() as connection:
        delivery_log.of_job(connection, stranger, wanted.job_id)
    for owner, asked in ((stranger, name), (wanted.organization_id, "msg_nobody")):
        with pytest.raises(NotFound):
            redeliver(books, owner, asked)


def test_the_query_of_a_receiver_is_shown_to_nobody(books: Books) -> None:
    one, other = (
        wish(new_account(books).organization_id, url) for url in ("https://h.example/a?b#c", "https://h.example")
    )
    add(books, one, other)
    assert [logged(books, each).url for each in (one, other)] == ["https://h.example/a?…", "https://h.example/"]


def test_the_log_of_a_delivery_does_not_grow_without_bound(books: Books) -> None:
    wanted = wish(new_account(books).organization_id)
    (name,) = add(books, wanted)
    for _ in range(103):
        assert record(books, claim(books, name)[0], BAD, Step("pending", 0))
    numbers = [each.number for each in logged(books, wanted).attempts]
    assert numbers == list(range(4, 104))


def test_a_job_takes_its_deliveries_and_their_attempts_with_it(books: Books) -> None:
    owner = new_account(books).organization_id
    wanted, other = wish(owner), wish(owner)
    name, kept = add(books, wanted, other)
    for each in (name, kept):
        assert record(books, claim(books, each)[0], GOOD, DELIVERED)
    with books.database.writing() as connection:
        connection.execute(text("DELETE FROM jobs WHERE id = :id"), {"id": wanted.job_id})
    assert books.database.rows("SELECT id FROM deliveries") == [(kept,)]
    assert books.database.rows("SELECT delivery_id FROM delivery_attempts") == [(kept,)]


def test_a_job_without_a_webhook_has_no_deliveries(books: Books) -> None:
    owner, stranger = (new_account(books).organization_id for _ in range(2))
    with books.database.writing() as connection:
        job_id = insert_job(connection, owner)
        assert delivery_log.of_job(connection, owner, job_id) == ()
        with pytest.raises(NotFound):
            delivery_log.of_job(connection, stranger, job_id)
