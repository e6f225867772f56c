"""What comes of a claimed job: done and charged, failed and given back, or tried again when that can help."""

import asyncio
from collections.abc import Iterator
from itertools import repeat
from pathlib import Path
from typing import Any

import pytest
from banking import PATIENCE_IN_S, PRICE, balance_of, new_account, open_books
from job_bench import DONE, HOOK, Bench, Gate, Script, patiently, until

from imageplane.accounts.audit import verify
from imageplane.accounts.books import Books
from imageplane.database.stamps import now_in_ms
from imageplane.deadline import Deadline
from imageplane.errors import (
    Busy,
    DeadlineExceeded,
    EngineCrashed,
    Fault,
    ImageplaneError,
    ImpossibleOperation,
    MissingSource,
    ModelUnavailable,
    UndecodableImage,
    UnreachableSource,
)
from imageplane.jobs import rows
from imageplane.jobs.job import Job
from imageplane.jobs.queue import Ticket
from imageplane.jobs.work import Done, Later


@pytest.fixture
def bench(books: Books) -> Iterator[Bench]:
    """Give a bench, whose books agree in the end."""
    yield Bench(books)
    assert verify(books.database) == []


@pytest.fixture
def sqlite_bench(tmp_path: Path) -> Iterator[Bench]:
    """Give the same for what does not depend on the database."""
    with open_books(f"sqlite:///{tmp_path / 'imageplane.db'}", tmp_path) as books:
        yield Bench(books)
        assert verify(books.database) == []


def always(step: Done | BaseException) -> Script:
    return Script(repeat(step))


def deliveries_of(bench: Bench) -> list[tuple[Any, ...]]:
    return [
        tuple(row) for row in bench.books.database.rows("SELECT job_id, url, delivery, size_in_bytes FROM deliveries")
    ]


@patiently
async def test_what_is_done_is_kept_charged_and_told(bench: Bench) -> None:
    job = await bench.accept(webhook_url=HOOK, delivery="link")
    found = await bench.attempt(bench.worker(always(DONE)), job)
    assert (found.status, found.attempts, found.claim, found.error) == ("succeeded", 1, None, None)
    assert found.started_at_in_ms is not None
    assert found.ended_at_in_ms is not None
    assert await bench.books.blobs.get(str(found.reply)) == DONE.body
    assert str(found.reply).startswith(f"{job.folder}/")
    assert balance_of(bench.books, bench.account) == 9_000
    assert deliveries_of(bench) == [(job.id, HOOK, "link", len(DONE.body))]
    assert (bench.ended, bench.paper.handed_on) == ([job.id], [job.organization_id])
    assert bench.leases.jobs == []


@patiently
async def test_work_may_cost_less_than_was_held(bench: Bench) -> None:
    job = await bench.accept()
    await bench.attempt(bench.worker(always(Done(b"{}", 400))), job)
    assert balance_of(bench.books, bench.account) == 9_600
    assert deliveries_of(bench) == []


@patiently
async def test_a_failure_gives_back_and_is_told(bench: Bench) -> None:
    error = ImpossibleOperation("The crop is outside.", faults=(Fault("operations[0]", "outside"),), detail="secret")
    job = await bench.accept(webhook_url=HOOK)
    found = await bench.attempt(bench.worker(always(error)), job)
    assert (found.status, found.attempts, found.reply) == ("failed", 1, None)
    assert found.failure is not None
    assert (found.failure.message, found.failure.code) == (error.message, "impossible_operation")
    assert found.failure.details == error.faults
    assert "secret" not in str(found.error)
    assert balance_of(bench.books, bench.account) == 10_000
    assert deliveries_of(bench) == [(job.id, HOOK, "bytes", 0)]
    assert bench.ended == [job.id]


@pytest.mark.parametrize(
    "error",
    [
        UndecodableImage("No."),
        EngineCrashed("No."),
        ModelUnavailable("No."),
        DeadlineExceeded("No."),
        MissingSource("No."),
        RuntimeError("hunter2"),
    ],
    ids=lambda error: type(error).__name__,
)
@patiently
async def test_what_will_not_pass_is_not_tried_again(sqlite_bench: Bench, error: Exception) -> None:
    work = always(error)
    found = await sqlite_bench.attempt(sqlite_bench.worker(work), await sqlite_bench.accept())
    assert (found.status, len(work.seen)) == ("failed", 1)
    code = error.code if isinstance(error, ImageplaneError) else "internal_error"
    assert found.failure is not None
    assert found.failure.code == code
    assert "hunter2" not in str(found.error)
    assert balance_of(sqlite_bench.books, sqlite_bench.account) == 10_000


@patiently
async def test_what_may_pass_is_tried_again_later_and_later(bench: Bench) -> None:
    job = await bench.accept(webhook_url=HOOK)
    worker = bench.worker(Script(iter([Busy("Later."), UnreachableSource("Nobody there."), Busy("Later."), DONE])))
    for number, least_in_ms in enumerate((1_000, 4_000, 16_000), 1):
        before = now_in_ms()
        found = await bench.attempt(worker, job)
        assert (found.status, found.attempts, found.claim) == ("queued", number, None)
        # With chance on top, up to a half.
        assert before + least_in_ms <= found.due_at_in_ms <= now_in_ms() + least_in_ms * 1.5
        assert bench.paper.issued[-1] == Ticket(job.id, job.priority, found.due_at_in_ms)
        # While it waits, another may be done.
        assert bench.paper.handed_on == [job.organization_id] * number
        with bench.books.database.reading() as connection:
            assert rows.next_due(connection, [], before) is None
    assert (bench.ended, deliveries_of(bench)) == ([], [])
    assert balance_of(bench.books, bench.account) == 9_000
    assert (await bench.attempt(worker, job)).status == "succeeded"
    assert balance_of(bench.books, bench.account) == 9_000


@patiently
async def test_who_says_when_to_come_back_is_heard(sqlite_bench: Bench) -> None:
    before = now_in_ms()
    worker = sqlite_bench.worker(always(Busy("Later.", retry_after_in_s=100)))
    found = await sqlite_bench.attempt(worker, await sqlite_bench.accept())
    assert found.due_at_in_ms >= before + 100_000


@pytest.mark.parametrize(("error", "attempts"), [(Busy("Later."), 6), (UnreachableSource("Nobody there."), 4)])
@patiently
async def test_after_so_many_attempts_it_is_given_up(sqlite_bench: Bench, error: Exception, attempts: int) -> None:
    job, work = await sqlite_bench.accept(), always(error)
    worker = sqlite_bench.worker(work, max_attempts=6)
    for _ in range(attempts - 1):
        assert (await sqlite_bench.attempt(worker, job)).status == "queued"
    found = await sqlite_bench.attempt(worker, job)
    assert (found.status, found.attempts, len(work.seen)) == ("failed", attempts, attempts)
    assert balance_of(sqlite_bench.books, sqlite_bench.account) == 10_000


@patiently
async def test_after_so_much_time_it_is_given_up_and_a_replay_has_it_again(sqlite_bench: Bench) -> None:
    worker = sqlite_bench.worker(always(Busy("Later.")), gives_up_after_in_s=3600)
    job = await sqlite_bench.accept()
    assert (await sqlite_bench.attempt(worker, job)).status == "queued"
    sqlite_bench.change(
        "UPDATE jobs SET created_at_in_ms = created_at_in_ms - 3600000, started_at_in_ms = started_at_in_ms - 3600000"
    )
    found = await sqlite_bench.attempt(worker, job)
    assert (found.status, found.attempts) == ("failed", 2)
    await sqlite_bench.desk.replay(sqlite_bench.account, job.id)
    assert (await sqlite_bench.attempt(worker, job)).status == "queued"


@patiently
async def test_what_breaks_off_again_and_again_is_not_begun_once_more(sqlite_bench: Bench) -> None:
    work = always(DONE)
    job = await sqlite_bench.accept()
    sqlite_bench.change("UPDATE jobs SET attempts = 3")
    found = await sqlite_bench.attempt(sqlite_bench.worker(work, max_attempts=3), job)
    assert (found.status, work.seen) == ("failed", [])
    assert "again and again" in str(found.error)


@patiently
async def test_what_nobody_here_can_do_fails(sqlite_bench: Bench) -> None:
    job = await sqlite_bench.accept(api="image_generation")
    found = await sqlite_bench.attempt(sqlite_bench.worker(always(DONE)), job)
    assert (found.status, "of this kind" in str(found.error)) == ("failed", True)


@patiently
async def test_what_is_looked_at_again_has_used_up_no_attempt(sqlite_bench: Bench) -> None:
    job = await sqlite_bench.accept()
    worker = sqlite_bench.worker(Script(iter([Later(5.0), Later(5.0), DONE])), max_attempts=1)
    for _ in range(2):
        before = now_in_ms()
        found = await sqlite_bench.attempt(worker, job)
        assert (found.status, found.attempts) == ("queued", 0)
        assert found.due_at_in_ms >= before + 5_000
    assert (await sqlite_bench.attempt(worker, job)).status == "succeeded"


@pytest.mark.parametrize("left", [1, 0])
@patiently
async def test_work_whose_hold_ran_out_is_charged_anew_if_there_is_something_left(books: Books, left: int) -> None:
    bench = Bench(books, account=new_account(books, 1))
    job = await bench.accept(webhook_url=HOOK)
    bench.change("UPDATE holds SET expires_at_in_ms = 1")
    assert books.ledger.release_expired() == 1
    if not left:
        other = books.ledger.hold(bench.account, PRICE, "other", expires_in_s=60).result(PATIENCE_IN_S)
        books.ledger.settle(other).result(PATIENCE_IN_S)
    found = await bench.attempt(bench.worker(always(DONE)), job)
    assert found.status == ("succeeded" if left else "failed")
    assert left or (found.failure is not None and found.failure.message == "Insufficient credits")
    assert len(deliveries_of(bench)) == 1
    assert balance_of(books, bench.account) == 0
    assert verify(books.database) == []


@patiently
async def test_what_was_cancelled_meanwhile_stays_cancelled(bench: Bench) -> None:
    work = Gate()
    job = await bench.accept(webhook_url=HOOK)
    task = bench.worker(work).take(bench.claim(job))
    await until(lambda: work.seen)
    await bench.desk.cancel(job.organization_id, job.id)
    work.may_go_on.set()
    await task
    assert bench.look(job).status == "cancelled"
    assert (deliveries_of(bench), bench.ended) == ([], [])
    assert balance_of(bench.books, bench.account) == 10_000


@patiently
async def test_what_another_took_over_counts_once(bench: Bench) -> None:
    work = Gate()
    job = await bench.accept(webhook_url=HOOK)
    first = bench.worker(work).take(bench.claim(job))
    await until(lambda: work.seen)
    # As if the lease had run out.
    bench.change("UPDATE jobs SET status = 'queued', claim = NULL")
    assert (await bench.attempt(bench.worker(always(DONE)), job)).status == "succeeded"
    work.may_go_on.set()
    await first
    assert (len(deliveries_of(bench)), bench.ended) == (1, [job.id])
    assert balance_of(bench.books, bench.account) == 9_000


@patiently
async def test_work_on_what_is_no_longer_ours_is_ended(sqlite_bench: Bench) -> None:
    work = Gate()
    kept, lost = await sqlite_bench.accept(), await sqlite_bench.accept()
    worker = sqlite_bench.worker(work)
    tasks = [worker.take(sqlite_bench.claim(job)) for job in (kept, lost)]
    await until(lambda: len(work.seen) == 2)
    await sqlite_bench.desk.cancel(lost.organization_id, lost.id)
    await sqlite_bench.leases.renew()
    await asyncio.wait([tasks[1]])
    assert tasks[1].cancelled()
    assert [job.id for job in sqlite_bench.leases.jobs] == [kept.id]
    work.may_go_on.set()
    await tasks[0]
    assert sqlite_bench.look(kept).status == "succeeded"


@patiently
async def test_what_is_given_back_was_not_begun(bench: Bench) -> None:
    work = Gate()
    job = await bench.accept()
    worker = bench.worker(work)
    worker.take(bench.claim(job))
    await until(lambda: work.seen)
    await worker.give_back()
    found = bench.look(job)
    assert (found.status, found.attempts, found.claim) == ("queued", 0, None)
    assert found.due_at_in_ms <= now_in_ms()
    assert bench.paper.issued[-1] == Ticket(job.id, job.priority + 1)
    assert bench.leases.jobs == []
    assert balance_of(bench.books, bench.account) == 9_000
    assert (await bench.attempt(bench.worker(always(DONE)), job)).status == "succeeded"


@patiently
async def test_what_can_not_be_given_back_is_left_to_its_lease(
    sqlite_bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object) -> bool:
        raise Busy("The database is away.")

    work = Gate()
    job = await sqlite_bench.accept()
    worker = sqlite_bench.worker(work)
    worker.take(sqlite_bench.claim(job))
    await until(lambda: work.seen)
    monkeypatch.setattr(rows, "put_back", away)
    await worker.give_back()
    assert sqlite_bench.look(job).status == "running"


@patiently
async def test_a_reply_that_can_not_be_stored_at_first_is_stored_in_the_end(
    sqlite_bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    put, failures = type(sqlite_bench.books.blobs).put, iter([True, False])

    async def sometimes(blobs: Any, name: str, data: bytes) -> None:
        if next(failures):
            raise Busy("The store is away.")
        await put(blobs, name, data)

    job = await sqlite_bench.accept()
    monkeypatch.setattr(type(sqlite_bench.books.blobs), "put", sometimes)
    work = always(DONE)
    assert (await sqlite_bench.attempt(sqlite_bench.worker(work), job)).status == "succeeded"
    assert len(work.seen) == 1


@patiently
async def test_work_is_told_how_long_it_may_take(sqlite_bench: Bench) -> None:
    seen: list[float] = []

    async def work(job: Job, deadline: Deadline) -> Done:  # noqa: ARG001
        seen.append(deadline.remaining_in_s)
        return DONE

    await sqlite_bench.attempt(sqlite_bench.worker(work, deadline_in_s=1234), await sqlite_bench.accept())
    assert 1000 < seen[0] <= 1234
