"""Whose fault a death was, and what the caller is told of it."""

import signal

import pytest

from imageplane.engine.deaths import Remains, out_of_time, unbelievable
from imageplane.errors import Busy, DeadlineExceeded, EngineCrashed, ImageplaneError, TooLarge

MEMORY = 900_000_000


def remains(exit_code: int, words: str = "", held: int = 0, *, exhausted: bool = False) -> Remains:
    return Remains(exit_code, words, held, MEMORY, is_memory_exhausted=exhausted)


@pytest.mark.parametrize(
    ("left", "cause", "kind", "fault"),
    [
        (remains(-signal.SIGSEGV), "sigsegv", EngineCrashed, "source"),
        (remains(-signal.SIGBUS), "sigbus", EngineCrashed, "source"),
        (remains(-signal.SIGSYS), "sigsys", EngineCrashed, "source"),
        (remains(0), "exit", EngineCrashed, "source"),
        (remains(3), "exit", EngineCrashed, "source"),
        (remains(-signal.SIGABRT, "memory allocation of 1600 bytes failed"), "memory_limit", TooLarge, "work"),
        (remains(-signal.SIGSEGV, held=MEMORY - 1), "memory_limit", TooLarge, "work"),
        (remains(-signal.SIGSEGV, held=MEMORY // 2), "sigsegv", EngineCrashed, "source"),
        (remains(-signal.SIGKILL), "sigkill", EngineCrashed, "outside"),
        (remains(-signal.SIGKILL, held=MEMORY - 1), "sigkill", EngineCrashed, "outside"),
        (remains(-signal.SIGQUIT), "sigquit", EngineCrashed, "outside"),
        (remains(-signal.SIGKILL, exhausted=True), "machine_memory", Busy, "work"),
        (remains(-signal.SIGSEGV, exhausted=True), "sigsegv", EngineCrashed, "source"),
    ],
)
def test_the_cause_of_a_death(left: Remains, cause: str, kind: type[ImageplaneError], fault: str) -> None:
    death = left.judged()
    assert (death.cause, type(death.error)) == (cause, kind)
    faults = {"source": death.is_of_the_source, "work": death.is_of_the_work, "outside": death.is_from_outside}
    assert [name for name, is_so in faults.items() if is_so] == [fault]


def test_a_machine_without_memory_asks_to_come_back_later() -> None:
    error = remains(-signal.SIGKILL, exhausted=True).judged().error
    assert (error.status, error.retryable) == (503, True)
    assert error.retry_after_in_s


def test_an_engine_that_gave_no_answer_is_to_blame_but_one_killed_in_time_is_not() -> None:
    assert unbelievable("gibberish").is_of_the_source
    for is_pointless, cause in ((False, "deadline"), (True, "canceled")):
        death = out_of_time(is_pointless=is_pointless)
        assert (death.cause, type(death.error)) == (cause, DeadlineExceeded)
        assert not any((death.is_of_the_source, death.is_of_the_work, death.is_from_outside))


@pytest.mark.parametrize("left", [remains(-signal.SIGSEGV, "/srv/secret.py"), remains(3, "/srv/secret.py")])
def test_no_message_names_internals(left: Remains) -> None:
    error = left.judged().error
    assert "secret" not in error.message
    assert "/srv/secret.py" in (error.detail or "")
