"""With PostgreSQL: processes share what there is to do, and no job is forgotten, whoever dies and whenever."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
from banking import balance_of, open_books
from job_bench import DONE, Bench, Gate, Script, patiently, until
from postgres import Postgres
from sqlalchemy import text

from imageplane.accounts.audit import verify
from imageplane.accounts.books import Books
from imageplane.database.stamps import now_in_ms
from imageplane.errors import Busy
from imageplane.jobs import rows
from imageplane.jobs.job import BULK, Job
from imageplane.jobs.leases import Leases
from imageplane.jobs.queue import Ticket
from imageplane.jobs.sweeper import Sweeper
from imageplane.jobs.ticket_schema import prepare
from imageplane.jobs.tickets import TicketQueue
from imageplane.jobs.work import Work
from imageplane.settings import JobSettings

SHORT_LEASE_IN_S = 2.0


@pytest.fixture
def books(postgres: Postgres, tmp_path: Path) -> Iterator[Books]:
    """Give fresh books on PostgreSQL, with the tables of tickets."""
    with open_books(postgres.new_database(), tmp_path) as books:
        prepare(books.database)
        yield books
        assert verify(books.database) == []


def bench_at(books: Books, beside: Bench | None = None, concurrency: int = 4, most: int = 100) -> Bench:
    """Give a bench with a queue of its own, for the organization of the one beside it."""
    leases = Leases(books.database, SHORT_LEASE_IN_S)
    bench = Bench(books, TicketQueue(books.database, leases, concurrency, most), beside.account if beside else None)
    bench.leases = leases
    return bench


@contextlib.asynccontextmanager
async def working(bench: Bench, take: Work | Callable[[Job], "asyncio.Task[None]"]) -> AsyncIterator[None]:
    """Draw tickets while the block runs; what is at work at its end is given back."""
    worker = bench.worker(take)  # type: ignore[arg-type]
    running = asyncio.create_task(bench.queue.run(worker.take))
    try:
        yield
    finally:
        running.cancel()
        while not running.done():
            await worker.give_back()
            await asyncio.wait([running], timeout=0.05)


def tickets_in(books: Books) -> int:
    with books.database.reading() as connection:
        found: int = connection.execute(text("SELECT count(*) FROM procrastinate_jobs")).scalar_one()
    return found


def is_parked(bench: Bench, job: Job) -> bool:
    (found,) = bench.books.database.rows("SELECT is_parked FROM jobs WHERE id = :id", {"id": job.id})
    return bool(found[0])


@patiently
async def test_two_share_what_there_is_and_do_each_thing_once(books: Books) -> None:
    one = bench_at(books, concurrency=2)
    other = bench_at(books, one, concurrency=2)
    gates = Gate(), Gate()
    jobs = [await one.accept() for _ in range(8)]
    async with working(one, gates[0]), working(other, gates[1]):
        # Neither may do more than two at once.
        await until(lambda: [len(gate.seen) for gate in gates] == [2, 2])
        for gate in gates:
            gate.may_go_on.set()
        await until(lambda: len(one.ended + other.ended) == len(jobs))
        assert sorted(one.ended + other.ended) == sorted(job.id for job in jobs)
        await until(lambda: tickets_in(books) == 0)
    assert {one.look(job).attempts for job in jobs} == {1}
    assert balance_of(books, one.account) == 2_000


@patiently
async def test_a_parked_job_is_handed_on_when_another_ends(books: Books) -> None:
    bench = bench_at(books, most=1)
    gate = Gate()
    jobs = [await bench.accept() for _ in range(3)]
    stranger = Bench(books, bench.queue)
    async with working(bench, gate):
        await until(lambda: sum(is_parked(bench, job) for job in jobs) == 2)
        assert len(gate.seen) == 1
        # Others are not held up by it.
        other = await stranger.accept()
        await until(lambda: other.id in [job.id for job in gate.seen])
        gate.may_go_on.set()
        await until(lambda: len(bench.ended) == 4)
    assert {bench.look(job).status for job in (*jobs, other)} == {"succeeded"}


@patiently
async def test_what_is_cancelled_lets_a_parked_job_on(books: Books) -> None:
    bench = bench_at(books, most=1)
    gate = Gate()
    jobs = [await bench.accept() for _ in range(2)]
    async with working(bench, gate):
        await until(lambda: gate.seen and any(is_parked(bench, job) for job in jobs))
        running = gate.seen[0]
        await bench.desk.cancel(running.organization_id, running.id)
        await until(lambda: len(gate.seen) == 2)
        gate.may_go_on.set()
        await until(lambda: len(bench.ended) == 1)


@patiently
async def test_urgent_work_is_drawn_before_bulks(books: Books) -> None:
    bench = bench_at(books, concurrency=1)
    bulk, urgent = await bench.accept(priority=BULK), await bench.accept()
    async with working(bench, Script(iter([DONE, DONE]))):
        await until(lambda: len(bench.ended) == 2)
    assert bench.ended == [urgent.id, bulk.id]


@patiently
async def test_what_broke_off_is_drawn_before_what_nobody_has_begun(books: Books) -> None:
    bench = bench_at(books, concurrency=1)
    broken, *fresh = [await bench.accept() for _ in range(3)]
    bench.claim(broken, lasts_for_in_s=0)
    bench.change("DELETE FROM procrastinate_jobs WHERE args->>'job_id' = :id", id=broken.id)
    assert await Sweeper(books.database, books.blobs, bench.queue, JobSettings()).sweep() == 1
    async with working(bench, Script(iter([DONE] * 3))):
        await until(lambda: len(bench.ended) == 3)
    assert bench.ended == [broken.id, *(job.id for job in fresh)]


@patiently
async def test_what_is_tried_again_has_a_ticket_for_later(books: Books) -> None:
    bench = bench_at(books)
    job = await bench.accept()
    work = Script(iter([Busy("Later."), DONE]))
    async with working(bench, work):
        await until(lambda: bench.ended)
    first, second = work.seen
    assert second.due_at_in_ms >= (first.started_at_in_ms or 0) + 1_000
    assert bench.look(job).attempts == 2


@pytest.mark.parametrize("hours", [-1, 1], ids=["died", "lost its connection"])
@patiently
async def test_who_drew_a_ticket_and_claimed_nothing_leaves_no_job_behind(books: Books, hours: int) -> None:
    bench = bench_at(books)
    job = await bench.accept()
    with books.database.writing() as connection:
        bench.queue.issue(connection, [Ticket("a job that has ended and was forgotten", job.priority)])
    heard_of = "INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now() + :hours * INTERVAL '1 hour')"
    bench.change(heard_of, hours=hours)
    bench.change("UPDATE procrastinate_jobs SET status = 'doing', worker_id = (SELECT id FROM procrastinate_workers)")
    async with working(bench, Script(iter([DONE]))):
        await until(lambda: bench.ended == [job.id])
        await until(lambda: tickets_in(books) == 0)


@patiently
async def test_a_ticket_is_kept_as_long_as_its_job_is_at_work(books: Books) -> None:
    bench = bench_at(books)
    job, gate = await bench.accept(), Gate()
    async with working(bench, gate):
        await until(lambda: gate.seen)
        renewing = asyncio.create_task(bench.leases.run())
        # Longer than several looks at what was drawn.
        await asyncio.sleep(SHORT_LEASE_IN_S * 2)
        assert (tickets_in(books), len(gate.seen)) == (1, 1)
        gate.may_go_on.set()
        await until(lambda: bench.ended == [job.id] and tickets_in(books) == 0)
        renewing.cancel()


@patiently
async def test_a_job_that_could_not_be_claimed_is_drawn_again(books: Books, monkeypatch: pytest.MonkeyPatch) -> None:
    real, failures = rows.claim_within, iter([True, False])

    def sometimes(*arguments: object) -> Job | None:
        if next(failures):
            raise Busy("The database is away.")
        return real(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(rows, "claim_within", sometimes)
    bench = bench_at(books)
    job = await bench.accept()
    async with working(bench, Script(iter([DONE]))):
        await until(lambda: bench.ended == [job.id])


@patiently
async def test_two_tickets_for_one_job_are_one_too_many(books: Books) -> None:
    bench = bench_at(books)
    job = await bench.accept()
    with books.database.writing() as connection:
        bench.queue.issue(connection, [Ticket(job.id, job.priority), Ticket("nobody", 10)])
    async with working(bench, Script(iter([DONE]))):
        await until(lambda: bench.ended and tickets_in(books) == 0)
    assert bench.ended == [job.id]


@patiently
async def test_who_is_told_to_stop_waits_for_no_job(books: Books) -> None:
    one = bench_at(books)
    other = bench_at(books, one)
    job, gate = await one.accept(), Gate()
    async with working(one, gate):
        await until(lambda: gate.seen)
    # The gate never opened.
    found = one.look(job)
    assert (found.status, found.attempts) == ("queued", 0)
    async with working(other, Script(iter([DONE]))):
        await until(lambda: other.ended == [job.id])


@patiently
async def test_a_ticket_is_there_if_the_job_is(books: Books) -> None:
    bench = bench_at(books)

    def issue_and_fail() -> None:
        with books.database.writing() as connection:
            bench.queue.issue(connection, [Ticket("job", 10, now_in_ms())])
            raise RuntimeError

    with pytest.raises(RuntimeError):
        issue_and_fail()
    assert tickets_in(books) == 0
    await bench.accept()
    assert tickets_in(books) == 1


def test_the_tables_are_made_once_by_many(postgres: Postgres, tmp_path: Path) -> None:
    async def at_once(books: Books) -> None:
        await asyncio.gather(*(asyncio.to_thread(prepare, books.database) for _ in range(4)))

    with open_books(postgres.new_database(), tmp_path) as books:
        asyncio.run(at_once(books))
        assert tickets_in(books) == 0
