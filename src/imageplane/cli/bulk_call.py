"""One call of `imageplane bulk run`, from what stands on the command line to the exit code."""

import asyncio
import contextlib
import secrets
import signal
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final, Self

import typer

from imageplane.blobs import Blobs
from imageplane.cli.arguments import reason
from imageplane.cli.bulk_display import Display, told
from imageplane.cli.exit import FAILED
from imageplane.engine.pool import Pool
from imageplane.errors import Busy, Conflict
from imageplane.jobs.bulk.bucket import Bucket
from imageplane.jobs.bulk.chunk import Bench
from imageplane.jobs.bulk.folder import Folder
from imageplane.jobs.bulk.journal import Journal
from imageplane.jobs.bulk.manifest import Manifest
from imageplane.jobs.bulk.place import Place
from imageplane.jobs.bulk.reader import Reader
from imageplane.jobs.bulk.recipe import Recipe
from imageplane.jobs.bulk.run import BulkRun
from imageplane.jobs.bulk.source import Source
from imageplane.request import TransformRequest
from imageplane.settings import Settings
from imageplane.sources.room import Room
from imageplane.sources.url import Fetcher
from imageplane.transform import Transformer, options_of, outfit_of

_MANIFEST: Final = ".jsonl"


@dataclass(frozen=True, slots=True)
class Call:
    """One call of the command.

    Takes: `keys`, the store that keys of items are looked up in.
    """

    settings: Settings
    recipe: Recipe
    source: Source
    keys: Blobs | None
    destination: Blobs
    is_thorough: bool

    @classmethod
    def of(  # noqa: PLR0913 - these are the arguments of the command
        cls, settings: Settings, raw: Any, source: str, to: str, store: str | None, *, is_thorough: bool
    ) -> Self:
        """Read what the command was given.

        Errors: invalid_request, invalid_settings, typer.BadParameter.
        """
        recipe = Recipe.of(TransformRequest.parse(raw, settings.limits), options_of(settings))
        keys = Place.of(store).blobs("--from") if store is not None else None
        taken, keys = _source(source, Place.of(to), keys)
        return cls(settings, recipe, taken, keys, Place.of(to).blobs("--to"), is_thorough)

    def run(self, report: Path | None) -> int:
        """Do it, and give the exit code. Errors: typer.BadParameter."""
        for warning in self.recipe.request.warnings:
            typer.echo(f"warning: {warning}", err=True)
        with (
            _opened(report) as file,
            Display(file) as display,
            Pool.of(self.settings.engine, outfit_of(self.settings)) as pool,
        ):
            return asyncio.run(self._run(pool, display))

    async def _run(self, pool: Pool, display: Display) -> int:
        room = Room(self.settings.admission.memory_in_bytes)
        most_in_bytes = self.settings.limits.max_source_in_bytes
        with tempfile.TemporaryDirectory(prefix="imageplane-") as spool:
            async with Fetcher(self.settings.sources, most_in_bytes, room=room) as fetcher:
                reader = Reader(self.settings.limits.of_a_source, fetcher, self.keys, room, Path(spool))
                work = BulkRun(self.source, self._bench(reader, pool), display)
                display.show(work.tally)
                try:
                    number = await _stopped_by(work, display)
                except (Conflict, Busy) as error:
                    display.say(f"Error: {told(error)}")
                    return FAILED
        display.summarize(work, is_interrupted=number is not None)
        if number is not None:
            return 128 + number
        return FAILED if work.tally.failed or work.trouble or self.source.passed.unreadable else 0

    def _bench(self, reader: Reader, pool: Pool) -> Bench:
        return Bench(
            self.recipe,
            reader,
            Transformer(pool, options_of(self.settings)),
            self.destination,
            Journal(self.destination),
            # Notes of a later run come behind those of an earlier one.
            f"{time.time_ns() // 1_000_000:013}{secrets.token_hex(4)}",
            self.settings.engine.count,
            is_thorough=self.is_thorough,
        )


def _source(text: str, to: Place, keys: Blobs | None) -> tuple[Source, Blobs | None]:
    """Give the source, and the store that its keys are in."""
    if text.endswith(_MANIFEST) and Path(text).is_file():
        return Manifest(Path(text), has_store=keys is not None), keys
    place = Place.of(text)
    if place.overlaps(to):
        message = "source and destination lie within one another, so outputs would be taken for images"
        raise typer.BadParameter(message, param_hint="--to")
    if place.folder is None:
        blobs = place.blobs("SOURCE")
        return Bucket(blobs), blobs
    if not place.folder.is_dir():
        message = f"{text!r} is no folder, no address of a store, and no manifest, a file that ends with {_MANIFEST}"
        raise typer.BadParameter(message, param_hint="SOURCE")
    return Folder(place.folder), keys


@contextlib.contextmanager
def _opened(report: Path | None) -> Iterator[IO[str] | None]:
    if report is None:
        yield None
        return
    try:
        file = report.open("w", encoding="utf-8", buffering=1)
    except OSError as error:
        raise typer.BadParameter(f"{report} can't be written: {reason(error)}", param_hint="--report") from None
    with file:
        yield file


async def _stopped_by(work: BulkRun, display: Display) -> int | None:
    """Run to the end, or until a signal, and give its number; a second signal ends what has begun, too."""
    loop, task = asyncio.get_running_loop(), asyncio.create_task(work.run())
    numbers: list[int] = []

    def stop(number: int) -> None:
        if numbers:
            task.cancel()
        else:
            display.say("Finishing what has begun; a second signal ends it at once.")
            work.bench.stopping.set()
        numbers.append(number)

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop, number)
    try:
        await asyncio.wait({task})
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)
    if not task.cancelled():
        task.result()
    return numbers[0] if numbers else None
