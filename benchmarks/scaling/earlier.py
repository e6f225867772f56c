"""Measurements of an earlier run, so that a suite that takes long can be run in pieces."""

import argparse
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from benchmarks.load.report import Load
from benchmarks.load.stage import Part

_PAGES: Final = "pages"


_NO_GOALS: Final = "## Goals"


@dataclass(frozen=True, slots=True)
class Pieced(Load):
    """A run whose pages are kept beside its figures, so that a later one can take them over.

    Takes: `commits`, at which each part was measured.
    """

    commits: Mapping[str, str]

    def raw(self, date: str) -> dict[str, Any]:
        """Give everything as plain values."""
        pages = {
            part.name: {"title": part.title, "lines": list(part.lines), "commit": self.commits[part.name]}
            for part in self.parts
        }
        return Load.raw(self, date) | {_PAGES: pages}

    def page(self, date: str) -> Iterator[str]:
        """Give the lines of the page."""
        for line in Load.page(self, date):
            if line != _NO_GOALS:
                yield line
        if others := {name: commit for name, commit in self.commits.items() if commit != self.commit}:
            told = ", ".join(f"*{name}* at {commit}" for name, commit in others.items())
            yield f"Measured at other commits: {told}."


@dataclass(frozen=True, slots=True)
class Earlier:
    """What an earlier run found. Takes: the `machine` and its load then; the commit at which each part was measured."""

    parts: Sequence[Part] = ()
    commits: Mapping[str, str] = field(default_factory=dict)
    machine: Mapping[str, Any] = field(default_factory=dict)


def read(path: Path | None) -> Earlier:
    """Read the result of an earlier run; without a path there is nothing."""
    if path is None:
        return Earlier()
    known = json.loads(path.read_text())
    parts = [Part(name, page["title"], known[name], page["lines"]) for name, page in known[_PAGES].items()]
    return Earlier(parts, {name: page["commit"] for name, page in known[_PAGES].items()}, known["machine"])


def merged(old: Sequence[Part], new: Sequence[Part], order: Sequence[str]) -> list[Part]:
    """Give all parts in their order, the new ones in place of the old."""
    found = {part.name: part for part in (*old, *new)}
    return sorted(found.values(), key=lambda part: order.index(part.name))


def result(text: str) -> Path:
    """Read the path of an earlier result from the command line."""
    path = Path(text)
    try:
        is_one = _PAGES in json.loads(path.read_text())
    except (OSError, ValueError):
        is_one = False
    if not is_one:
        raise argparse.ArgumentTypeError(f"{text!r} is not the .json that an earlier run wrote")
    return path
