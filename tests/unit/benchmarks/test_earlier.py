"""A suite that is run in pieces ends in one page."""

import argparse
import dataclasses
from pathlib import Path

import pytest

from benchmarks.load.stage import Part
from benchmarks.scaling import earlier
from benchmarks.scaling.earlier import Pieced

ORDER = ("engines", "row", "model")
MACHINE = {"cpu": "one", "cores": 2, "memory_in_gib": 1, "distribution": "none", "python": "3"} | {
    "load_average": [1.0], "load_average_after": [2.0]
}  # fmt: skip


def _written(folder: Path, commit: str, parts: list[Part], commits: dict[str, str]) -> Path:
    return Pieced("scaling", "Title", commit, MACHINE, {}, parts, commits).write(folder)


def test_parts_of_an_earlier_run_are_taken_over(tmp_path: Path) -> None:
    old = [Part("row", "A row", {"per_s": 1}, ["old"]), Part("model", "A model", {}, ["old model"])]
    first = _written(tmp_path, "aaa", old, {"row": "aaa", "model": "aaa"})
    known = earlier.read(earlier.result(str(first.with_suffix(".json"))))
    assert [dataclasses.replace(part, verdicts=(), faults=()) for part in known.parts] == old
    assert known.machine == MACHINE
    new = [Part("engines", "Engines", {}, ["new"]), Part("model", "A model", {}, ["new model"])]
    parts = earlier.merged(known.parts, new, ORDER)
    assert [part.name for part in parts] == list(ORDER)
    commits = {**known.commits, "engines": "bbb", "model": "bbb"}
    page = _written(tmp_path, "bbb", parts, commits).read_text()
    assert "new model" in page
    assert "old model" not in page
    assert "*row* at aaa" in page


def test_what_is_no_result_is_refused(tmp_path: Path) -> None:
    other = tmp_path / "other.json"
    other.write_text("{}")
    for path in (other, tmp_path / "absent.json"):
        with pytest.raises(argparse.ArgumentTypeError, match="earlier run"):
            earlier.result(str(path))


def test_without_an_earlier_run_there_is_nothing() -> None:
    assert not earlier.read(None).parts
