"""One run at a time for a destination: a lock that outlives its holder for less than a minute.

The lock is an object that its holder writes again and again. Who finds one watches it: when nothing is written for a
while, its holder is dead. On the same machine that is known at once. No clocks are compared.
"""

import asyncio
import contextlib
import os
import socket
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import msgspec
import psutil

from imageplane.blobs import Blobs
from imageplane.errors import Busy, Conflict
from imageplane.jobs.bulk.journal import ROOT

_PLACE: Final = f"{ROOT}/lock"
_BEATS_EVERY_IN_S: Final = 5.0
_DEAD_AFTER_IN_S: Final = 30.0
_LOOKS_EVERY_IN_S: Final = 1.0


class Holder(msgspec.Struct, frozen=True):
    """Who holds a lock: a process of a machine.

    Takes: `machine`, another after each start of the machine; `started_at`, which tells a process from a later one with
    the same `pid`; `beat`, which is counted on as long as it lives.
    """

    run_id: str
    host: str
    machine: str
    pid: int
    started_at: float
    beat: int = 0

    @classmethod
    def here(cls, run_id: str) -> "Holder":
        """Give this process."""
        return cls(run_id, socket.gethostname(), _machine(), os.getpid(), psutil.Process().create_time())

    @property
    def is_near(self) -> bool:
        """Whether it is a process of this machine, of which can be known whether it lives."""
        return bool(self.machine) and self.machine == _machine()

    @property
    def lives(self) -> bool:
        """Whether a process that is near still lives."""
        with contextlib.suppress(psutil.Error):
            process = psutil.Process(self.pid)
            return process.create_time() == self.started_at and process.status() != psutil.STATUS_ZOMBIE
        return False


@dataclass(slots=True)
class Lock:
    """The lock of a destination, while it is held.

    Gives: `lost`, set when it was taken away or could not be kept alive; then work must stop.
    """

    blobs: Blobs
    holder: Holder
    dead_after_in_s: float = _DEAD_AFTER_IN_S
    beats_every_in_s: float = _BEATS_EVERY_IN_S
    lost: asyncio.Event = field(default_factory=asyncio.Event)

    @contextlib.asynccontextmanager
    async def held(self, tell: Callable[[str], None]) -> AsyncIterator["Lock"]:
        """Hold the lock for a block.

        Takes: `tell`, which hears why one has to wait. Errors: conflict, busy.
        """
        await self._acquire(tell)
        beating = asyncio.create_task(self._beat())
        try:
            yield self
        finally:
            beating.cancel()
            await asyncio.wait({beating})
            with contextlib.suppress(Busy):
                await self._release()

    async def _acquire(self, tell: Callable[[str], None]) -> None:
        while not await self.blobs.create(_PLACE, msgspec.json.encode(self.holder)):
            found = await self.blobs.get(_PLACE)
            if found is None:
                continue
            if _holder_of(found) == self.holder:
                # The store did it, and its answer was lost.
                return
            await self._outlive(found, tell)
            # Who else waited for the same may have been quicker.
            if await self.blobs.get(_PLACE) == found:
                await self.blobs.delete(_PLACE)
        if not await self._is_ours():
            raise Conflict("Another run has just begun with this destination.")

    async def _outlive(self, found: bytes, tell: Callable[[str], None]) -> None:
        """Return when the holder of a lock is dead. Errors: conflict, when it lives."""
        holder = _holder_of(found)
        if holder is not None and holder.is_near:
            if holder.lives:
                raise _locked(holder)
            return
        who = f"on {holder.host}" if holder else "elsewhere"
        tell(f"A run {who} has left a lock or is still at work; looking for {self.dead_after_in_s:g} seconds.")
        until = time.monotonic() + self.dead_after_in_s
        while time.monotonic() < until:
            await asyncio.sleep(min(_LOOKS_EVERY_IN_S, self.dead_after_in_s / 10))
            now = await self.blobs.get(_PLACE)
            if now is None:
                return
            if now != found:
                raise _locked(_holder_of(now))

    async def _beat(self) -> None:
        kept_at = time.monotonic()
        while not self.lost.is_set():
            await asyncio.sleep(self.beats_every_in_s)
            try:
                if not await self._is_ours():
                    break
                self.holder = msgspec.structs.replace(self.holder, beat=self.holder.beat + 1)
                await self.blobs.put(_PLACE, msgspec.json.encode(self.holder))
                kept_at = time.monotonic()
            except Busy:
                # Others may take it for dead soon.
                if time.monotonic() - kept_at > self.dead_after_in_s / 2:
                    break
        self.lost.set()

    async def _is_ours(self) -> bool:
        found = _holder_of(await self.blobs.get(_PLACE) or b"")
        return found is not None and found.run_id == self.holder.run_id

    async def _release(self) -> None:
        if await self._is_ours():
            await self.blobs.delete(_PLACE)


def _holder_of(data: bytes) -> Holder | None:
    with contextlib.suppress(msgspec.DecodeError):
        return msgspec.json.decode(data, type=Holder)
    return None


def _locked(holder: Holder | None) -> Conflict:
    who = f"process {holder.pid} on {holder.host}" if holder else "another process"
    return Conflict(f"Another run works on this destination ({who}); wait for its end, or choose another destination.")


def _machine() -> str:
    """Give a name for this machine since its last start, as far as its processes see each other; or nothing."""
    with contextlib.suppress(OSError):
        return f"{Path('/proc/sys/kernel/random/boot_id').read_text().strip()} {Path('/proc/self/ns/pid').readlink()}"
    return ""
