"""What a person sees of a bulk run, on stderr: a bar on a terminal or a line now and then, and a summary."""

import json
import re
import sys
import time
from types import TracebackType
from typing import IO, TYPE_CHECKING, Final, Self

import typer

from imageplane.errors import ImageplaneError

if TYPE_CHECKING:
    from rich.progress import Progress

    from imageplane.jobs.bulk.outcome import Outcome
    from imageplane.jobs.bulk.run import BulkRun
    from imageplane.jobs.bulk.tally import Tally

_LINE_EVERY_IN_S: Final = 10.0
_BAR_EVERY_IN_S: Final = 0.2
_MOST_FAILURES_SHOWN: Final = 10
_QUERY: Final = re.compile(r"\?\S*")
_AGAIN: Final = "The same command goes on where this run ended."


class Display:
    """A watcher of a bulk run. Takes: `report`, where a line of JSON goes for every failure."""

    def __init__(self, report: IO[str] | None) -> None:
        self._report = report
        self._started_at = time.monotonic()
        self._shown_at = self._started_at
        self._tally: Tally | None = None
        self._bar: Progress | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def show(self, tally: "Tally") -> None:
        """Show how far this is from now on."""
        self._tally = tally
        if sys.stderr.isatty():
            self._bar = _bar()
            self._bar.start()

    def close(self) -> None:
        """Take the bar away."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None

    def hear(self, outcome: "Outcome") -> None:
        """Tell of a failure, and show now and then how far the run has come."""
        if outcome.status == "failed" and self._tally is not None and outcome.error is not None:
            if self._report is not None:
                print(json.dumps(outcome.line, ensure_ascii=False), file=self._report)
            if self._tally.failed <= _MOST_FAILURES_SHOWN:
                self.say(f"{outcome.item.name}: {outcome.error.message}")
            if self._tally.failed == _MOST_FAILURES_SHOWN:
                self.say("More failures are counted, and told with --report only.")
        now = time.monotonic()
        if now - self._shown_at >= (_LINE_EVERY_IN_S if self._bar is None else _BAR_EVERY_IN_S):
            self._shown_at = now
            self._show()

    def say(self, sentence: str) -> None:
        """Print a line, above the bar if there is one."""
        if self._bar is not None:
            self._bar.console.print(sentence, markup=False, highlight=False, soft_wrap=True)
        else:
            typer.echo(sentence, err=True)

    def summarize(self, work: "BulkRun", *, is_interrupted: bool) -> None:
        """Say what became of the run."""
        self.close()
        tally, passed = work.tally, work.source.passed
        seconds = time.monotonic() - self._started_at
        rate = f" ({tally.made / seconds:.1f} a second)" if tally.made else ""
        self.say(
            f"{_counted(tally.made, 'image')} made{rate}, {tally.skipped:,} skipped because made before, "
            f"{tally.failed:,} failed, in {_duration(seconds)}."
        )
        for code, reason in sorted(tally.reasons.items(), key=lambda each: -each[1].count):
            self.say(f"  {reason.count:,} × {code}, such as {reason.example}")
        if tally.failed:
            self.say("The next run tries failed images again.")
        if passed.others:
            self.say(f"Passed over, because not named like an image: {_counted(passed.others, 'file')}.")
        if passed.unreadable:
            self.say(f"Can't be read: {_counted(passed.unreadable, 'place')}, such as {'; '.join(passed.examples)}.")
        if work.trouble is not None:
            self.say(f"Error: {told(work.trouble)} {_AGAIN}")
        elif is_interrupted:
            self.say(f"Interrupted. {_AGAIN}")

    def _show(self) -> None:
        if self._tally is None:
            return
        if self._bar is not None:
            task = self._bar.task_ids[0]
            self._bar.update(task, completed=self._tally.seen, total=self._tally.total, words=_words(self._tally))
        else:
            of = f" of {self._tally.total:,}" if self._tally.total is not None else ""
            typer.echo(f"{self._tally.seen:,}{of} images, {_words(self._tally)}", err=True)


def told(error: ImageplaneError) -> str:
    """Give an error as whoever runs the command should read it: with its cause, which holds no query of a URL."""
    return f"{error.message} ({_QUERY.sub('?…', error.detail)})" if error.detail else error.message


def _words(tally: "Tally") -> str:
    left_in_s = tally.left_in_s()
    words = [f"{tally.rate_per_s():.1f}/s"]
    words += [f"{_duration(left_in_s)} left"] if left_in_s is not None else []
    words += [f"{tally.skipped:,} skipped"] if tally.skipped else []
    words += [f"{tally.failed:,} failed"] if tally.failed else []
    return ", ".join(words)


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def _duration(seconds: float) -> str:
    if seconds < 100:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 100 else f"{minutes // 60} h {minutes % 60:02} min"


def _bar() -> "Progress":
    from rich.console import Console  # noqa: PLC0415
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn  # noqa: PLC0415

    columns = (TextColumn("images"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[words]}"))
    bar = Progress(*columns, console=Console(stderr=True), transient=True)
    bar.add_task("images", total=None, words="")
    return bar
