"""The line in front of a server's engines, as `imageplane.engine.line` has it, at times that are handed in.

What is left out: work on the same source that is done together, the memory of what is at work, and learning: what work
costs is known here.
"""

import math
from collections import deque
from dataclasses import dataclass, field
from typing import Final

_WEIGHT_OF_LIGHT: Final = 3.0
_HEAVY_FROM_IN_S: Final = 0.25
_USABLE: Final = 0.8
_LONGEST_PROMISE_IN_S: Final = 300.0


@dataclass(eq=False, slots=True)
class Order:
    """A request on its way.

    Takes: seconds of the front and of an engine; when it came first and when it has to be done, infinite for never;
    `home`, the server where it is; the `weight` of its tenant; how many attempts there were, and how many of them were
    refused.
    """

    tenant: str
    front_in_s: float
    engine_in_s: float
    came_at: float
    due_at: float = math.inf
    started_at: float = math.nan
    home: int = -1
    weight: float = 1.0
    attempts: int = 0
    refusals: int = 0

    @property
    def is_heavy(self) -> bool:
        """Whether no small work should wait behind it."""
        return self.engine_in_s >= _HEAVY_FROM_IN_S


@dataclass(slots=True)
class _Lane:
    weight: float
    queues: dict[str, deque[Order]] = field(default_factory=dict)
    weights: dict[str, float] = field(default_factory=dict)
    starts_at: dict[str, float] = field(default_factory=dict)
    ended_at: dict[str, float] = field(default_factory=dict)
    waiting_in_s: dict[str, float] = field(default_factory=dict)
    total_in_s: float = 0.0
    taken_in_s: float = 0.0
    now: float = 0.0

    def add(self, order: Order) -> None:
        queue = self.queues.get(order.tenant)
        if queue is None:
            self.starts_at[order.tenant] = max(self.now, self.ended_at.pop(order.tenant, 0.0))
            queue = self.queues[order.tenant] = deque()
            self.weights[order.tenant] = order.weight
            self.waiting_in_s[order.tenant] = 0.0
        queue.append(order)
        self.waiting_in_s[order.tenant] += order.engine_in_s
        self.total_in_s += order.engine_in_s

    def head(self) -> Order | None:
        if not self.queues:
            return None
        return self.queues[min(self.queues, key=self.starts_at.__getitem__)][0]

    def shares(self, order: Order) -> float:
        return sum({**self.weights, order.tenant: order.weight}.values()) / order.weight

    def take(self, order: Order) -> None:
        self.taken_in_s += order.engine_in_s / self.weight
        self.now = self.starts_at[order.tenant]
        self.starts_at[order.tenant] += order.engine_in_s / order.weight
        self.waiting_in_s[order.tenant] -= order.engine_in_s
        self.total_in_s -= order.engine_in_s
        queue = self.queues[order.tenant]
        queue.popleft()
        if not queue:
            self.ended_at[order.tenant] = self.starts_at[order.tenant]
            for table in (self.queues, self.weights, self.starts_at, self.waiting_in_s):
                del table[order.tenant]
        self.ended_at = {tenant: end for tenant, end in self.ended_at.items() if end > self.now}
        if not self.queues:
            # What rounding left.
            self.total_in_s = 0.0


class FairLine:
    """The line of one server.

    Takes: `engines`; `pace`, wall-clock seconds for a second of an engine.
    """

    def __init__(self, engines: int, pace: float = 1.0) -> None:
        self._engines = engines
        self._pace = pace
        self._most_heavy = max(1, engines - 1)
        self._light, self._heavy = _Lane(_WEIGHT_OF_LIGHT), _Lane(1.0)
        self._working: set[Order] = set()
        self._promised: dict[str, float] = {}

    def put(self, order: Order, now: float) -> float | None:
        """Have an order wait for its turn, or give after how long to come again when that would come too late."""
        lane = self._heavy if order.is_heavy else self._light
        if order.due_at < math.inf:
            wait_in_s, took_in_s = self._wait_in_s(lane, order, now), order.engine_in_s * self._pace
            late_in_s = wait_in_s + took_in_s - _USABLE * (order.due_at - now)
            if wait_in_s > 0 and late_in_s > 0:
                share_in_s = took_in_s * lane.shares(order) / self._engines_of(lane)
                return self._promise_in_s(order.tenant, late_in_s, share_in_s, now)
        if not lane.queues:
            other = self._heavy if lane is self._light else self._light
            lane.taken_in_s = max(lane.taken_in_s, other.taken_in_s if other.queues else 0.0)
        lane.add(order)
        return None

    def next(self, now: float) -> Order | None:
        """Give the order that begins now, if any may."""
        if len(self._working) >= self._engines:
            return None
        for lane in sorted((self._light, self._heavy), key=lambda lane: lane.taken_in_s):
            order = lane.head()
            if order is not None and not (order.is_heavy and self._heavy_at_work >= self._most_heavy):
                lane.take(order)
                order.started_at = now
                self._working.add(order)
                return order
        return None

    def finished(self, order: Order) -> None:
        """Count an order as over."""
        self._working.discard(order)

    @property
    def _heavy_at_work(self) -> int:
        return sum(order.is_heavy for order in self._working)

    def _engines_of(self, lane: _Lane) -> float:
        if self._light.queues and self._heavy.queues:
            return self._engines * lane.weight / (self._light.weight + self._heavy.weight)
        if lane is self._heavy:
            return self._most_heavy
        waiting = sum(map(len, self._heavy.queues.values()))
        return max(1, self._engines - min(self._most_heavy, waiting + self._heavy_at_work))

    def _wait_in_s(self, lane: _Lane, order: Order, now: float) -> float:
        is_free = len(self._working) < self._engines and (lane is self._light or not self._heavy_at_work)
        if not lane.queues and is_free:
            return 0.0
        own_turns_in_s = lane.waiting_in_s.get(order.tenant, 0.0) * lane.shares(order)
        ahead_in_s = min(lane.total_in_s, own_turns_in_s) * self._pace
        is_heavy = lane is self._heavy
        at_work = (each for each in self._working if each.is_heavy is is_heavy or self._engines == 1)
        rests = (each.engine_in_s * self._pace - (now - each.started_at) for each in at_work)
        return (ahead_in_s + sum(max(0.0, rest) for rest in rests)) / self._engines_of(lane)

    def _promise_in_s(self, tenant: str, late_in_s: float, share_in_s: float, now: float) -> float:
        until = max(now + late_in_s, self._promised.get(tenant, 0.0) + share_in_s)
        if until > now + _LONGEST_PROMISE_IN_S:
            until = now + min(late_in_s, _LONGEST_PROMISE_IN_S)
        self._promised[tenant] = until
        return until - now
