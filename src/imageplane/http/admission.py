"""Who may come in, and when: a request waits unread for room, or learns at once that there is none."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Final

from imageplane.deadline import Deadline
from imageplane.engine.forecast import Forecast
from imageplane.engine.line import Crowd
from imageplane.errors import Busy
from imageplane.sources.room import Room

# The body, and the file inside it.
_COPIES: Final = 2
# How quickly requests leave, until it has been seen.
_FIRST_GUESS_IN_S: Final = 0.05
_WEIGHT_OF_THE_LAST: Final = 0.05


class Admission:
    """The door of the work: bounded memory, fair between organizations, honest about the wait.

    Takes: the `room` that bodies and files share; `crowd`, which tells how long one of an organization's small jobs
    would wait for an engine now.
    """

    def __init__(self, room: Room, crowd: Callable[[str], Crowd], max_body_in_bytes: int) -> None:
        self.room = room
        self._crowd = crowd
        self._max_body_in_bytes = max_body_in_bytes
        self._forecast = Forecast()
        self._gap_in_s = _FIRST_GUESS_IN_S
        self._left_at: float | None = None

    @contextlib.asynccontextmanager
    async def entered(self, organization_id: str, body_in_bytes: int | None, deadline: Deadline) -> AsyncIterator[None]:
        """Wait for room for a body, of unknown size where it is None, and keep it until the end of the block.

        Errors: busy, at once when its turn would come too late, and when it has.
        """
        self._refuse_what_is_in_vain(organization_id, deadline)
        size_in_bytes = self._max_body_in_bytes if body_in_bytes is None else body_in_bytes
        if size_in_bytes > self._max_body_in_bytes:
            # Nothing of it will be read.
            size_in_bytes = 0
        async with contextlib.AsyncExitStack() as stack:
            try:
                async with asyncio.timeout(deadline.remaining_in_s):
                    await stack.enter_async_context(self.room.reserved(_COPIES * size_in_bytes, organization_id))
            except TimeoutError:
                raise _busy(self._gap_in_s) from None
            yield

    @contextlib.contextmanager
    def counted(self) -> Iterator[None]:
        """Learn from the end of a request how quickly they leave."""
        try:
            yield
        finally:
            self._learn(time.monotonic())

    def wait_in_s(self, organization_id: str) -> float:
        """Give how long an organization's next request would wait, at the door and then for an engine."""
        guests = self.room.guests
        own_turns = guests.get(organization_id, 0) * len({*guests, organization_id})
        at_the_door_in_s = self._gap_in_s * min(sum(guests.values()), own_turns)
        return at_the_door_in_s + self._crowd(organization_id).waits_in_s

    def _learn(self, now: float) -> None:
        if self._left_at is not None:
            self._gap_in_s += _WEIGHT_OF_THE_LAST * (now - self._left_at - self._gap_in_s)
        # Where nobody waits, the gap is that between those who come.
        self._left_at = now if self.room.guests else None

    def _refuse_what_is_in_vain(self, organization_id: str, deadline: Deadline) -> None:
        late_in_s = self._forecast.lateness_in_s(self.wait_in_s(organization_id), deadline)
        if late_in_s > 0:
            share_in_s = self._gap_in_s * len({*self.room.guests, organization_id})
            raise _busy(self._forecast.promise_in_s(organization_id, late_in_s, share_in_s))


def _busy(retry_after_in_s: float) -> Busy:
    return Busy("There is too much to do to finish this in time; try again later.", retry_after_in_s=retry_after_in_s)
