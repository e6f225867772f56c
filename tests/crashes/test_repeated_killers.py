"""A source that killed engines twice is refused for a while; what else comes in is done."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import misdeeds
import pytest

from imageplane.deadline import Deadline
from imageplane.engine.pool import Pool
from imageplane.engine.terms import Outfit
from imageplane.errors import DeadlineExceeded, EngineCrashed, ImageplaneError, TooLarge

TESTS = Path(misdeeds.__file__).parent
LIMITS: dict[str, Any] = {"count": 1, "deadline_in_s": 1, "memory_in_bytes": 400_000_000, "recycle_after": 1000}
PATIENCE_IN_S = 30


@pytest.fixture(scope="module")
def pool() -> Iterator[Pool]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", f"{TESTS}{os.pathsep}{os.environ.get('PYTHONPATH', '')}")
        with Pool(**LIMITS) as pool:
            yield pool


@pytest.fixture
def unconfined(pool: Pool) -> Iterator[Pool]:  # noqa: ARG001 - for its path
    """Give a pool whose engines may do to themselves what others do to them elsewhere."""
    with Pool(**LIMITS, outfit=Outfit(confined=False)) as careless:
        yield careless


def error_of(pool: Pool, source: bytes | Path, function: Any, *arguments: Any, **options: Any) -> ImageplaneError:
    error = pool.submit(function, source, *arguments, **options).exception(PATIENCE_IN_S)
    assert isinstance(error, ImageplaneError)
    return error


def is_done(pool: Pool, source: bytes | Path) -> bool:
    return bool(pool.submit(misdeeds.echo, source, "well").result(PATIENCE_IN_S) == "well")


def test_a_source_that_crashes_engines_is_refused_whatever_is_asked(pool: Pool, tmp_path: Path) -> None:
    evil = b"crashes decoders"
    assert "ended in a crash" in error_of(pool, evil, misdeeds.segfault).message
    assert is_done(pool, evil)
    assert "ended in a crash" in error_of(pool, evil, misdeeds.abort).message
    before = pool.tally()
    (tmp_path / "evil").write_bytes(evil)
    for source in (evil, tmp_path / "evil"):
        error = error_of(pool, source, misdeeds.echo, "well")
        assert type(error) is EngineCrashed
        assert error.message.endswith("it will not be tried again for 10 minutes.")
        assert 0 < (error.retry_after_in_s or 0) <= 600
    assert is_done(pool, b"crashes nothing!")
    after = pool.tally()
    assert (after.refusals - before.refusals, after.deaths) == (2, before.deaths)


def test_work_that_eats_all_memory_is_refused_but_not_its_source(pool: Pool) -> None:
    for _ in range(2):
        assert type(error_of(pool, b"a giant", misdeeds.fail_as_libraries_do, "failed to allocate")) is TooLarge
    error = error_of(pool, b"a giant", misdeeds.fail_as_libraries_do, "failed to allocate")
    assert "brought the work on it down" in error.message
    assert is_done(pool, b"a giant")


def test_work_that_takes_all_time_is_refused_but_not_its_source(pool: Pool) -> None:
    for _ in range(2):
        assert type(error_of(pool, b"a maze", misdeeds.hang_in_c)) is DeadlineExceeded
    assert "brought the work on it down" in error_of(pool, b"a maze", misdeeds.hang_in_c).message
    assert is_done(pool, b"a maze")


def test_who_gave_too_little_time_may_come_again(pool: Pool) -> None:
    for _ in range(3):
        assert is_done(pool, b"another")
        error = error_of(pool, b"a hurry", misdeeds.hang_in_c, deadline=Deadline.after(0.5))
        assert type(error) is DeadlineExceeded


def test_work_that_is_killed_again_and_again_is_refused_in_the_end(
    unconfined: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("imageplane.engine.keeper._ATTEMPTS", 2)
    for _ in range(2):
        before = unconfined.tally().deaths.get("sigkill", 0)
        assert "ended in a crash" in error_of(unconfined, b"bad luck", misdeeds.be_killed).message
        assert unconfined.tally().deaths["sigkill"] - before == 2
    assert "brought the work on it down" in error_of(unconfined, b"bad luck", misdeeds.be_killed).message
    assert is_done(unconfined, b"bad luck")
