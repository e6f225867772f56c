"""The statements that change jobs: of several who want the same, one gets it, and a lost claim counts for nothing."""

import asyncio
import threading
from collections.abc import Callable

from banking import new_account
from job_bench import Bench, patiently
from postgres import Postgres
from sqlalchemy import text

from imageplane.accounts.books import Books
from imageplane.database import Database
from imageplane.database.stamps import new_id, now_in_ms
from imageplane.jobs import rows
from imageplane.jobs.job import BULK, Job

FAR = 2**60


def at_once(count: int, act: Callable[[], Job | None]) -> list[Job | None]:
    """Give what came of so many threads that did the same at the same moment."""
    ready, found = threading.Barrier(count), []

    def run() -> None:
        ready.wait()
        found.append(act())

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


@patiently
async def test_of_many_who_claim_one_gets_it(books: Books) -> None:
    bench = Bench(books)
    job = await bench.accept()

    def claim() -> Job | None:
        with books.database.writing() as connection:
            return rows.claim(connection, job.id, new_id(), now_in_ms(), FAR)

    (found,) = [each for each in await asyncio.to_thread(at_once, 6, claim) if each is not None]
    assert found == bench.look(job)
    assert (found.status, found.attempts, found.claim is None) == ("running", 1, False)


@patiently
async def test_what_is_not_due_is_not_claimed(books: Books) -> None:
    bench = Bench(books)
    job = await bench.accept()
    with books.database.writing() as connection:
        assert rows.claim(connection, job.id, new_id(), job.due_at_in_ms - 1, FAR) is None
        assert rows.claim(connection, "nobody", new_id(), FAR, FAR) is None
        assert rows.next_due(connection, [], job.due_at_in_ms - 1) is None
        assert rows.next_due(connection, [], job.due_at_in_ms) == job.id
        assert rows.claim(connection, job.id, new_id(), job.due_at_in_ms, FAR) is not None


@patiently
async def test_leases_are_renewed_for_who_still_has_the_claim(books: Books) -> None:
    bench = Bench(books)
    kept, lost = [bench.claim(await bench.accept(), lasts_for_in_s=0) for _ in range(2)]
    assert kept.claim is not None
    assert lost.claim is not None
    await bench.desk.cancel(lost.organization_id, lost.id)
    with books.database.writing() as connection:
        assert rows.renew(connection, [kept.claim, lost.claim, "nobody's"], FAR) == {kept.claim}
        assert rows.release_expired(connection, now_in_ms()) == []
        assert rows.release_expired(connection, FAR) == [kept.id]
        assert rows.renew(connection, [kept.claim], FAR) == set()


@patiently
async def test_a_lost_claim_changes_nothing(books: Books) -> None:
    bench = Bench(books)
    stale = bench.claim(await bench.accept())
    with books.database.writing() as connection:
        rows.release_expired(connection, FAR)
    current = bench.claim(stale)
    now = now_in_ms()
    with books.database.writing() as connection:
        assert not rows.succeed(connection, stale, "reply", now)
        assert not rows.fail(connection, stale, "{}", now)
        assert not rows.put_back(connection, stale, now, 0)
    assert bench.look(stale) == current
    with books.database.writing() as connection:
        assert rows.put_back(connection, current, FAR, 7)
        assert not rows.put_back(connection, current, FAR, 8)
    found = bench.look(current)
    assert (found.status, found.due_at_in_ms, found.attempts, found.claim) == ("queued", FAR, 7, None)


@patiently
async def test_what_has_ended_is_ended_once(books: Books) -> None:
    bench = Bench(books)
    now = now_in_ms()
    for end in (
        lambda connection, job: rows.succeed(connection, job, "reply", now),
        lambda connection, job: rows.fail(connection, job, '{"message":"no","code":"c"}', now),
        lambda connection, job: rows.cancel(connection, job, now),
    ):
        job = bench.claim(await bench.accept())
        with books.database.writing() as connection:
            assert end(connection, job)
            assert not end(connection, job)
            assert not rows.cancel(connection, job, now)
        assert bench.look(job).ended_at_in_ms == now


@patiently
async def test_who_wants_an_older_go_ended_ends_no_newer_one(books: Books) -> None:
    bench = Bench(books)
    first = await bench.accept()
    await bench.desk.cancel(first.organization_id, first.id)
    await bench.desk.replay(bench.account, first.id)
    with books.database.writing() as connection:
        assert not rows.cancel(connection, first, now_in_ms())
    assert bench.look(first).status == "queued"


@patiently
async def test_urgent_work_comes_first_then_what_has_waited_longest(books: Books) -> None:
    bench = Bench(books)
    bulk = await bench.accept(priority=BULK)
    late, early = await bench.accept(), await bench.accept()
    bench.change("UPDATE jobs SET due_at_in_ms = 1 WHERE id = :id", id=early.id)
    order = []
    while True:
        with books.database.writing() as connection:
            name = rows.next_due(connection, [], now_in_ms())
            if name is None:
                break
            assert rows.claim(connection, name, new_id(), now_in_ms(), FAR)
        order.append(name)
    assert order == [early.id, late.id, bulk.id]
    with books.database.reading() as connection:
        counts = rows.counts(connection)
        assert (counts["queued"], counts["running"]) == (0, 3)
        assert rows.next_due(connection, [bench.account.organization_id], now_in_ms()) is None


@patiently
async def test_no_more_of_one_organization_than_it_may(books: Books) -> None:
    bench, other = Bench(books), Bench(books)
    waiting = [(await bench.accept()).id for _ in range(8)]
    left, guard = list(waiting), threading.Lock()

    def claim() -> Job | None:
        with guard:
            job_id = left.pop()
        with books.database.writing() as connection:
            return rows.claim_within(connection, job_id, new_id(), FAR, 3)

    found = [job for job in await asyncio.to_thread(at_once, 8, claim) if job is not None]
    assert len(found) == 3
    owner, another = bench.account.organization_id, await other.accept()
    with books.database.writing() as connection:
        assert rows.parking(connection) == [owner]
        assert rows.unpark(connection, owner, 3) == []
        assert rows.unpark(connection, other.account.organization_id, 3) == []
        assert rows.claim_within(connection, another.id, new_id(), FAR, 3) is not None


@patiently
async def test_who_is_parked_is_let_on_as_others_end(books: Books) -> None:
    bench = Bench(books)
    owner = bench.account.organization_id
    jobs = [await bench.accept() for _ in range(4)]
    with books.database.writing() as connection:
        claimed = [rows.claim_within(connection, job.id, new_id(), FAR, 1) for job in jobs]
    assert [job is not None for job in claimed] == [True, False, False, False]
    assert claimed[0] is not None
    with books.database.writing() as connection:
        assert rows.succeed(connection, claimed[0], "reply", now_in_ms())
        assert {job.id for job in rows.unpark(connection, owner, 2)} == {jobs[1].id, jobs[2].id}
        assert [job.id for job in rows.unpark(connection, owner, 2)] == [jobs[3].id]
        assert rows.parking(connection) == []


@patiently
async def test_a_late_clock_loses_no_ticket(books: Books) -> None:
    bench = Bench(books)
    job = await bench.accept()
    bench.change("UPDATE jobs SET due_at_in_ms = :due", due=now_in_ms() + 3_600_000)
    with books.database.writing() as connection:
        assert rows.claim_within(connection, job.id, new_id(), FAR, 1) is not None
        assert rows.claim_within(connection, "nobody", new_id(), FAR, 1) is None


@patiently
async def test_what_is_stored_twice_is_there_once(books: Books) -> None:
    bench = Bench(books)
    job, stranger = await bench.accept(idempotency=b"same"), new_account(books)
    with books.database.writing() as connection:
        (fingerprint,) = connection.execute(text("SELECT fingerprint FROM jobs")).one()
        assert not rows.insert(connection, job, fingerprint)
        assert rows.same(connection, job.organization_id, fingerprint) == job
        assert rows.same(connection, stranger.organization_id, fingerprint) is None


def test_nothing_comes_behind_the_newest_in_any_order(postgres: Postgres) -> None:
    database = Database.at(postgres.new_database(), None)  # type: ignore[arg-type]
    try:
        for collation in ("C", "en-x-icu", "de-x-icu"):
            words = f'SELECT :id < CAST(:newest AS TEXT) COLLATE "{collation}"'
            for name in (new_id(0), new_id(), new_id(2**48 - 1)):
                assert database.rows(words, {"id": name, "newest": rows.NEWEST}) == [(True,)]
    finally:
        database.close()
