"""A whole bulk run: items are streamed and cut into chunks, chunks are worked on, a few at a time."""

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Protocol

from imageplane.errors import Conflict, ImageplaneError, RequestError
from imageplane.jobs.bulk.chunk import Bench, ChunkRun
from imageplane.jobs.bulk.chunks import MEAN, Chunk, cut
from imageplane.jobs.bulk.lock import Holder, Lock
from imageplane.jobs.bulk.notes import DestinationGone
from imageplane.jobs.bulk.outcome import Outcome
from imageplane.jobs.bulk.source import Source
from imageplane.jobs.bulk.tally import Tally

# Those whose items are handed out, those that read their records ahead, and those that wait to try something again.
_OPEN_CHUNKS: Final = 16


class Watcher(Protocol):
    """Whoever wants to know how a run goes."""

    def hear(self, outcome: Outcome) -> None:
        """Hear what became of an item."""

    def say(self, sentence: str) -> None:
        """Hear something that a person should know."""


@dataclass(slots=True)
class BulkRun:
    """One run of a source through a recipe.

    Takes: `chunk_size` in the mean; a run with another one finds little of what was made before.
    Gives: `trouble`, what ended it early, if anything did.
    """

    source: Source
    bench: Bench
    watcher: Watcher
    tally: Tally = field(default_factory=Tally)
    trouble: ImageplaneError | None = None
    chunk_size: int = MEAN
    lock: Callable[[Bench], Lock] = lambda bench: Lock(bench.destination, Holder.here(bench.run_id))

    async def run(self) -> None:
        """Do it, or as much of it as is possible until `bench.stopping` is set.

        Errors: conflict, busy and invalid_request, all before anything is done.
        """
        if self.source.is_checked_first:
            self.tally.total = await self.source.count()
        async with self.lock(self.bench).held(self.watcher.say) as lock:
            await self._take_over()
            watching = [asyncio.create_task(work) for work in (self._count(), self._stop_when_lost(lock))]
            try:
                await self._work()
                if not self.bench.stopping.is_set():
                    self.tally.total = self.tally.seen
            finally:
                for task in watching:
                    task.cancel()
                await asyncio.wait(watching)

    async def _take_over(self) -> None:
        recovered = await self.bench.journal.recover()
        if recovered:
            self.watcher.say(
                f"An earlier run ended in the middle; outputs of its last chunks that are kept: {recovered:,}."
            )
        renewed = await self.bench.journal.claim(self.bench.recipe)
        if renewed:
            self.watcher.say(f"Made anew, because it was made in another way before: {', '.join(renewed)}.")

    async def _count(self) -> None:
        # Nothing depends on it.
        with contextlib.suppress(ImageplaneError, OSError):
            if self.tally.total is None:
                self.tally.total = await self.source.count()

    async def _stop_when_lost(self, lock: Lock) -> None:
        await lock.lost.wait()
        self._end(Conflict("Another run has taken over this destination, or it could not be reached for too long."))

    async def _work(self) -> None:
        slots = asyncio.Semaphore(_OPEN_CHUNKS)
        async with (
            asyncio.TaskGroup() as group,
            contextlib.aclosing(cut(self.source.items(), self.chunk_size)) as chunks,
        ):
            try:
                async for chunk in chunks:
                    await slots.acquire()
                    if self.bench.stopping.is_set():
                        break
                    group.create_task(self._chunk(chunk, slots))
            except ImageplaneError as error:
                self._end(error)
            except OSError as error:
                reason = (error.strerror or "unknown reason").lower()
                self._end(RequestError(f"The source can't be read any further: {reason}."))

    async def _chunk(self, chunk: Chunk, slots: asyncio.Semaphore) -> None:
        try:
            await ChunkRun(self.bench, chunk, self._hear).run()
        except DestinationGone as gone:
            self._end(gone.error)
        finally:
            slots.release()

    def _hear(self, outcome: Outcome) -> None:
        self.tally.add(outcome)
        self.watcher.hear(outcome)

    def _end(self, trouble: ImageplaneError) -> None:
        self.trouble = self.trouble or trouble
        self.bench.stopping.set()
