"""The notes of one chunk while it is worked on: what is about to be put, written down before it is."""

import asyncio
import contextlib
import itertools
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from typing import Final, TypeVar

from imageplane.errors import Busy
from imageplane.jobs.bulk.chunks import Chunk
from imageplane.jobs.bulk.journal import Intent, Journal

# Items that are ready within so long of each other share a note, until there are so many.
_GATHERS_FOR_IN_S: Final = 0.1
_MOST_TOGETHER: Final = 16
_PAUSES_IN_S: Final = (0.5, 2.0, 8.0)

_T = TypeVar("_T")


class DestinationGone(Exception):
    """Nothing can be kept at the destination any more; the run ends, and can be resumed."""

    def __init__(self, error: Busy) -> None:
        super().__init__(error.message)
        self.error = error


@dataclass(slots=True)
class Notes:
    """Notes that are written together: whoever adds one while another is being written shares the next.

    Takes: `run_id`, so that no run writes over the notes of another.
    """

    journal: Journal
    chunk: Chunk
    run_id: str
    has_any: bool = False
    _waiting: list[Intent] = field(default_factory=list)
    _writing: "asyncio.Task[None] | None" = None
    _is_full: asyncio.Event = field(default_factory=asyncio.Event)
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    async def add(self, intent: Intent) -> None:
        """Write a note; when this returns it is kept. Errors: DestinationGone."""
        self._waiting.append(intent)
        if self._writing is None:
            self._writing = asyncio.create_task(self._write())
        if len(self._waiting) >= _MOST_TOGETHER:
            self._is_full.set()
        # Who leaves takes nobody's note along.
        await asyncio.shield(self._writing)

    async def _write(self) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_GATHERS_FOR_IN_S):
                await self._is_full.wait()
        async with self._turn:
            self._is_full.clear()
            intents, self._waiting, self._writing = self._waiting, [], None
            number = f"{self.run_id}-{next(self._numbers):08}"
            self.has_any = True
            await insisted(lambda: self.journal.note(self.chunk, number, tuple(intents)))


async def insisted(ask: Callable[[], Awaitable[_T]]) -> _T:
    """Read or write something that the run can't go on without, trying for a while. Errors: DestinationGone."""
    for pause_in_s in _PAUSES_IN_S:
        try:
            return await ask()
        except Busy:
            await asyncio.sleep(pause_in_s)
    try:
        return await ask()
    except Busy as error:
        raise DestinationGone(error) from error
