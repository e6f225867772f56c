"""Inside a server with SQLite: one process works, on as much as it may, and everybody gets their turn."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from banking import new_account
from job_bench import Bench, patiently, until

from imageplane.accounts.account import Account
from imageplane.accounts.books import Books
from imageplane.errors import Busy
from imageplane.jobs import rows
from imageplane.jobs.embedded_queue import EmbeddedQueue
from imageplane.jobs.job import BULK, Job
from imageplane.jobs.leases import Leases

MANY = 100


@dataclass
class Workplace:
    """A process that works on jobs: it notes what it is given, and ends what it is told to."""

    leases: Leases
    queue: EmbeddedQueue
    taken: list[Job] = field(default_factory=list)
    _ends: dict[str, asyncio.Event] = field(default_factory=dict)

    @property
    def ids(self) -> list[str]:
        return [job.id for job in self.taken]

    def take(self, job: Job) -> "asyncio.Task[None]":
        self.taken.append(job)
        self._ends[job.id] = asyncio.Event()
        task = asyncio.create_task(self._work(job))
        self.leases.hold(job, task)
        return task

    async def _work(self, job: Job) -> None:
        await self._ends[job.id].wait()
        self.queue.nudge()

    async def end(self, job_id: str) -> None:
        tasks = [task for job, task in zip(self.leases.jobs, self.leases.tasks, strict=True) if job.id == job_id]
        self._ends[job_id].set()
        await asyncio.wait(tasks)

    @contextlib.asynccontextmanager
    async def working(self) -> "AsyncIterator[Workplace]":
        running = asyncio.create_task(self.queue.run(self.take))
        try:
            yield self
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
            for task in self.leases.tasks:
                task.cancel()


def workplace(books: Books, folder: Path, concurrency: int = MANY, most_per_organization: int = MANY) -> Workplace:
    leases = Leases(books.database)
    return Workplace(leases, EmbeddedQueue(books.database, leases, concurrency, most_per_organization, folder))


async def handed_in(books: Books, account: Account, count: int, **changes: object) -> list[str]:
    bench = Bench(books, account=account)
    return [(await bench.accept(**changes)).id for _ in range(count)]


@patiently
async def test_what_is_due_is_done_whoever_says_so(sqlite_books: Books, tmp_path: Path) -> None:
    account = new_account(sqlite_books)
    first = await handed_in(sqlite_books, account, 2)
    async with workplace(sqlite_books, tmp_path).working() as place:
        await until(lambda: len(place.taken) == 2)
        # Another process handed it in: nobody nudges.
        third = await handed_in(sqlite_books, account, 1)
        await until(lambda: len(place.taken) == 3)
    assert place.ids == first + third
    assert {(job.status, job.attempts) for job in place.taken} == {("running", 1)}
    assert len({job.claim for job in place.taken}) == 3


@patiently
async def test_of_two_with_one_folder_one_works_and_the_other_takes_over(sqlite_books: Books, tmp_path: Path) -> None:
    account = new_account(sqlite_books)
    one, other = workplace(sqlite_books, tmp_path), workplace(sqlite_books, tmp_path)
    async with contextlib.AsyncExitStack() as ends:
        async with one.working():
            wanted = await handed_in(sqlite_books, account, 2)
            await until(lambda: len(one.taken) == 2)
            await ends.enter_async_context(other.working())
            wanted += await handed_in(sqlite_books, account, 2)
            other.queue.nudge()
            await until(lambda: len(one.taken) == 4)
            assert other.taken == []
        # What was at work is done again at once, whatever its lease says.
        await until(lambda: len(other.taken) == 4)
        assert sorted(other.ids) == sorted(wanted)
        assert {job.attempts for job in other.taken} == {2}


@patiently
async def test_no_more_at_once_than_it_may(sqlite_books: Books, tmp_path: Path) -> None:
    wanted = await handed_in(sqlite_books, new_account(sqlite_books), 4)
    async with workplace(sqlite_books, tmp_path, concurrency=2).working() as place:
        await until(lambda: len(place.taken) == 2)
        for number in range(2):
            place.queue.nudge()
            await place.end(wanted[number])
            await until(lambda: len(place.taken) == number + 3)  # noqa: B023
            assert len(place.leases.jobs) == 2
    assert place.ids == wanted


@patiently
async def test_who_has_nothing_at_work_comes_first(sqlite_books: Books, tmp_path: Path) -> None:
    flood, quiet = new_account(sqlite_books), new_account(sqlite_books)
    many = await handed_in(sqlite_books, flood, 5)
    few = await handed_in(sqlite_books, quiet, 2)
    async with workplace(sqlite_books, tmp_path, concurrency=3).working() as place:
        await until(lambda: len(place.taken) == 3)
        assert place.ids == [many[0], few[0], many[1]]
        await place.end(few[0])
        await until(lambda: len(place.taken) == 4)
        assert place.ids[3] == few[1]


@patiently
async def test_one_organization_gets_so_much_and_others_the_rest(sqlite_books: Books, tmp_path: Path) -> None:
    flood, quiet = new_account(sqlite_books), new_account(sqlite_books)
    many = await handed_in(sqlite_books, flood, 5)
    async with workplace(sqlite_books, tmp_path, concurrency=4, most_per_organization=2).working() as place:
        await until(lambda: len(place.taken) == 2)
        few = await handed_in(sqlite_books, quiet, 3)
        place.queue.nudge()
        await until(lambda: len(place.taken) == 4)
        assert sorted(place.ids) == sorted(many[:2] + few[:2])
        await place.end(many[0])
        await until(lambda: len(place.taken) == 5)
        assert place.ids[4] == many[2]


@patiently
async def test_bulks_wait_for_what_is_urgent(sqlite_books: Books, tmp_path: Path) -> None:
    account = new_account(sqlite_books)
    bulk = await handed_in(sqlite_books, account, 1, priority=BULK)
    urgent = await handed_in(sqlite_books, account, 2)
    async with workplace(sqlite_books, tmp_path).working() as place:
        await until(lambda: len(place.taken) == 3)
    assert place.ids == urgent + bulk


@patiently
async def test_what_is_for_later_waits(sqlite_books: Books, tmp_path: Path) -> None:
    bench = Bench(sqlite_books)
    later, now = await bench.accept(), await bench.accept()
    bench.change("UPDATE jobs SET due_at_in_ms = :far WHERE id = :id", far=2**60, id=later.id)
    async with workplace(sqlite_books, tmp_path).working() as place:
        await until(lambda: place.taken)
        bench.change("UPDATE jobs SET due_at_in_ms = 0 WHERE id = :id", id=later.id)
        await until(lambda: len(place.taken) == 2)
    assert place.ids == [now.id, later.id]


@patiently
async def test_a_database_that_is_away_is_asked_again(
    sqlite_books: Books, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, failures = rows.claim, iter([True, True, False])

    def sometimes(*arguments: object) -> Job | None:
        if next(failures):
            raise Busy("The database is away.")
        return real(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(rows, "claim", sometimes)
    wanted = await handed_in(sqlite_books, new_account(sqlite_books), 1)
    async with workplace(sqlite_books, tmp_path).working() as place:
        await until(lambda: place.taken)
    assert place.ids == wanted


@patiently
async def test_who_may_work_on_nothing_leaves_it_to_others(sqlite_books: Books, tmp_path: Path) -> None:
    await handed_in(sqlite_books, new_account(sqlite_books), 1)
    idle = workplace(sqlite_books, tmp_path, concurrency=0)
    await idle.queue.run(idle.take)
    assert idle.taken == []
    # And it keeps nobody from working.
    async with workplace(sqlite_books, tmp_path).working() as place:
        await until(lambda: place.taken)
