"""The tree of errors is as its page draws it, and an error keeps what it says on its way between processes."""

import inspect
import pickle
import re

import pytest

from imageplane import errors
from imageplane.errors import Fault, ImageplaneError

CLASSES = [kind for kind in vars(errors).values() if inspect.isclass(kind) and issubclass(kind, ImageplaneError)]


@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.__name__)
def test_the_tree_tells_code_status_and_parent(kind: type[ImageplaneError]) -> None:
    if kind is ImageplaneError:
        return
    lines = (errors.__doc__ or "").splitlines()
    (place,) = [number for number, line in enumerate(lines) if re.search(rf"─ {kind.__name__} ", line)]
    assert lines[place].split()[-3:] == [kind.code, str(kind.status), "yes" if kind.retryable else "no"]
    depth = re.search(r"\w", lines[place]).start()  # type: ignore[union-attr]
    above = [line for line in lines[:place] if (found := re.search(r"\w", line)) and found.start() == depth - 4]
    assert re.search(r"\w+", above[-1])[0] == kind.__base__.__name__  # type: ignore[index, union-attr]


def test_no_two_kinds_share_a_code() -> None:
    """A kind that names none is, for who asks, the kind that it is below."""
    codes = [kind.code for kind in CLASSES[1:] if "code" in vars(kind)]
    assert len(codes) == len(set(codes)) > 20


@pytest.mark.parametrize(
    ("kind", "status", "sentence"),
    [
        (errors.InvalidKey, 401, "Invalid API key"),
        (errors.InsufficientCredits, 402, "Insufficient credits"),
        (errors.BudgetCapExceeded, 402, "Budget cap exceeded"),
        (errors.RateLimited, 429, "Rate limit exceeded"),
    ],
)
def test_clients_know_these_sentences(kind: type[ImageplaneError], status: int, sentence: str) -> None:
    error = kind()
    assert (error.status, error.message, str(error)) == (status, sentence, sentence)


def test_nothing_is_lost_between_processes() -> None:
    error = errors.RateLimited("wait", detail="log", faults=(Fault("a", "b"),), retry_after_in_s=1.5)
    copy = pickle.loads(pickle.dumps(error))  # noqa: S301 - it was made here
    assert type(copy) is errors.RateLimited
    assert vars(copy) == vars(error)
    placed = errors.Busy("full", retry_after_in_s=2).at("file")
    assert (placed.message, placed.retry_after_in_s) == ("file: full", 2)
