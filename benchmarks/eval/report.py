"""A run as two files: all figures for machines, and a page for people."""

import datetime
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markdown import Markdown

from benchmarks import machine


@dataclass(frozen=True, slots=True)
class Report:
    """What a run found.

    Takes: `suffix` of the files, such as `eval-crop`; `lines` of Markdown below the title; `raw`, plain values.
    """

    suffix: str
    title: str
    lines: Sequence[str]
    raw: dict[str, Any]

    def write(self, folder: Path) -> Path:
        """Write both files, named after the day and the commit. Gives: the one for people."""
        date, commit = datetime.datetime.now(tz=datetime.UTC).strftime("%Y-%m-%d"), machine.commit()
        folder.mkdir(parents=True, exist_ok=True)
        page = folder / f"{date}-{commit}-{self.suffix}.md"
        page.write_text("\n".join((f"# {self.title}, {date}, {commit}", "", *self.lines)) + "\n")
        about = {"date": date, "commit": commit, "versions": machine.package_versions()}
        page.with_suffix(".json").write_text(_json(about | self.raw))
        return page

    def show(self, console: Console) -> None:
        """Print what people read."""
        console.print(Markdown("\n".join((f"# {self.title}", "", *self.lines))))


def _json(raw: dict[str, Any]) -> str:
    """Give JSON with a line for each entry of a list at the top."""
    fields = [
        f"{json.dumps(name)}: {_lines(value) if isinstance(value, list) else json.dumps(value)}"
        for name, value in raw.items()
    ]
    return "{\n" + ",\n".join(fields) + "\n}\n"


def _lines(values: list[Any]) -> str:
    return "[\n" + ",\n".join(json.dumps(each, ensure_ascii=False) for each in values) + "\n]"
