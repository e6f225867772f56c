"""Bulk runs without engines: pictures that say what they were made of, and stores that die in the middle of a run."""

import asyncio
import contextlib
import itertools
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from imageplane.blobs import Blobs
from imageplane.blobs.store import Entry
from imageplane.codecs.header import Header
from imageplane.errors import ImageplaneError
from imageplane.jobs.bulk.bucket import Bucket
from imageplane.jobs.bulk.chunk import Bench
from imageplane.jobs.bulk.journal import Journal
from imageplane.jobs.bulk.lock import Holder, Lock
from imageplane.jobs.bulk.outcome import Outcome
from imageplane.jobs.bulk.reader import Reader
from imageplane.jobs.bulk.recipe import Recipe
from imageplane.jobs.bulk.run import BulkRun
from imageplane.limits import Limits
from imageplane.pipeline import Options, Picture
from imageplane.pixels.geometry import Size
from imageplane.request import TransformRequest
from imageplane.sources.url import Fetcher
from imageplane.transform import Result

# No machine has so many processes.
DEAD = 2**22 + 1


class Killed(BaseException):
    """What a process feels of a kill: nothing, and so nothing here may catch it."""


@dataclass
class Destination:
    """A store in memory that outlives its runs.

    Takes: `dies_at`, the number of the operation at which the process that uses it is killed, `is_done_first` when that
    operation still reaches the store; `failing`, what the next puts of outputs come to.
    Gives: `kept`, everything; `puts` of outputs, by name; `twice`, those that lay there already, byte for byte.
    """

    kept: dict[str, bytes] = field(default_factory=dict)
    dies_at: int | None = None
    is_done_first: bool = False
    operations: int = 0
    failing: list[ImageplaneError] = field(default_factory=list)
    puts: Counter[str] = field(default_factory=Counter)
    twice: list[str] = field(default_factory=list)

    @property
    def outputs(self) -> dict[str, bytes]:
        return {name: data for name, data in self.kept.items() if not name.startswith(".imageplane")}

    async def put(self, name: str, data: bytes, _mime_type: str | None = None) -> None:
        async with self._lived_through():
            if not name.startswith(".imageplane"):
                if self.failing:
                    raise self.failing.pop(0)
                self.puts[name] += 1
                self.twice += [name] if self.kept.get(name) == data else []
            self.kept[name] = data

    async def create(self, name: str, data: bytes) -> bool:
        async with self._lived_through():
            return self.kept.setdefault(name, data) is data

    async def get(self, name: str) -> bytes | None:
        async with self._lived_through():
            return self.kept.get(name)

    async def head(self, name: str) -> Entry | None:
        async with self._lived_through():
            return self._entry(name) if name in self.kept else None

    async def delete(self, *names: str) -> None:
        for name in names:
            async with self._lived_through():
                self.kept.pop(name, None)

    async def entries(self, folder: str) -> list[Entry]:
        async with self._lived_through():
            return [self._entry(name) for name in self.kept if name.startswith(f"{folder}/")]

    async def folders(self, name: str) -> list[str]:
        found = (entry.name.removeprefix(f"{name}/") for entry in await self.entries(name))
        return sorted({f"{name}/{rest.partition('/')[0]}" for rest in found if "/" in rest})

    async def delete_folder(self, name: str) -> None:
        # Object by object, so that a kill can hit in between.
        await self.delete(*(entry.name for entry in await self.entries(name)))

    async def clear_remains(self, _name: str) -> None:
        return

    @contextlib.asynccontextmanager
    async def _lived_through(self) -> AsyncIterator[None]:
        number, self.operations = self.operations, self.operations + 1
        if self._is_dead(number) and not (number == self.dies_at and self.is_done_first):
            raise Killed
        # Others come in between, as with a real store.
        await asyncio.sleep(0)
        yield
        if self._is_dead(number):
            raise Killed

    def _is_dead(self, number: int) -> bool:
        return self.dies_at is not None and number >= self.dies_at

    def _entry(self, name: str) -> Entry:
        return Entry(name, len(self.kept[name]), datetime.now(tz=UTC), "")


@dataclass
class Engines:
    """In place of a transformer: every picture is a line that says of what and how it was made.

    Gives: `orders`, how many there were.
    """

    orders: int = 0
    errors: dict[bytes, list[ImageplaneError]] = field(default_factory=dict)

    def transform(self, source: bytes | Path, request: TransformRequest, **_: Any) -> "Future[Result]":
        data = source if isinstance(source, bytes) else source.read_bytes()
        self.orders += 1
        future: Future[Result] = Future()
        if self.errors.get(data):
            future.set_exception(self.errors[data].pop(0))
            return future
        pictures = tuple(
            Picture(each.name, picture_of(data, replace(request, outputs=(each,))), "webp", 1, 1)
            for each in request.outputs
        )
        header = Header("jpeg", Size(1, 1), len(data))
        future.set_result(Result(header, pictures, request.warnings, {}, {}))
        return future


def picture_of(data: bytes, request: TransformRequest) -> bytes:
    return data + b" as " + request.canonical.encode()


@dataclass
class Ear:
    """A watcher that forgets nothing. Takes: `patience`, after so many outcomes it stops the run."""

    patience: int | None = None
    run: BulkRun | None = None
    outcomes: list[Outcome] = field(default_factory=list)
    sentences: list[str] = field(default_factory=list)

    def hear(self, outcome: Outcome) -> None:
        self.outcomes.append(outcome)
        if len(self.outcomes) == self.patience and self.run is not None:
            self.run.bench.stopping.set()

    def say(self, sentence: str) -> None:
        self.sentences.append(sentence)


def recipe_of(*widths: int) -> Recipe:
    """Give a recipe with an output `w<number>` of each width; a width of 10·n + x is another recipe for w<n>."""
    outputs = [
        {
            "name": f"w{width // 10}",
            "operations": [{"type": "resize", "width_in_px": width, "height_in_px": 9, "fit": "fill"}],
        }
        for width in widths
    ]
    return Recipe.of(TransformRequest.parse({"outputs": outputs}), Options())


_RUNS: Iterator[int] = itertools.count()


@dataclass
class Plant:
    """A source store, a destination and engines, for any number of runs."""

    sources: Blobs = field(default_factory=lambda: Blobs.at("memory:///", Path()))
    destination: Destination = field(default_factory=Destination)
    engines: Engines = field(default_factory=Engines)
    chunk_size: int = 4

    def add(self, **files: bytes) -> None:
        asyncio.run(self._add(files))

    async def _add(self, files: dict[str, bytes]) -> None:
        for name, data in files.items():
            await self.sources.put(f"{name}.jpg", data)

    def remove(self, *names: str) -> None:
        asyncio.run(self.sources.delete(*(f"{name}.jpg" for name in names)))

    def run(self, recipe: Recipe, **options: Any) -> tuple[BulkRun, Ear]:
        """Run to the end. Errors: Killed."""
        ear = Ear()
        try:
            return asyncio.run(self.work(recipe, ear, **options)), ear
        except BaseExceptionGroup as group:
            if group.split(Killed)[1] is None:
                raise Killed from None
            raise

    async def work(self, recipe: Recipe, ear: Ear, **options: Any) -> BulkRun:
        from imageplane.settings import SourcesSettings  # noqa: PLC0415

        async with Fetcher(SourcesSettings(), 1000) as fetcher:
            destination: Any = self.destination
            transformer: Any = self.engines
            bench = Bench(
                recipe,
                Reader(Limits(), fetcher, self.sources),
                transformer,
                destination,
                Journal(destination),
                f"{next(_RUNS):013}",
                1,
                pauses_in_s=(0.0, 0.0),
                **options,
            )
            # As if a process had left the lock that is dead by the time of the next run.
            holder = msgspec.structs.replace(Holder.here(bench.run_id), pid=DEAD)
            run = ear.run = BulkRun(Bucket(self.sources), bench, ear, chunk_size=self.chunk_size)
            run.lock = lambda bench: Lock(bench.destination, holder)
            await run.run()
            return run

    def expected(self, recipe: Recipe) -> dict[str, bytes]:
        """Give what has to lie at the destination."""

        async def listed() -> dict[str, bytes]:
            names = [entry.name for page in [p async for p in self.sources.pages()] for entry in page]
            files = {name: await self.sources.get(name) or b"" for name in names}
            return {
                f"{name}.{each.output.name}.webp": picture_of(data, replace(recipe.request, outputs=(each.output,)))
                for name, data in files.items()
                for each in recipe.wanted
            }

        return asyncio.run(listed())
