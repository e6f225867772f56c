"""The jobs that wait for an engine, and whose turn it is.

Small work never waits behind large: there are two lanes, and heavy work leaves at least one engine to the light. Within
a lane those who ask take turns by what their jobs cost, not by how many they have.
"""

import threading
import time
from collections import deque
from dataclasses import dataclass, field
from typing import Final

from imageplane.engine.forecast import Forecast
from imageplane.engine.job import Job, Turn
from imageplane.errors import Busy

# How much of the engines' time light work gets while both lanes are full.
_WEIGHT_OF_LIGHT: Final = 3.0
# More would make the first of them wait too long for the last.
_MOST_JOINED: Final = 8


@dataclass(frozen=True, slots=True)
class Crowd:
    """Who waits and who works just now.

    Takes: jobs in each lane; `working`, turns that engines have; `waits_in_s`, how long a small job that came now would
    wait for its turn.
    """

    light: int
    heavy: int
    working: int
    waits_in_s: float


@dataclass(slots=True)
class _Lane:
    """Queues by tenant, who take turns by what their jobs cost for their weight.

    Gives: `starts_at`, the virtual time at which the next job of each begins, and the earliest is next; `ended_at`,
    that at which the last job of those who have none in line ends, where it is yet to come.
    Method: start-time fair queuing (Goyal, Vin, Cheng, 1996).
    """

    weight: float
    queues: dict[str, deque[Job]] = field(default_factory=dict)
    weights: dict[str, float] = field(default_factory=dict)
    starts_at: dict[str, float] = field(default_factory=dict)
    ended_at: dict[str, float] = field(default_factory=dict)
    waiting_in_s: dict[str, float] = field(default_factory=dict)
    jobs: int = 0
    taken_in_s: float = 0.0
    now: float = 0.0

    def add(self, job: Job) -> None:
        queue = self.queues.get(job.tenant)
        if queue is None:
            queue = self.queues[job.tenant] = deque()
            # Who was away has no claim to what others used meanwhile, but still owes what it had in advance.
            self.starts_at[job.tenant] = max(self.now, self.ended_at.pop(job.tenant, 0.0))
            self.weights[job.tenant] = job.weight
        queue.append(job)
        self.waiting_in_s[job.tenant] = self.waiting_in_s.get(job.tenant, 0.0) + job.cost.cpu_in_s
        self.jobs += 1

    def head(self) -> Job | None:
        if not self.queues:
            return None
        return self.queues[min(self.queues, key=lambda tenant: self.starts_at[tenant])][0]

    def remove(self, job: Job) -> bool:
        queue = self.queues.get(job.tenant)
        if queue is None or job not in queue:
            return False
        queue.remove(job)
        self.jobs -= 1
        self.waiting_in_s[job.tenant] -= job.cost.cpu_in_s
        if not queue:
            self.ended_at[job.tenant] = self.starts_at[job.tenant]
            for table in (self.queues, self.weights, self.starts_at, self.waiting_in_s):
                del table[job.tenant]
        return True

    def shares(self, tenant: str, weight: float) -> float:
        """Give how many times what a tenant of this weight gets there is for all while it waits too."""
        return sum({**self.weights, tenant: weight}.values()) / weight

    def take(self, job: Job) -> Turn:
        """Take a job out, and with it those of the same tenant that can be done together with it."""
        kin = [job]
        if job.together is not None:
            others = (each for each in self.queues[job.tenant] if each is not job and each.together is not None)
            kin += [each for each in others if each.together and each.together.key == job.together.key]
        turn = Turn(tuple(kin[:_MOST_JOINED]))
        self.taken_in_s += turn.cost.cpu_in_s / self.weight
        self.now = self.starts_at[job.tenant]
        self.starts_at[job.tenant] += turn.cost.cpu_in_s / self.weights[job.tenant]
        for each in turn.jobs:
            self.remove(each)
        self.ended_at = {tenant: end for tenant, end in self.ended_at.items() if end > self.now}
        return turn


class Line:
    """The queue in front of a number of engines; safe for threads.

    Takes: `memory_in_bytes`, the most that the jobs at work are thought to hold together.
    """

    def __init__(self, engines: int, memory_in_bytes: float) -> None:
        self._changed = threading.Condition()
        self._light, self._heavy = _Lane(_WEIGHT_OF_LIGHT), _Lane(1.0)
        self._engines = engines
        self._most_heavy = max(1, engines - 1)
        self._memory_in_bytes = memory_in_bytes
        self._turns: set[Turn] = set()
        self._forecast = Forecast()
        self._wakes = 0
        self._is_closed = False

    def put(self, job: Job) -> None:
        """Have a job wait for its turn.

        Errors: busy, told at once, when its turn would come too late, with the time after which there is room.
        """
        with self._changed:
            lane = self._lane_of(job)
            cost_in_s = self._forecast.time_of(job.cost.cpu_in_s)
            wait_in_s = self._wait_in_s(lane, job.tenant, job.weight)
            late_in_s = self._forecast.lateness_in_s(wait_in_s + cost_in_s, job.deadline)
            # Whether work whose turn is now can be done in time is for the engine to find out.
            if wait_in_s > 0 and late_in_s > 0:
                share_in_s = cost_in_s * lane.shares(job.tenant, job.weight) / self._engines_of(lane)
                raise Busy(
                    "There is too much to do to finish this in time; try again later.",
                    retry_after_in_s=self._forecast.promise_in_s(job.tenant, late_in_s, share_in_s),
                )
            if not lane.jobs:
                other = self._heavy if lane is self._light else self._light
                # A lane that was empty has no claim to the time that the other used meanwhile.
                lane.taken_in_s = max(lane.taken_in_s, other.taken_in_s if other.jobs else 0.0)
            lane.add(job)
            self._changed.notify()
        job.future.add_done_callback(lambda done: self._forget(job) if done.cancelled() else None)

    def take(self) -> Turn | None:
        """Wait for the next turn; gives None when woken or closed."""
        with self._changed:
            while True:
                if self._is_closed or self._wakes:
                    self._wakes = max(0, self._wakes - 1)
                    return None
                job = self._next()
                if job is not None:
                    turn = self._lane_of(job).take(job)
                    self._turns.add(turn)
                    # What is left may suit another engine.
                    self._changed.notify()
                    return turn
                self._changed.wait()

    def finished(self, turn: Turn) -> None:
        """Count a turn that was taken as over, whatever became of its jobs."""
        with self._changed:
            self._turns.discard(turn)
            self._forecast.learn(turn.cost.cpu_in_s, time.monotonic() - turn.started_at)
            self._changed.notify_all()

    def crowd(self, tenant: str = "") -> Crowd:
        """Tell who waits and who works, and how long a small job of this tenant would wait."""
        with self._changed:
            wait_in_s = self._wait_in_s(self._light, tenant)
            return Crowd(self._light.jobs, self._heavy.jobs, len(self._turns), wait_in_s)

    def wake(self) -> None:
        """Have one that waits for a turn look around."""
        with self._changed:
            self._wakes += 1
            self._changed.notify()

    def close(self) -> list[Job]:
        """Let nobody wait any longer; gives the jobs whose turn never came."""
        with self._changed:
            self._is_closed = True
            left = [job for lane in (self._light, self._heavy) for queue in lane.queues.values() for job in queue]
            self._changed.notify_all()
            return left

    def _forget(self, job: Job) -> None:
        with self._changed:
            self._lane_of(job).remove(job)
            self._changed.notify()

    def _lane_of(self, job: Job) -> _Lane:
        return self._heavy if job.cost.is_heavy else self._light

    def _next(self) -> Job | None:
        for lane in sorted((self._light, self._heavy), key=lambda lane: lane.taken_in_s):
            job = lane.head()
            if job is not None and self._may_start(job):
                return job
        return None

    def _may_start(self, job: Job) -> bool:
        if job.cost.is_heavy and self._heavy_turns >= self._most_heavy:
            return False
        held = sum(turn.cost.memory_in_bytes for turn in self._turns)
        return not held or held + job.cost.memory_in_bytes <= self._memory_in_bytes

    @property
    def _heavy_turns(self) -> int:
        return sum(turn.is_heavy for turn in self._turns)

    def _engines_of(self, lane: _Lane) -> float:
        """Give how many engines a lane can count on."""
        if self._light.jobs and self._heavy.jobs:
            # While both wait, each gets its share of the time.
            return self._engines * lane.weight / (self._light.weight + self._heavy.weight)
        if lane is self._heavy:
            return self._most_heavy
        return max(1, self._engines - min(self._most_heavy, self._heavy.jobs + self._heavy_turns))

    def _wait_in_s(self, lane: _Lane, tenant: str, weight: float = 1.0) -> float:
        """Give how long a tenant's next job would wait in a lane, if nobody came after it."""
        if not lane.jobs and len(self._turns) < self._engines and (lane is self._light or not self._heavy_turns):
            return 0.0
        own_turns_in_s = lane.waiting_in_s.get(tenant, 0.0) * lane.shares(tenant, weight)
        ahead_in_s = self._forecast.time_of(min(sum(lane.waiting_in_s.values()), own_turns_in_s))
        return (ahead_in_s + self._rest_in_s(lane)) / self._engines_of(lane)

    def _rest_in_s(self, lane: _Lane) -> float:
        """Give how long what is at work in the engines of a lane will still take."""
        now, is_heavy = time.monotonic(), lane is self._heavy
        turns = [turn for turn in self._turns if turn.is_heavy is is_heavy or self._engines == 1]
        rests = (self._forecast.time_of(turn.cost.cpu_in_s) - (now - turn.started_at) for turn in turns)
        return sum(max(0.0, rest_in_s) for rest_in_s in rests)
