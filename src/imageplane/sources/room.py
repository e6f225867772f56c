"""The memory that bodies and files take up while requests wait and are worked on: bounded, and shared fairly."""

import asyncio
import contextlib
import math
from collections import deque
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from typing import Final

# What one tenant can't fill, so that another need not wait until it has emptied it.
_MOST_FOR_ONE: Final = 0.75
# What lies above the room for those who are inside and turn out to be larger: they can't wait behind those outside.
_KEPT_BACK: Final = 0.25


@dataclass(slots=True)
class Share:
    """A part of a room that somebody holds."""

    room: "Room"
    tenant: str
    size_in_bytes: int

    def shrink(self, size_in_bytes: int) -> None:
        """Give back what is more than this."""
        if size_in_bytes < self.size_in_bytes:
            unneeded, self.size_in_bytes = self.size_in_bytes - size_in_bytes, size_in_bytes
            self.room.give_back(unneeded, self.tenant)

    def grow(self, size_in_bytes: int) -> bool:
        """Take more at once, of what is kept back for those who are inside; tells whether there was so much."""
        more = max(0, size_in_bytes - self.size_in_bytes)
        has_grown = self.room.take_of_the_rest(more, self.tenant)
        self.size_in_bytes += more if has_grown else 0
        return has_grown


@dataclass(slots=True)
class _Guest:
    size_in_bytes: int
    admitted: asyncio.Future[None]


@dataclass(slots=True)
class _Tenant:
    held_in_bytes: int = 0
    guests: deque[_Guest] = field(default_factory=deque)


class Room:
    """So many bytes, and a queue in front of them; used in one event loop.

    Of the tenants that wait, the one that holds least comes first. What is larger than the room is let in alone.
    """

    def __init__(self, size_in_bytes: float = math.inf) -> None:
        self._size_in_bytes = size_in_bytes
        self._held_in_bytes = 0
        self._tenants: dict[str, _Tenant] = {}
        # Files that several requests share, by identity: how many hold each, and who was the first.
        self._files: dict[int, tuple[int, str]] = {}

    @property
    def held_in_bytes(self) -> int:
        return self._held_in_bytes

    @property
    def guests(self) -> dict[str, int]:
        """How many wait, by tenant."""
        return {name: len(tenant.guests) for name, tenant in self._tenants.items() if tenant.guests}

    @contextlib.asynccontextmanager
    async def reserved(self, size_in_bytes: int, tenant: str) -> AsyncIterator["Share"]:
        """Wait until there is room for so many bytes, and keep it until the end of the block."""
        await self._enter(size_in_bytes, tenant)
        share = Share(self, tenant, size_in_bytes)
        try:
            yield share
        finally:
            share.shrink(0)

    @contextlib.contextmanager
    def holding(self, file: bytes, tenant: str) -> Iterator[None]:
        """Count a file that is here already until the end of the block; once, however many requests hold it."""
        holders, first = self._files.get(id(file), (0, tenant))
        if not holders:
            self._take(len(file), first)
        self._files[id(file)] = (holders + 1, first)
        try:
            yield
        finally:
            holders, first = self._files.pop(id(file))
            if holders > 1:
                self._files[id(file)] = (holders - 1, first)
            else:
                self.give_back(len(file), first)

    async def _enter(self, size_in_bytes: int, name: str) -> None:
        tenant = self._tenants.setdefault(name, _Tenant())
        if not tenant.guests and self._fits(size_in_bytes, tenant):
            self._take(size_in_bytes, name)
            return
        guest = _Guest(size_in_bytes, asyncio.get_running_loop().create_future())
        tenant.guests.append(guest)
        try:
            await guest.admitted
        except asyncio.CancelledError:
            if guest.admitted.done() and not guest.admitted.cancelled():
                self.give_back(size_in_bytes, name)
            else:
                tenant.guests.remove(guest)
                self._admit()
            raise

    def _fits(self, size_in_bytes: int, tenant: _Tenant) -> bool:
        has_share = tenant.held_in_bytes + size_in_bytes <= _MOST_FOR_ONE * self._size_in_bytes
        has_room = self._held_in_bytes + size_in_bytes <= self._size_in_bytes
        return (has_room and has_share) or not self._held_in_bytes or (has_room and not tenant.held_in_bytes)

    def take_of_the_rest(self, size_in_bytes: int, name: str) -> bool:
        """Take note that a tenant holds so much more, if it can."""
        if self._held_in_bytes + size_in_bytes > (1 + _KEPT_BACK) * self._size_in_bytes:
            return False
        self._take(size_in_bytes, name)
        return True

    def _take(self, size_in_bytes: int, name: str) -> None:
        self._tenants.setdefault(name, _Tenant()).held_in_bytes += size_in_bytes
        self._held_in_bytes += size_in_bytes

    def give_back(self, size_in_bytes: int, name: str) -> None:
        """Take note that a tenant holds so much less."""
        # What holds nothing is not kept in mind.
        tenant = self._tenants.setdefault(name, _Tenant())
        tenant.held_in_bytes -= size_in_bytes
        self._held_in_bytes -= size_in_bytes
        self._admit()

    def _admit(self) -> None:
        waiting = [(name, tenant) for name, tenant in self._tenants.items() if tenant.guests]
        for name, tenant in sorted(waiting, key=lambda each: each[1].held_in_bytes):
            while tenant.guests and self._fits(tenant.guests[0].size_in_bytes, tenant):
                guest = tenant.guests.popleft()
                self._take(guest.size_in_bytes, name)
                guest.admitted.set_result(None)
        for name in [name for name, tenant in self._tenants.items() if not tenant.guests and not tenant.held_in_bytes]:
            del self._tenants[name]
