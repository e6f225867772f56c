"""A load as two files: all figures for machines, and a page for people."""

import dataclasses
import datetime
import importlib.metadata
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks import machine
from benchmarks.load.stage import Part

_PACKAGES = ("aiohttp", "uvicorn", "httptools", "uvloop", "starlette", "fastapi", "onnxruntime", "psutil")


@dataclass(frozen=True, slots=True)
class Load:
    """Everything of one run. Takes: `kind`, the end of its file names; the load of the `machine` before and after."""

    kind: str
    title: str
    commit: str
    machine: Mapping[str, Any]
    sizes: Mapping[str, Any]
    parts: Sequence[Part]

    @property
    def faults(self) -> list[str]:
        """What may never happen and did."""
        return [f"{part.name}: {fault}" for part in self.parts for fault in part.faults]

    def write(self, folder: Path) -> Path:
        """Write both files. Gives: the one for people."""
        folder.mkdir(parents=True, exist_ok=True)
        date = datetime.datetime.now(tz=datetime.UTC).strftime("%Y-%m-%d")
        page = folder / f"{date}-{self.commit}-{self.kind}.md"
        page.write_text("\n".join(self.page(date)) + "\n")
        page.with_suffix(".json").write_text(json.dumps(self.raw(date), ensure_ascii=False, indent=1) + "\n")
        return page

    def raw(self, date: str) -> dict[str, Any]:
        """Give everything as plain values."""
        return {
            "date": date,
            "commit": self.commit,
            "machine": self.machine,
            "settings": _settings(),
            "versions": machine.package_versions() | {name: importlib.metadata.version(name) for name in _PACKAGES},
            "sizes": self.sizes,
            "verdicts": [dataclasses.asdict(verdict) for part in self.parts for verdict in part.verdicts],
            "faults": self.faults,
            **{part.name: part.figures for part in self.parts},
        }

    def page(self, date: str) -> Iterator[str]:
        """Give the lines of the page."""
        here = self.machine
        yield from (f"# {self.title}, {date}, commit {self.commit}", "")
        yield (
            f"{here['cpu']}, {here['cores']} cores, {here['memory_in_gib']} GiB, {here['distribution']}, "
            f"Python {here['python']}; load average {here['load_average'][0]} before, "
            f"{here['load_average_after'][0]} after. Clients share the machine with the server."
        )
        if settings := _settings():
            yield from ("", "Set: " + ", ".join(f"`{name}={value}`" for name, value in settings.items()) + ".")
        yield from ("", "## Goals", "")
        for part in self.parts:
            for verdict in part.verdicts:
                yield f"- **{'met' if verdict.is_met else 'NOT MET'}** {verdict.wanted}: {verdict.measured}"
        if self.faults:
            yield from ("", "## Faults", "", *(f"- {fault}" for fault in self.faults))
        for part in self.parts:
            yield from ("", f"## {part.title}", "", *part.lines)


def _settings() -> dict[str, str]:
    """Give what the environment asks of the server, without what may name a place or hold a secret."""
    private = ("_DIR", "URL", "PROVIDERS")
    return {
        name: value
        for name, value in sorted(os.environ.items())
        if name.startswith("IMAGEPLANE_") and not name.endswith(private)
    }
