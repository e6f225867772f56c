"""A caller is warned of what is ignored, and no more is said of it than a person reads."""

from typing import Any

import pytest

from imageplane import operations, sources
from imageplane.request import TransformRequest
from imageplane.unknown_fields import warnings_of

MANY: dict[str, Any] = {f"x{number}": 0 for number in range(100_000)}


def test_what_is_known_is_not_mentioned() -> None:
    assert warnings_of({"a": 1, "b": 2}, ("a", "b", "c"), "file") == []


@pytest.mark.parametrize(("path", "prefix"), [("", ""), ("outputs[2]", "outputs[2].")])
def test_of_many_the_first_few_are_named(path: str, prefix: str) -> None:
    assert warnings_of({"a": 1, **dict(list(MANY.items())[:10])}, {"a"}, path) == [
        f"{prefix}x{number}: unknown field, ignored" for number in range(10)
    ]
    warnings = warnings_of(MANY, (), path)
    assert warnings[:10] == [f"{prefix}x{number}: unknown field, ignored" for number in range(10)]
    assert warnings[10:] == [f"{prefix}… and 99,990 more: unknown fields, ignored"]


def test_of_a_long_name_only_the_beginning_is_said() -> None:
    assert warnings_of({"x" * 1_000_000: 1}, ()) == [f"{'x' * 60}: unknown field, ignored"]


def test_every_object_of_a_request_is_bounded() -> None:
    step = {"type": "flip", **MANY}
    assert len(operations.parse([step, step])[1]) == 22
    request = {"outputs": [{"name": "a", "operations": [step], **MANY}], **MANY}
    assert len(TransformRequest.parse(request).warnings) == 33
    auth = {"type": "bearer", "token": "a", **MANY}
    file = {"url": "https://example.com/a", "fetch_options": {"auth": auth, **MANY}, **MANY}
    assert len(sources.read(file, 1000)[1]) == 33
