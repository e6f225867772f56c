"""A simulation of servers by events: requests come, wait at the front and in the line, are done, refused or lost.

Time is a number; the same seed gives the same run. A server is one front, which does one thing at a time, and engines
behind a fair line. Front and engines share the cores: what the front takes makes engines slower by as much.
"""

import heapq
import itertools
import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final, Literal

from benchmarks.scaling.fair_line import FairLine, Order
from imageplane.jobs.bulk.chunk import WEIGHT

# How long a client waits for a machine that is silent, and for one that has told it nothing before it broke off.
_SILENCE_IN_S: Final = 2.0
_BREAK_IN_S: Final = 1.0
_BULK: Final = "back-fill"


@dataclass(frozen=True, slots=True)
class Kind:
    """Requests of one kind. Takes: what engines took over photos, one of which each request has."""

    share: float
    front_in_s: float
    engines_in_s: Sequence[float]


@dataclass(frozen=True, slots=True)
class Demand:
    """What is asked for.

    Takes: `tenants`, of which each asks half as often as the first, a third, and so on; `deadline_in_s` of an attempt.
    """

    kinds: Sequence[Kind]
    tenants: int = 20
    deadline_in_s: float = math.inf

    @property
    def engine_in_s(self) -> float:
        """What the mean request takes of an engine."""
        return sum(kind.share * sum(kind.engines_in_s) / len(kind.engines_in_s) for kind in self.kinds)

    @property
    def front_in_s(self) -> float:
        """What the mean request takes of the front."""
        return sum(kind.share * kind.front_in_s for kind in self.kinds)

    @property
    def pace(self) -> float:
        """Wall-clock time for a second of an engine, where all cores are busy."""
        return (self.front_in_s + self.engine_in_s) / self.engine_in_s

    def full_per_s(self, cores: int) -> float:
        """Give requests a second at which so many cores have not a moment to spare."""
        return cores / (self.front_in_s + self.engine_in_s)


@dataclass(frozen=True, slots=True)
class Cluster:
    """Servers behind a balancer.

    Takes: `engines` of each server; `choice`, by turns or the one with the fewest open requests; `machines`, among
    which servers are dealt out in turn.
    """

    servers: int
    engines: int
    choice: Literal["turns", "fewest"] = "fewest"
    machines: int = 1

    @property
    def cores(self) -> int:
        """All of them."""
        return self.servers * self.engines


@dataclass(frozen=True, slots=True)
class Loss:
    """A machine that is gone at a moment, and is sent no more requests a while later."""

    at: float
    noticed_after_in_s: float = 10.0


@dataclass(frozen=True, slots=True)
class Answer:
    """One request: when it came first, how long it took, and whether its work was heavy."""

    came_at: float
    took_in_s: float
    is_heavy: bool


@dataclass(slots=True)
class Outcome:
    """What came of a run.

    Takes: `came`, requests; `refused`, those that were refused at least once; `broken`, attempts that broke off with
    their machine; `bulk`, images of the back-fill that were done; those that were answered.
    """

    came: int = 0
    refused: int = 0
    broken: int = 0
    bulk: int = 0
    ended_at: float = 0.0
    answered: list[Answer] = field(default_factory=list)

    def took_in_s(self, after: float = 0.0, before: float = math.inf, *, is_heavy: bool | None = None) -> list[float]:
        """Give how long requests took that came within a time, of both kinds of work or of one."""
        among = (answer for answer in self.answered if after <= answer.came_at < before)
        return [answer.took_in_s for answer in among if is_heavy is None or answer.is_heavy is is_heavy]


@dataclass(slots=True)
class _Server:
    line: FairLine
    front_free_at: float = 0.0
    open: set[Order] = field(default_factory=set)
    is_alive: bool = True
    is_known_dead: bool = False


class Simulation:
    """One run. Takes: `bulk`, so many images of a back-fill in each server's line at all times."""

    def __init__(self, cluster: Cluster, demand: Demand, seed: int, *, bulk: int = 0) -> None:
        self._cluster = cluster
        self._demand = demand
        self._random = random.Random(seed)  # noqa: S311 - chance, and no secret
        self._servers = [_Server(FairLine(cluster.engines, demand.pace)) for _ in range(cluster.servers)]
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = itertools.count()
        self._turns = itertools.count()
        self._bulk = bulk
        self._ends_at = math.inf
        self._crowd_left = 0
        self._shares = [kind.share for kind in demand.kinds]
        self._tenants = [f"tenant {number}" for number in range(demand.tenants)]
        self._fame = [1 / (number + 1) for number in range(demand.tenants)]
        self.now = 0.0
        self.outcome = Outcome()

    def stream(self, per_s: float, for_in_s: float, *, together: float = 1.0) -> None:
        """Have requests come at a rate for a time, alone or in swarms of so many in the mean."""
        self._ends_at = for_in_s

        def come() -> None:
            swarm = 1
            while together > 1 and self._random.random() > 1 / together:
                swarm += 1
            for _ in range(swarm):
                self._enter(self._new())
            pause_in_s = self._random.expovariate(per_s / together)
            if self.now + pause_in_s < for_in_s:
                self._after(pause_in_s, come)

        self._after(self._random.expovariate(per_s / together), come)

    def spike(self, requests: int, at_once: int) -> None:
        """Have a crowd come at once; where there are more requests, a caller who was answered sends the next."""
        self._crowd_left = requests - at_once
        for _ in range(at_once):
            self._enter(self._new())

    def lose(self, loss: Loss) -> None:
        """Have the first machine be gone."""
        self._after(loss.at - self.now, partial(self._break, loss))

    def run(self) -> Outcome:
        """Let everything happen, until everybody has been answered."""
        for number in range(len(self._servers)):
            for _ in range(self._bulk):
                self._fill(number)
        while self._events:
            self.now, _, event = heapq.heappop(self._events)
            event()
        self.outcome.ended_at = self.now
        return self.outcome

    def _after(self, seconds: float, event: Callable[[], None]) -> None:
        heapq.heappush(self._events, (self.now + seconds, next(self._numbers), event))

    def _new(self) -> Order:
        (kind,) = self._random.choices(self._demand.kinds, self._shares)
        (tenant,) = self._random.choices(self._tenants, self._fame)
        self.outcome.came += 1
        return Order(tenant, kind.front_in_s, self._random.choice(kind.engines_in_s), self.now)

    def _enter(self, order: Order) -> None:
        """Have a request come to a server, for the first time or again."""
        order.attempts += 1
        order.home = self._chosen()
        server = self._servers[order.home]
        server.open.add(order)
        if not server.is_alive:
            self._after(_SILENCE_IN_S, partial(self._turn_away, order))
            return
        order.due_at = self.now + self._demand.deadline_in_s
        server.front_free_at = max(self.now, server.front_free_at) + order.front_in_s
        self._after(server.front_free_at - self.now, partial(self._line_up, order, order.attempts))

    def _turn_away(self, order: Order) -> None:
        self._servers[order.home].open.discard(order)
        self._enter(order)

    def _chosen(self) -> int:
        known = [number for number, server in enumerate(self._servers) if not server.is_known_dead]
        if self._cluster.choice == "turns":
            return known[next(self._turns) % len(known)]
        # Among equals not always the first.
        shift = next(self._turns) % len(known)
        return min(known[shift:] + known[:shift], key=lambda number: len(self._servers[number].open))

    def _line_up(self, order: Order, attempt: int) -> None:
        server = self._servers[order.home]
        if order.attempts != attempt:
            # Its machine is gone, and it has come elsewhere.
            return
        pause_in_s = server.line.put(order, self.now)
        if pause_in_s is None:
            self._begin(order.home)
            return
        server.open.discard(order)
        self.outcome.refused += not order.refusals
        order.refusals += 1
        self._after(pause_in_s, partial(self._enter, order))

    def _begin(self, number: int) -> None:
        server = self._servers[number]
        while (order := server.line.next(self.now)) is not None:
            self._after(order.engine_in_s * self._demand.pace, partial(self._end, order, order.attempts))

    def _end(self, order: Order, attempt: int) -> None:
        server = self._servers[order.home]
        if order.attempts != attempt or not server.is_alive:
            return
        server.line.finished(order)
        server.open.discard(order)
        if order.tenant == _BULK:
            self.outcome.bulk += 1
            self._fill(order.home)
        else:
            self.outcome.answered.append(Answer(order.came_at, self.now - order.came_at, order.is_heavy))
            if self._crowd_left > 0:
                self._crowd_left -= 1
                self._enter(self._new())
        self._begin(order.home)

    def _fill(self, number: int) -> None:
        """Put the next image of the back-fill into a server's line."""
        if self.now >= self._ends_at:
            return
        (kind,) = self._random.choices(self._demand.kinds, self._shares)
        order = Order(_BULK, 0.0, self._random.choice(kind.engines_in_s), self.now, home=number, weight=WEIGHT)
        self._servers[number].line.put(order, self.now)
        self._begin(number)

    def _break(self, loss: Loss) -> None:
        gone = [server for number, server in enumerate(self._servers) if number % self._cluster.machines == 0]
        for server in gone:
            server.is_alive = False
            there = sorted(server.open, key=lambda order: order.came_at)
            server.open.clear()
            for order in there:
                self.outcome.broken += 1
                # Whatever was to happen to it there will not.
                order.attempts += 1
                self._after(_BREAK_IN_S, partial(self._enter, order))
        self._after(loss.noticed_after_in_s, partial(_notice, gone))


def _notice(gone: Sequence[_Server]) -> None:
    for server in gone:
        server.is_known_dead = True
