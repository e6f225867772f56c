"""`imageplane bulk run` as an operator runs it, and what lies at its destination."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_PROGRAM: Final = str(Path(sys.executable).with_name("imageplane"))
_COUNTS: Final = re.compile(r"([\d,]+) images? made.*?([\d,]+) skipped.*?([\d,]+) failed", re.DOTALL)
_PATIENCE_IN_S: Final = 3600.0

OUTPUTS: Final = (
    {
        "name": "avatar",
        "operations": [
            {"type": "resize", "width_in_px": 200, "height_in_px": 200, "fit": "cover"},
            {"type": "convert", "format": "webp", "quality": 80},
        ],
    },
    {
        "name": "card",
        "operations": [
            {"type": "resize", "width_in_px": 640, "height_in_px": 480, "fit": "cover"},
            {"type": "sharpen", "sigma": 0.5},
            {"type": "convert", "format": "jpeg", "quality": 82},
        ],
    },
)
SIZES: Final = {"avatar.webp": (200, 200), "card.jpg": (640, 480)}


@dataclass(frozen=True, slots=True)
class Ended:
    """How a run came out. Takes: `seconds` of the whole process."""

    made: int
    skipped: int
    failed: int
    seconds: float
    code: int


@dataclass(frozen=True, slots=True)
class Bulk:
    """A run over a folder, to another folder; `outputs` is the file that says what is made."""

    source: Path
    destination: Path
    outputs: Path

    def to_the_end(self) -> Ended:
        """Run to the end."""
        started = time.monotonic()
        done = subprocess.run(self._command, capture_output=True, text=True, check=False, timeout=_PATIENCE_IN_S)
        seconds = time.monotonic() - started
        counts = _COUNTS.search(done.stderr)
        if counts is None:
            raise RuntimeError(f"a run ended without a count:\n{done.stderr[-3000:]}")
        made, skipped, failed = (int(text.replace(",", "")) for text in counts.groups())
        return Ended(made, skipped, failed, seconds, done.returncode)

    def killed_at(self, count: int) -> int:
        """Run until so many outputs lie there, and kill it. Gives: how many there were then."""
        with subprocess.Popen(self._command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
            until = time.monotonic() + _PATIENCE_IN_S
            while process.poll() is None and len(self.files()) < count and time.monotonic() < until:
                time.sleep(0.2)
            process.send_signal(signal.SIGKILL)
        return len(self.files())

    def files(self) -> dict[str, tuple[int, int]]:
        """Give every output that lies there: its place on the disk and when it was written."""
        return dict(_files(self.destination, ""))

    @property
    def _command(self) -> list[str]:
        return [
            _PROGRAM,
            "bulk",
            "run",
            str(self.source),
            "--outputs",
            str(self.outputs),
            "--to",
            str(self.destination),
        ]


def _files(folder: Path, prefix: str) -> Iterator[tuple[str, tuple[int, int]]]:
    if not folder.is_dir():
        return
    for entry in os.scandir(folder):
        if entry.is_dir():
            if not entry.name.startswith("."):
                yield from _files(Path(entry.path), f"{prefix}{entry.name}/")
        elif "#" not in entry.name:
            # What has a number behind is on its way to its name.
            found = entry.stat()
            yield f"{prefix}{entry.name}", (found.st_ino, found.st_mtime_ns)
