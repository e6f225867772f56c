"""What is handed in is held and stored, or neither; what is cancelled is given back; what is replayed is paid again."""

import asyncio

import pytest
from banking import PATIENCE_IN_S, PRICE, balance_of, new_account
from job_bench import DONE, HOOK, Bench, Script, patiently
from sqlalchemy import Connection

from imageplane.accounts import keys
from imageplane.accounts.audit import verify
from imageplane.accounts.books import Books
from imageplane.errors import Busy, Conflict, InsufficientCredits, InvalidKey, NotFound
from imageplane.jobs.desk import Desk
from imageplane.jobs.queue import Ticket


def spent_of(books: Books, key_id: str) -> int:
    (found,) = books.database.rows("SELECT spent_in_millicredits FROM api_keys WHERE id = :id", {"id": key_id})
    return int(found[0])


@patiently
async def test_what_is_accepted_is_held_and_stored(books: Books) -> None:
    bench = Bench(books)
    job = await bench.accept(data=b"pixels", request={"wanted": ["ü"]}, webhook_url=HOOK, delivery="link")
    assert bench.look(job) == job
    assert (job.status, job.attempts, job.asked) == ("queued", 0, {"wanted": ["ü"]})
    assert (job.webhook_url, job.delivery, job.organization_id) == (HOOK, "link", bench.account.organization_id)
    assert job.input == f"{job.folder}/input"
    assert await books.blobs.get(job.input) == b"pixels"
    assert balance_of(books, bench.account) == 9_000
    assert bench.paper.issued == [Ticket(job.id, job.priority)]
    assert bench.paper.nudges == 1
    assert HOOK not in repr(job)
    assert verify(books.database) == []


@patiently
async def test_what_can_not_be_paid_leaves_nothing(books: Books) -> None:
    bench = Bench(books, account=new_account(books, 0))
    with pytest.raises(InsufficientCredits):
        await bench.accept(data=b"pixels")
    assert (bench.count("jobs"), bench.count("holds"), await bench.blobs()) == (0, 0, [])
    assert bench.paper.issued == []


@patiently
async def test_a_job_that_can_not_be_stored_holds_nothing(books: Books) -> None:
    class Failing:
        def issue(self, connection: Connection, tickets: object) -> None:  # noqa: ARG002
            raise Busy("The queue is away.")

    bench = Bench(books)
    desk = Desk(books.database, books.ledger, books.blobs, Failing(), 60)  # type: ignore[arg-type]
    with pytest.raises(Busy):
        await desk.accept(bench.account, PRICE, bench.order(data=b"pixels"))
    assert (bench.count("jobs"), bench.count("holds")) == (0, 0)
    assert balance_of(books, bench.account) == 10_000
    assert verify(books.database) == []


@patiently
async def test_what_is_handed_in_again_is_the_same_job(books: Books) -> None:
    bench, other = Bench(books), Bench(books)
    found = await asyncio.gather(*(bench.accept(data=b"pixels", idempotency=b"same") for _ in range(5)))
    (job_id,) = {job.id for job in found}
    later = await bench.accept(data=b"pixels", idempotency=b"same")
    assert later == bench.look(found[0])
    assert await bench.blobs() == [f"{later.folder}/input"]
    assert balance_of(books, bench.account) == 9_000
    assert {ticket.job_id for ticket in bench.paper.issued} == {job_id}
    assert (await bench.accept(idempotency=b"another")).id != job_id
    assert (await other.accept(idempotency=b"same")).id != job_id
    assert (await bench.accept()).id != (await bench.accept()).id
    assert verify(books.database) == []


@patiently
async def test_a_job_is_told_to_its_owner_only(books: Books) -> None:
    bench, other = Bench(books), Bench(books)
    job = await bench.accept()
    assert await bench.desk.job(bench.account.organization_id, job.id) == job
    assert await bench.desk.any_job(job.id) == job
    stranger = other.account
    for ask in (
        bench.desk.job(stranger.organization_id, job.id),
        bench.desk.cancel(stranger.organization_id, job.id),
        bench.desk.replay(stranger, job.id),
        bench.desk.any_job("nobody"),
    ):
        with pytest.raises(NotFound):
            await ask
    assert bench.look(job) == job
    assert balance_of(books, stranger) == 10_000


@patiently
async def test_jobs_are_listed_the_latest_first(books: Books) -> None:
    bench = Bench(books)
    made = [await bench.accept() for _ in range(3)]
    await Bench(books).accept()
    await bench.desk.cancel(bench.account.organization_id, made[1].id)
    owner = bench.account.organization_id
    expected = sorted((job.id for job in made), reverse=True)
    assert [job.id for job in await bench.desk.jobs(owner, None, None, 9)] == expected
    assert [job.id for job in await bench.desk.jobs(owner, None, expected[0], 1)] == [expected[1]]
    assert [job.id for job in await bench.desk.jobs(owner, "cancelled", None, 9)] == [made[1].id]
    assert await bench.desk.jobs(owner, "failed", None, 9) == []


@patiently
async def test_a_cancelled_job_gives_its_credits_back_once(books: Books) -> None:
    bench = Bench(books)
    queued, running = await bench.accept(webhook_url=HOOK), await bench.accept(webhook_url=HOOK)
    bench.claim(running)
    for job in (queued, running):
        found = await bench.desk.cancel(job.organization_id, job.id)
        assert (found.status, found.claim) == ("cancelled", None)
        assert found.ended_at_in_ms is not None
        with pytest.raises(Conflict):
            await bench.desk.cancel(job.organization_id, job.id)
    assert balance_of(books, bench.account) == 10_000
    assert bench.count("deliveries") == 0
    # Another of the organization may be worked on now.
    assert set(bench.paper.handed_on) == {bench.account.organization_id}
    assert verify(books.database) == []


@patiently
async def test_what_is_replayed_is_paid_again_by_who_asks(books: Books) -> None:
    bench = Bench(books)
    job = await bench.accept()
    worker = bench.worker(Script(iter([DONE, DONE])))
    assert (await bench.attempt(worker, job)).status == "succeeded"
    with books.database.writing() as connection:
        words = keys.create(connection, bench.account.organization_id, "other")
    other = books.keys.ask(words).result(PATIENCE_IN_S)
    found = await bench.desk.replay(other, job.id)
    assert (found.status, found.attempts, found.reply, found.started_at_in_ms) == ("queued", 0, None, None)
    assert found.hold_id != job.hold_id
    assert bench.paper.issued[-1] == Ticket(job.id, job.priority)
    assert (await bench.attempt(worker, job)).status == "succeeded"
    assert balance_of(books, bench.account) == 8_000
    assert (spent_of(books, bench.account.key_id), spent_of(books, other.key_id)) == (1_000, 1_000)
    assert verify(books.database) == []


@patiently
async def test_a_replay_that_fails_is_given_back_to_who_paid(books: Books) -> None:
    bench = Bench(books)
    job = await bench.accept()
    worker = bench.worker(Script(iter([DONE, RuntimeError("no")])))
    await bench.attempt(worker, job)
    with books.database.writing() as connection:
        words = keys.create(connection, bench.account.organization_id, "other")
    other = books.keys.ask(words).result(PATIENCE_IN_S)
    await bench.desk.replay(other, job.id)
    assert (await bench.attempt(worker, job)).status == "failed"
    assert (spent_of(books, bench.account.key_id), spent_of(books, other.key_id)) == (1_000, 0)
    assert verify(books.database) == []


@patiently
async def test_what_has_not_ended_is_not_replayed(books: Books) -> None:
    bench = Bench(books)
    job = await bench.accept()
    for _ in range(2):
        with pytest.raises(Conflict):
            await bench.desk.replay(bench.account, job.id)
        bench.change("UPDATE jobs SET status = 'running'")
    assert balance_of(books, bench.account) == 9_000
    assert verify(books.database) == []


@patiently
async def test_a_replay_that_can_not_be_paid_changes_nothing(books: Books) -> None:
    bench = Bench(books, account=new_account(books, 1))
    job = await bench.accept()
    before = await bench.attempt(bench.worker(Script(iter([DONE]))), job)
    with pytest.raises(InsufficientCredits):
        await bench.desk.replay(bench.account, job.id)
    bench.change("UPDATE api_keys SET revoked_at_in_ms = 1")
    with pytest.raises(InvalidKey):
        await bench.desk.replay(bench.account, job.id)
    assert bench.look(job) == before
