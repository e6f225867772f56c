"""The pool answers every order, and a death costs only the order that caused it."""

import itertools
import os
import pickle
import random
import signal
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError
from pathlib import Path
from types import ModuleType
from typing import Any

import misdeeds
import psutil
import pytest

from imageplane.deadline import Deadline
from imageplane.engine.job import Job, Together
from imageplane.engine.pool import Pool
from imageplane.engine.process import Engine
from imageplane.engine.terms import Outfit
from imageplane.errors import (
    Busy,
    DeadlineExceeded,
    EngineCrashed,
    ImageplaneError,
    InternalError,
    RequestError,
    TooLarge,
    UndecodableImage,
)

TESTS = Path(misdeeds.__file__).parent
LIMITS: dict[str, Any] = {"deadline_in_s": 20, "memory_in_bytes": 600_000_000, "recycle_after": 1000}
PATIENCE_IN_S = 30
NUMBERS = itertools.count()


@pytest.fixture(scope="module", autouse=True)
def importable() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", f"{TESTS}{os.pathsep}{os.environ.get('PYTHONPATH', '')}")
        patch.setenv("IMAGEPLANE_SECRET", "sesame")
        yield


@pytest.fixture(scope="module")
def outfit(tmp_path_factory: pytest.TempPathFactory) -> Outfit:
    return Outfit(readable=(tmp_path_factory.getbasetemp(),))


@pytest.fixture(scope="module")
def pool(importable: None, outfit: Outfit) -> Iterator[Pool]:  # noqa: ARG001
    with Pool(count=1, **LIMITS, outfit=outfit) as pool:
        yield pool


@pytest.fixture
def note(tmp_path: Path) -> Path:
    """Give a FIFO, which an engine reads once it is at work."""
    os.mkfifo(tmp_path / "note")
    return tmp_path / "note"


def is_read(note: Path) -> bool:
    try:
        os.close(os.open(note, os.O_WRONLY | os.O_NONBLOCK))
    except OSError:
        return False
    return True


def fresh() -> bytes:
    """Give a source that has never killed an engine."""
    return f"source {next(NUMBERS)}".encode()


def error_of(pool: Pool, function: Any, *arguments: Any, **options: Any) -> ImageplaneError:
    error = pool.submit(function, fresh(), *arguments, **options).exception(PATIENCE_IN_S)
    assert isinstance(error, ImageplaneError)
    return error


def still_works(pool: Pool) -> bool:
    return bool(pool.submit(misdeeds.echo, b"", "well").result(PATIENCE_IN_S) == "well")


def is_gone(process_id: int) -> bool:
    try:
        return psutil.Process(process_id).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def wait_until(condition: Any) -> None:
    patience = time.monotonic() + PATIENCE_IN_S
    while not condition():
        assert time.monotonic() < patience
        time.sleep(0.01)


def test_bytes_arrive_whole_one_after_the_other(pool: Pool) -> None:
    for size in (0, 1, 4095, 4096, 9_437_185, 3):
        data = random.Random(size).randbytes(size)  # noqa: S311
        assert pool.submit(misdeeds.contents, data).result(PATIENCE_IN_S) == data


def test_a_file_is_mapped_by_the_engine(pool: Pool, tmp_path: Path) -> None:
    for content in (b"", b"121 x 473"):
        source = tmp_path / "source.bin"
        source.write_bytes(content)
        assert pool.submit(misdeeds.contents, source).result(PATIENCE_IN_S) == content


def test_errors_arrive_as_they_were_raised(pool: Pool) -> None:
    error = error_of(pool, misdeeds.raise_this, UndecodableImage("Broken.", detail="byte 3").at("operations[2]"))
    assert (type(error), error.message, error.faults[0].path) == (
        UndecodableImage,
        "operations[2]: Broken.",
        "operations[2]",
    )


def test_a_bug_is_an_internal_error_with_the_stack_for_the_log_only(pool: Pool) -> None:
    error = error_of(pool, misdeeds.raise_this, ValueError("a secret path"))
    assert type(error) is InternalError
    assert "secret" not in error.message
    assert "a secret path" in (error.detail or "")


@pytest.mark.parametrize("misdeed", [misdeeds.segfault, misdeeds.abort, misdeeds.leave])
def test_a_crash_costs_only_its_own_request(pool: Pool, misdeed: Any) -> None:
    assert type(error_of(pool, misdeed)) is EngineCrashed
    assert still_works(pool)


def test_the_stack_of_a_crash_is_kept_for_the_log(pool: Pool) -> None:
    error = error_of(pool, misdeeds.segfault)
    assert "misdeeds.py" in (error.detail or "")
    assert "misdeeds" not in error.message


def test_work_whose_engine_was_killed_by_someone_is_done_by_another(pool: Pool, note: Path) -> None:
    assert still_works(pool)
    before = pool.tally()
    future = pool.submit(misdeeds.announce_and_sleep, b"", str(note), 0.5)
    wait_until(lambda: is_read(note))
    os.kill(pool.engine_ids()[0], signal.SIGKILL)
    assert future.result(PATIENCE_IN_S) == "rested"
    after = pool.tally()
    assert (after.retries - before.retries, after.starts - before.starts) == (1, 1)
    assert after.deaths["sigkill"] - before.deaths.get("sigkill", 0) == 1


def test_work_that_was_broken_off_and_has_no_time_left_may_come_again(pool: Pool, note: Path) -> None:
    assert still_works(pool)
    future = pool.submit(misdeeds.announce_and_sleep, fresh(), str(note), 60, deadline=Deadline.after(3))
    wait_until(lambda: is_read(note))
    os.kill(pool.engine_ids()[0], signal.SIGKILL)
    error = future.exception(PATIENCE_IN_S)
    assert isinstance(error, Busy)
    assert error.retry_after_in_s


def test_work_that_waited_until_there_was_too_little_time_may_come_again(pool: Pool, note: Path) -> None:
    assert still_works(pool)
    busy = pool.submit(misdeeds.announce_and_sleep, fresh(), str(note), 1)
    late = pool.submit(misdeeds.announce_and_sleep, fresh(), str(note), 60, deadline=Deadline.after(1.5))
    assert busy.result(PATIENCE_IN_S) == "rested"
    assert type(late.exception(PATIENCE_IN_S)) is Busy


def test_work_that_waited_but_had_all_the_time_of_an_engine_took_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Job, "has_lost_its_time", True)
    with Pool(count=1, **(LIMITS | {"deadline_in_s": 0.5})) as pool:
        assert type(error_of(pool, misdeeds.hang_in_c, deadline=Deadline.after(PATIENCE_IN_S))) is DeadlineExceeded
        assert type(error_of(pool, misdeeds.hang_in_c, deadline=Deadline.after(0.4))) is Busy


def asked_together(pool: Pool, note: Path, function: Callable[..., Any]) -> list[Any]:
    """Give what comes of three wishes for one source that wait at the same time."""
    busy = pool.submit(misdeeds.announce_and_sleep, b"", str(note), 0.3)
    wait_until(lambda: is_read(note))
    source, together = fresh(), Together("x", function)
    futures = [pool.submit(misdeeds.echo, source, number, together=together) for number in range(3)]
    assert busy.result(PATIENCE_IN_S) == "rested"
    return [future.result(PATIENCE_IN_S) for future in futures]


def test_wishes_for_one_source_are_done_at_once(pool: Pool, note: Path) -> None:
    before = pool.tally()
    assert asked_together(pool, note, misdeeds.echo_each) == [("together", number) for number in range(3)]
    assert pool.tally().joined - before.joined == 3


@pytest.mark.parametrize("function", [misdeeds.answer_too_few, misdeeds.answer_nonsense, misdeeds.die_together])
def test_wishes_that_come_to_nothing_together_are_done_alone(
    pool: Pool, note: Path, function: Callable[..., Any]
) -> None:
    before = pool.tally()
    assert asked_together(pool, note, function) == [0, 1, 2]
    assert pool.tally().joined == before.joined


def test_work_that_never_survives_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("imageplane.engine.keeper._ATTEMPTS", 3)
    with Pool(count=1, **LIMITS, outfit=Outfit(confined=False)) as pool:
        assert type(error_of(pool, misdeeds.be_killed)) is EngineCrashed
        assert pool.tally().retries == 2
        assert still_works(pool)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_only_the_pool_ends_an_engine_in_peace(pool: Pool, note: Path, number: signal.Signals) -> None:
    future = pool.submit(misdeeds.announce_and_sleep, b"", str(note), 0.2)
    wait_until(lambda: is_read(note))
    engines = pool.engine_ids()
    os.kill(engines[0], number)
    assert future.result(PATIENCE_IN_S) == "rested"
    assert pool.engine_ids() == engines


def test_an_engine_killed_while_idle_costs_nobody_anything(pool: Pool) -> None:
    for _ in range(3):
        assert still_works(pool)
        for process_id in pool.engine_ids():
            os.kill(process_id, signal.SIGKILL)
    assert still_works(pool)


def test_one_that_hangs_in_c_is_killed_at_the_deadline(pool: Pool) -> None:
    process_id = pool.submit(misdeeds.process_id, b"").result(PATIENCE_IN_S)
    started_at = time.monotonic()
    assert type(error_of(pool, misdeeds.hang_in_c, deadline=Deadline.after(0.5))) is DeadlineExceeded
    assert time.monotonic() - started_at < 10
    assert is_gone(process_id)
    assert still_works(pool)


def test_a_canceled_deadline_ends_the_work_at_once(pool: Pool, note: Path) -> None:
    deadline = Deadline()
    future = pool.submit(misdeeds.announce_and_sleep, b"", str(note), 60, deadline=deadline)
    wait_until(lambda: is_read(note))
    deadline.cancel()
    assert type(future.exception(PATIENCE_IN_S)) is DeadlineExceeded


def test_work_whose_time_is_over_is_not_started(pool: Pool) -> None:
    assert still_works(pool)
    engines = pool.engine_ids()
    error = error_of(pool, misdeeds.segfault, deadline=Deadline.after(-1))
    assert type(error) is Busy
    assert pool.engine_ids() == engines


def test_the_limit_of_the_pool_starts_with_the_work(pool: Pool) -> None:
    assert 19 < pool.submit(misdeeds.time_left, b"").result(PATIENCE_IN_S) <= 20
    assert pool.submit(misdeeds.time_left, b"", deadline=Deadline.after(9)).result(PATIENCE_IN_S) <= 9


def test_one_that_eats_memory_is_refused_and_one_within_the_limit_is_not(pool: Pool) -> None:
    error = error_of(pool, misdeeds.fill_memory, 1_500_000_000)
    assert (type(error), error.status) == (TooLarge, 413)
    assert pool.submit(misdeeds.fill_memory, b"", 300_000_000).result(PATIENCE_IN_S) == 300_000_000


@pytest.mark.parametrize(
    "words",
    [
        "memory allocation of 1600000000 bytes failed",
        "GLib-ERROR: gmem.c:106: failed to allocate 1600000000 bytes",
        "terminate called after throwing an instance of 'std::bad_alloc'",
    ],
)
def test_a_library_that_dies_of_refused_memory_is_understood(pool: Pool, words: str) -> None:
    assert type(error_of(pool, misdeeds.fail_as_libraries_do, words)) is TooLarge


def test_refused_memory_that_looks_like_damage_is_understood(pool: Pool) -> None:
    error = UndecodableImage("The image is damaged.", detail="vips_tracked: out of memory -- size == 1500MB")
    assert type(error_of(pool, misdeeds.raise_this, error)) is TooLarge


def test_a_crash_near_the_limit_passes_as_want_of_memory(pool: Pool) -> None:
    if sys.platform != "linux":
        pytest.skip("only Linux tells how much data memory another process holds")
    assert type(error_of(pool, misdeeds.crash_with_full_memory, 480_000_000)) is TooLarge
    assert type(error_of(pool, misdeeds.crash_with_full_memory, 121_000_000)) is EngineCrashed
    assert type(error_of(pool, misdeeds.segfault)) is EngineCrashed


def test_a_crash_blames_nobody(pool: Pool) -> None:
    error = error_of(pool, misdeeds.segfault)
    assert error.message.startswith("The image could not be processed")
    assert not any(word in error.message for word in ("hostile", "damaged", "memory"))


def test_a_talkative_library_blocks_nothing(pool: Pool) -> None:
    assert pool.submit(misdeeds.chatter, b"").result(PATIENCE_IN_S) == "said"


def test_an_answer_that_is_no_plain_data_is_refused(pool: Pool) -> None:
    process_id = pool.engine_ids()
    error = error_of(pool, misdeeds.lie)
    assert (type(error), "no usable answer" in error.message) == (EngineCrashed, True)
    assert "may not send pathlib" in (error.detail or "")
    assert still_works(pool)
    assert pool.engine_ids() != process_id


def test_a_file_that_vanishes_is_told(pool: Pool, tmp_path: Path) -> None:
    error = pool.submit(misdeeds.contents, tmp_path / "gone.png").exception(PATIENCE_IN_S)
    assert (type(error), str(error)) == (RequestError, "The source can't be read: no such file or directory.")
    error = pool.submit(misdeeds.contents, tmp_path).exception(PATIENCE_IN_S)
    assert (type(error), str(error)) == (RequestError, "The source can't be read: is a directory.")


def test_what_is_no_file_is_told_and_waited_for_by_nobody(pool: Pool, note: Path) -> None:
    error = pool.submit(misdeeds.contents, note).exception(PATIENCE_IN_S)
    assert (type(error), str(error)) == (RequestError, "The source can't be read: it is no regular file.")


def test_files_are_handed_over_open_and_closed_again(pool: Pool, tmp_path: Path) -> None:
    source = tmp_path / "source.bin"
    source.write_bytes(b"121 x 473")
    open_before = psutil.Process().num_fds(), psutil.Process(pool.engine_ids()[0]).num_fds()
    for _ in range(300):
        assert pool.submit(misdeeds.contents, source).result(PATIENCE_IN_S) == b"121 x 473"
    assert (psutil.Process().num_fds(), psutil.Process(pool.engine_ids()[0]).num_fds()) == open_before


def test_whatever_ends_the_keeper_s_work_is_answered(pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    def leave(*_: Any) -> None:
        raise SystemExit(3)

    with monkeypatch.context() as patch:
        patch.setattr(Engine, "ask", leave)
        assert type(error_of(pool, misdeeds.echo, 1)) is InternalError
    assert still_works(pool)


def test_an_order_that_cannot_be_sent_is_answered(pool: Pool) -> None:
    assert type(error_of(pool, lambda: None)) is InternalError
    assert still_works(pool)


def test_an_engine_inherits_no_secret_and_a_tamed_libvips(pool: Pool) -> None:
    variables = pool.submit(misdeeds.surroundings, b"").result(PATIENCE_IN_S)
    assert not any(name.startswith("IMAGEPLANE_") for name in variables)
    assert (variables["VIPS_CONCURRENCY"], variables["MALLOC_ARENA_MAX"]) == ("1", "2")


def test_engines_are_replaced_after_their_share_of_work() -> None:
    with Pool(count=1, **(LIMITS | {"recycle_after": 2})) as pool:
        ids = [pool.submit(misdeeds.process_id, b"").result(PATIENCE_IN_S) for _ in range(6)]
        assert [ids.count(process_id) for process_id in dict.fromkeys(ids)] == [2, 2, 2]
        wait_until(lambda: all(is_gone(process_id) for process_id in set(ids) - set(pool.engine_ids())))


def test_closing_answers_everything_and_ends_all_engines(outfit: Outfit, note: Path) -> None:
    pool = Pool(count=1, **LIMITS, outfit=outfit)
    running = pool.submit(misdeeds.announce_and_sleep, b"", str(note), 60)
    waiting = [pool.submit(misdeeds.echo, b"", index) for index in range(5)]
    waiting[2].cancel()
    wait_until(lambda: is_read(note))
    engines = pool.engine_ids()
    started_at = time.monotonic()
    pool.close()
    assert time.monotonic() - started_at < 10
    assert type(running.exception(0)) is Busy
    assert [type(future.exception(0)) for index, future in enumerate(waiting) if index != 2] == [Busy] * 4
    with pytest.raises(CancelledError):
        waiting[2].result(0)
    assert all(is_gone(engine) for engine in engines)
    with pytest.raises(Busy):
        pool.submit(misdeeds.echo, b"", 1)


def test_two_hundred_orders_among_crashes_are_answered_rightly() -> None:
    chance = random.Random(121)  # noqa: S311
    deaths: list[tuple[Any, type[ImageplaneError]]] = [
        (misdeeds.segfault, EngineCrashed),
        (misdeeds.abort, EngineCrashed),
        (misdeeds.leave, EngineCrashed),
        (misdeeds.lie, EngineCrashed),
        (misdeeds.hang_in_c, DeadlineExceeded),
    ]
    with Pool(count=3, **(LIMITS | {"deadline_in_s": 1})) as pool:
        orders = []
        for index in range(200):
            death = chance.choice(deaths) if chance.random() < 0.06 else None
            data = fresh() + chance.randbytes(chance.choice((0, 473, 121_473)))
            orders.append((index, data, death, pool.submit(death[0] if death else misdeeds.contents, data)))
        for _, data, death, future in orders:
            if death:
                assert type(future.exception(PATIENCE_IN_S)) is death[1]
            else:
                assert future.result(PATIENCE_IN_S) == data


def test_engines_killed_at_random_lose_no_work() -> None:
    chance = random.Random(473)  # noqa: S311
    with Pool(count=2, **LIMITS) as pool:
        sources = [fresh() * 1000 for _ in range(300)]
        futures = [pool.submit(misdeeds.dawdle, source, 0.02) for source in sources]
        for _ in range(8):
            time.sleep(chance.uniform(0.1, 0.5))
            for engine in pool.engine_ids()[: chance.randint(1, 2)]:
                os.kill(engine, signal.SIGKILL)
        assert [future.result(PATIENCE_IN_S) for future in futures] == sources
        tally = pool.tally()
        assert tally.deaths.keys() <= {"sigkill"}
        assert tally.refusals == 0


def test_an_idle_engine_rests_and_works_on() -> None:
    outfit = Outfit(on_idle=misdeeds.write_diary, idle_after_in_s=0.05)
    with Pool(count=1, **LIMITS, outfit=outfit) as pool:
        assert pool.submit(misdeeds.echo, b"", 1).result(PATIENCE_IN_S) == 1
        engines = pool.engine_ids()
        for rests in (1, 2, 3):
            wait_until(lambda: len(diary_after_a_rest(pool)) >= rests)  # noqa: B023
        assert pool.engine_ids() == engines
        assert pool.tally().starts == 1


def diary_after_a_rest(pool: Pool) -> list[str]:
    time.sleep(0.2)
    diary: list[str] = pool.submit(misdeeds.read_diary, b"").result(PATIENCE_IN_S)
    return diary


def test_an_engine_that_gets_no_rest_calls_nothing() -> None:
    outfit = Outfit(on_idle=misdeeds.write_diary, idle_after_in_s=600)
    with Pool(count=1, **LIMITS, outfit=outfit) as pool:
        assert pool.submit(misdeeds.read_diary, b"").result(PATIENCE_IN_S) == []


def test_an_outfit_that_cannot_be_sent_is_told_at_once() -> None:
    with pytest.raises((AttributeError, pickle.PicklingError)):
        Pool(count=1, **LIMITS, outfit=Outfit(on_idle=lambda: None))


def test_an_outfit_that_engines_cannot_import_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    unknown = ModuleType("known_to_nobody_else")
    exec("def rest(): pass", vars(unknown))  # noqa: S102
    monkeypatch.setitem(sys.modules, unknown.__name__, unknown)
    with Pool(count=1, **LIMITS, outfit=Outfit(on_idle=unknown.rest)) as pool:
        error = error_of(pool, misdeeds.echo, 1)
        assert (type(error), error.message) == (InternalError, "No engine could be started.")
        assert "known_to_nobody_else" in (error.detail or "")
        assert pool.tally().failed_starts > 0
    assert pool.confinement.cancelled()
