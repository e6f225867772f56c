"""What a person sees of the work: failures as they happen, a bar on a terminal, one line at the end. All on stderr."""

import sys
import time
from types import TracebackType
from typing import TYPE_CHECKING, Self

import typer

if TYPE_CHECKING:
    from rich.progress import Progress


class Report:
    """Counts what is done and what failed, and says so."""

    def __init__(self, total: int) -> None:
        self.done = 0
        self.failed = 0
        self._total = total
        self._started_at = time.monotonic()
        self._bar: Progress | None = None

    def __enter__(self) -> Self:
        if self._total > 1 and sys.stderr.isatty():
            self._bar = _bar(self._total)
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()
        if self._total > 1:
            seconds = time.monotonic() - self._started_at
            failed = f", {self.failed} failed" if self.failed else ""
            typer.echo(f"{self.done} of {self._total} images done{failed}, in {seconds:.1f} s.", err=True)

    def succeed(self) -> None:
        """Count one image that is done."""
        self.done += 1
        self._advance()

    def fail(self, name: str, sentence: str) -> None:
        """Say why an image could not be done, and count it."""
        self.failed += 1
        self.say(f"{name}: {sentence}")
        self._advance()

    def say(self, line: str) -> None:
        """Print a line above the bar."""
        if self._bar is not None:
            self._bar.console.print(line, markup=False, highlight=False, soft_wrap=True)
        else:
            typer.echo(line, err=True)

    def _advance(self) -> None:
        if self._bar is not None:
            self._bar.advance(self._bar.task_ids[0])


def _bar(total: int) -> "Progress":
    from rich.console import Console  # noqa: PLC0415
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn  # noqa: PLC0415

    columns = (TextColumn("images"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    bar = Progress(*columns, console=Console(stderr=True), transient=True)
    bar.add_task("images", total=total)
    return bar
