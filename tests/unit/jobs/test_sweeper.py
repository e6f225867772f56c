"""What a process that died was working on is done by others; what is no longer kept is gone, with all that it had."""

from pathlib import Path

import pytest
from banking import balance_of
from job_bench import DONE, HOOK, Bench, Script, patiently
from sqlalchemy import text

from imageplane.accounts.audit import verify
from imageplane.accounts.books import Books
from imageplane.database.stamps import new_id, now_in_ms
from imageplane.jobs import deliveries, rows
from imageplane.jobs.delivery_schedule import Attempt, Step
from imageplane.jobs.job import folder_of
from imageplane.jobs.queue import Ticket
from imageplane.jobs.sweeper import Sweeper
from imageplane.settings import JobSettings

DAY_IN_MS = 24 * 3600 * 1000


def sweeper(bench: Bench, **settings: float) -> Sweeper:
    return Sweeper(bench.books.database, bench.books.blobs, bench.queue, JobSettings(**settings))  # type: ignore[arg-type]


@patiently
async def test_what_has_no_lease_any_more_is_done_again(books: Books) -> None:
    bench = Bench(books)
    dead, alive, waiting = [await bench.accept() for _ in range(3)]
    bench.claim(dead, lasts_for_in_s=0)
    bench.claim(alive, lasts_for_in_s=60)
    bench.paper.issued.clear()
    nudges = bench.paper.nudges
    assert await sweeper(bench).sweep() == 1
    found = bench.look(dead)
    assert (found.status, found.attempts, found.claim) == ("queued", 1, None)
    assert bench.paper.issued == [Ticket(dead.id, dead.priority + 1)]
    assert bench.paper.nudges == nudges + 1
    assert [bench.look(job).status for job in (alive, waiting)] == ["running", "queued"]
    assert await sweeper(bench).sweep() == 0
    assert bench.paper.nudges == nudges + 1


@patiently
async def test_what_is_no_longer_kept_is_gone_with_all_that_belongs_to_it(books: Books) -> None:
    bench = Bench(books)
    worker = bench.worker(Script(iter([DONE] * 3)))
    old, fresh, again, waiting = [await bench.accept(data=b"pixels", webhook_url=HOOK) for _ in range(4)]
    for job in (old, fresh, again):
        await bench.attempt(worker, job)
    now = now_in_ms()
    with books.database.writing() as connection:
        names = [row[0] for row in connection.execute(text("SELECT id FROM deliveries"))]
        for claimed in deliveries.claim(connection, names, now, 60_000):
            assert deliveries.record(connection, claimed, Attempt(now, 1, 200), Step("delivered"), now)
    bench.change(
        "UPDATE jobs SET ended_at_in_ms = ended_at_in_ms - :age WHERE id <> :id", age=8 * DAY_IN_MS, id=fresh.id
    )
    await bench.desk.replay(bench.account, again.id)
    assert (bench.count("deliveries"), bench.count("delivery_attempts")) == (3, 3)
    assert await sweeper(bench).forget() == 1
    with books.database.reading() as connection:
        kept = {job.id for job in rows.of_ids(connection, [job.id for job in (old, fresh, again, waiting)])}
    assert kept == {fresh.id, again.id, waiting.id}
    assert (bench.count("deliveries"), bench.count("delivery_attempts")) == (2, 2)
    assert {name.split("/")[2] for name in await bench.blobs()} == kept
    assert balance_of(books, bench.account) == 5_000
    assert verify(books.database) == []


@patiently
async def test_more_than_are_looked_at_at_once(sqlite_books: Books, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("imageplane.jobs.sweeper._AT_ONCE", 2)
    bench = Bench(sqlite_books)
    for _ in range(5):
        job = await bench.accept()
        await bench.desk.cancel(job.organization_id, job.id)
    assert await sweeper(bench).forget() == 0
    bench.change("UPDATE jobs SET ended_at_in_ms = ended_at_in_ms - 61000")
    assert await sweeper(bench, kept_for_in_s=60).forget() == 5
    assert bench.count("jobs") == 0


@patiently
async def test_blobs_that_no_job_has_go_once_nobody_can_want_them(sqlite_books: Books, tmp_path: Path) -> None:
    bench, blobs = Bench(sqlite_books), sqlite_books.blobs
    now, long_ago = now_in_ms(), now_in_ms() - 30 * DAY_IN_MS
    job = await bench.accept()
    left_behind = f"{folder_of(new_id(long_ago), long_ago)}/input"
    # A job that has waited for so long, or was replayed, still has its row.
    owned = f"{folder_of(job.id, long_ago)}/input"
    recent = f"{folder_of(new_id(now), now)}/input"
    stranger = "jobs/not-ours/thing/input"
    for name in (left_behind, owned, recent, stranger):
        await blobs.put(name, b"pixels")
    await sweeper(bench).forget()
    assert await bench.blobs() == sorted([owned, recent, stranger])
    assert (tmp_path / "blobs").is_dir()
