"""After the storm: are the books exact, are all engines there, is nothing left behind?"""

import contextlib
import time
from dataclasses import dataclass, field
from typing import Any, Final

import psutil

from benchmarks.chaos.storm import CREDIT, GONE, ORGANIZATIONS, Storm
from benchmarks.load.server import Server

# A hold outlives its request by as much as a sweep may take to find it.
_MOST_TO_SETTLE_IN_S: Final = 180.0
_GLANCE_IN_S: Final = 1.0
_END_LIMIT_IN_S: Final = 10.0


@dataclass(frozen=True, slots=True)
class Books:
    """What one organization got and paid. Takes: `balance` as HTTP says it, and the command."""

    organization: str
    pictures: int
    requests: int
    credits: float
    balance: float
    balance_at_command: float

    @property
    def fault(self) -> str | None:
        """Give what does not add up."""
        if (
            self.balance != self.balance_at_command
            or self.balance + self.credits != CREDIT
            or (self.requests != self.credits)
        ):
            return f"the books of {self.organization} contradict themselves: {self}"
        # Who hangs up may have been charged for a picture that was made and not seen.
        if self.credits != self.pictures and self.organization != GONE:
            return f"{self.organization} paid {self.credits:g} credits for {self.pictures} pictures"
        return None


@dataclass(slots=True)
class Settled:
    """What was found after the storm."""

    books: list[Books] = field(default_factory=list)
    settled_after_in_s: float = 0.0
    engines: int = 0
    wanted_engines: int = 0
    zombies: int = 0
    files_open: tuple[int, int] = (0, 0)
    metrics: dict[str, float] = field(default_factory=dict)
    is_alive: bool = False
    exit_code: int | None = None
    faults: list[str] = field(default_factory=list)
    _processes: list[psutil.Process] = field(default_factory=list)

    def check_end(self, server: Server) -> None:
        """Look once the server was asked to end: did it in peace, and all engines with it?"""
        with contextlib.suppress(psutil.Error):
            self.exit_code = server.process.wait(_END_LIMIT_IN_S)
        if self.exit_code != 0:
            self.faults.append(f"the server ended with exit code {self.exit_code}")
        _, alive = psutil.wait_procs(self._processes, _END_LIMIT_IN_S)
        if alive:
            self.faults.append(f"{len(alive)} engines outlived the server")


def settle(storm: Storm) -> Settled:
    """Wait until all is quiet, and look."""
    server, settled = storm.server, Settled(wanted_engines=storm.server.engine_count)
    settled.is_alive = server.process.is_running() and server.process.status() != psutil.STATUS_ZOMBIE
    if not settled.is_alive:
        settled.faults.append(f"the server is dead: {server.log.read_text(errors='replace')[-500:]}")
        return settled
    started = time.monotonic()
    while time.monotonic() < started + _MOST_TO_SETTLE_IN_S:
        settled.books = [_books(storm, name) for name in ORGANIZATIONS]
        settled.settled_after_in_s = round(time.monotonic() - started, 1)
        if server.is_ready() and not any(books.fault for books in settled.books):
            break
        time.sleep(_GLANCE_IN_S)
    settled.faults += [books.fault for books in settled.books if books.fault]
    _count_processes(server, settled)
    settled.metrics = server.metrics()
    return settled


def _books(storm: Storm, name: str) -> Books:
    key = storm.keys[name]
    requests, spent = storm.server.charged(key)
    account: Any = storm.server.account(key)
    at_command = storm.server.balances()[name]
    return Books(name, storm.answered[name], requests, spent, account["credits"], at_command)


def _count_processes(server: Server, settled: Settled) -> None:
    children = server.process.children(recursive=True)
    settled.zombies = sum(child.status() == psutil.STATUS_ZOMBIE for child in children)
    settled.engines = len(children) - settled.zombies
    settled._processes = children
    if settled.engines != settled.wanted_engines or settled.zombies:
        settled.faults.append(f"{settled.engines} engines of {settled.wanted_engines}, {settled.zombies} zombies")
