"""The work on one chunk: what is left to do of it is made, put and recorded."""

import asyncio
import contextlib
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from imageplane.blobs import Blobs
from imageplane.errors import ImageplaneError, InternalError, MissingSource, UnreachableSource
from imageplane.jobs.bulk.chunks import Chunk
from imageplane.jobs.bulk.items import Item, digest_of
from imageplane.jobs.bulk.journal import Intent, Journal, Past, Put, entry_of, is_of, suffix_of
from imageplane.jobs.bulk.notes import DestinationGone, Notes, insisted
from imageplane.jobs.bulk.outcome import Outcome
from imageplane.jobs.bulk.reader import Reader
from imageplane.jobs.bulk.recipe import Recipe
from imageplane.pipeline import Picture
from imageplane.transform import Result, Transformer

# How long what failed, and may not fail again, waits for its next try; no engine waits for it.
PAUSES_IN_S: Final = (1.0, 4.0)
# Beside an organization that waits for its replies: a back-fill has time, but it goes on.
WEIGHT: Final = 0.1
# Enough for an engine to find the next item at hand.
_IN_LINE_PER_ENGINE: Final = 3


@dataclass(slots=True)
class Bench:
    """What the chunks of a run share.

    Takes: `engines`, how many there are; `beside`, how many items may be read or put beside those in line for them;
    `tenant`, who takes turns with others; `is_thorough`, whether outputs that were made before are looked for.
    Gives: `stopping`, which ends work once what has begun is finished.
    """

    recipe: Recipe
    reader: Reader
    transformer: Transformer
    destination: Blobs
    journal: Journal
    run_id: str
    engines: int
    beside: int = 32
    tenant: str = ""
    is_thorough: bool = False
    pauses_in_s: Sequence[float] = PAUSES_IN_S
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    # One chunk at a time hands out its items, so that few are begun at once.
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    line: asyncio.Semaphore = field(init=False)
    begun: asyncio.Semaphore = field(init=False)

    def __post_init__(self) -> None:
        in_line = _IN_LINE_PER_ENGINE * self.engines
        self.line = asyncio.Semaphore(in_line)
        self.begun = asyncio.Semaphore(in_line + self.beside)


class _NotBegun(Exception):
    """The run was stopped before an engine took the item."""


class ChunkRun:
    """One chunk from its records to its records.

    Takes: `tell`, which hears what became of each item; not of those that were not begun when the run was stopped.
    """

    def __init__(self, bench: Bench, chunk: Chunk, tell: Callable[[Outcome], None]) -> None:
        self._bench = bench
        self._chunk = chunk
        self._tell = tell
        self._notes = Notes(bench.journal, chunk, bench.run_id)
        self._pasts: dict[str, Past] = {}
        self._gone: DestinationGone | None = None

    async def run(self) -> None:
        """Do what is left of the chunk. Errors: DestinationGone."""
        digests = [each.digest for each in self._bench.recipe.wanted]
        pasts = await asyncio.gather(
            *(insisted(partial(self._bench.journal.past, digest, self._chunk)) for digest in digests)
        )
        self._pasts = dict(zip(digests, pasts, strict=True))
        todo = [item for item in self._chunk.items if not self._is_skipped(item)]
        for tries, pause_in_s in enumerate((*self._bench.pauses_in_s, None), 1):
            todo = await self._round(todo, tries, is_last=pause_in_s is None)
            if not todo or pause_in_s is None or self._bench.stopping.is_set():
                break
            # Whoever is overrun is not asked again by everybody at the same time.
            await self._pause(pause_in_s * random.uniform(0.5, 1.5))  # noqa: S311 - no secret
        await self._finish()

    def _is_skipped(self, item: Item) -> bool:
        if not item.identity or self._bench.is_thorough or self._made_before(item) < self._digests:
            return False
        self._tell(Outcome(item, "skipped"))
        return True

    @property
    def _digests(self) -> set[str]:
        return set(self._pasts)

    def _made_before(self, item: Item) -> set[str]:
        identity = digest_of(item.identity)
        return {digest for digest, past in self._pasts.items() if is_of(past.entries.get(item.key), identity)}

    async def _round(self, todo: Sequence[Item], tries: int, *, is_last: bool) -> list[Item]:
        """Try every item once, and give those that are worth another try."""
        again: list[Item] = []
        async with asyncio.TaskGroup() as group, self._bench.turn:
            for item in todo:
                await self._bench.begun.acquire()
                if self._bench.stopping.is_set() or self._gone:
                    self._bench.begun.release()
                    break
                group.create_task(self._try(item, tries, None if is_last else again))
        if self._gone:
            raise self._gone
        return again

    async def _try(self, item: Item, tries: int, again: list[Item] | None) -> None:
        try:
            self._tell(await self._done(item, tries))
        except _NotBegun:
            return
        except DestinationGone as gone:
            self._gone = gone
        except Exception as error:
            if again is not None and _may_pass(error):
                again.append(item)
                return
            known = error if isinstance(error, ImageplaneError) else None
            trouble = known or InternalError("Something went wrong here.", detail=repr(error))
            self._tell(Outcome(item, "failed", trouble, tries))
        finally:
            self._bench.begun.release()

    async def _done(self, item: Item, tries: int) -> Outcome:
        item = await self._bench.reader.identified(item)
        if self._bench.is_thorough:
            await self._look_for_outputs(item)
        made = self._made_before(item)
        if made == self._digests:
            return Outcome(item, "skipped")
        request = self._bench.recipe.without(made)
        async with self._bench.reader.opened(item) as source, self._bench.line:
            if self._bench.stopping.is_set():
                raise _NotBegun
            work = self._bench.transformer.transform(source, request, tenant=self._bench.tenant, weight=WEIGHT)
            result = await asyncio.wrap_future(work)
        await self._put(item, result)
        return Outcome(item, "made", tries=tries, warnings=result.warnings[len(request.warnings) :])

    async def _put(self, item: Item, result: Result) -> None:
        recipe = self._bench.recipe
        files = [(recipe.digest_of(each), recipe.file_of(item.name, each), each) for each in result.pictures]
        puts = tuple(Put.of(digest, file, picture.data) for digest, file, picture in files)
        identity = digest_of(item.identity)
        now_in_us = time.time_ns() // 1000
        await self._notes.add(Intent(item.key, identity, now_in_us, puts))
        done = await asyncio.gather(*(self._put_one(file, picture) for _, file, picture in files))
        for (digest, file, _), trouble in zip(files, done, strict=True):
            if trouble is None:
                self._pasts[digest].entries[item.key] = entry_of(identity, now_in_us, file)
        for trouble in filter(None, done):
            raise trouble

    async def _put_one(self, file: str, picture: Picture) -> ImageplaneError | None:
        try:
            await self._bench.destination.put(file, picture.data, picture.mime_type)
        except ImageplaneError as error:
            return error
        return None

    async def _look_for_outputs(self, item: Item) -> None:
        """Forget what was made and is there no more."""
        for wanted in self._bench.recipe.wanted:
            entries = self._pasts[wanted.digest].entries
            entry = entries.get(item.key)
            if entry is None:
                continue
            file = self._bench.recipe.file_named(item.name, wanted.output.name, suffix_of(entry))
            if await self._bench.destination.head(file) is None:
                del entries[item.key]

    async def _pause(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._bench.stopping.wait()

    async def _finish(self) -> None:
        for digest, past in self._pasts.items():
            await insisted(partial(self._bench.journal.finish, digest, self._chunk, past))
        if self._notes.has_any:
            await insisted(partial(self._bench.journal.forget_notes, self._chunk.id))


def _may_pass(error: Exception) -> bool:
    if isinstance(error, UnreachableSource):
        return not isinstance(error, MissingSource)
    return isinstance(error, ImageplaneError) and error.retryable
