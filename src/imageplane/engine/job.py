"""One piece of work for an engine: what is asked, who asks, and what it is thought to cost."""

import time
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from imageplane.cost import Cost
from imageplane.deadline import Deadline


@dataclass(frozen=True, slots=True)
class Together:
    """How several jobs on the same source are done at once.

    Takes: `key`, the same for jobs that may be joined; `function(source, wishes, deadline)`, where each wish is the
    arguments of one job, which gives one `Answer` for each.
    """

    key: Hashable
    function: Callable[..., Any]


@dataclass(frozen=True, slots=True, eq=False)
class Job:
    """One piece of work and who waits for it: `function(source, *arguments, deadline)`.

    Takes: `weight`, how much of the engines its tenant gets where another of weight 1 gets 1.
    """

    function: Callable[..., Any]
    source: bytes | Path
    arguments: tuple[Any, ...] = ()
    answers: tuple[type, ...] = ()
    deadline: Deadline = field(default_factory=Deadline)
    cost: Cost = field(default_factory=Cost)
    tenant: str = ""
    weight: float = 1.0
    together: Together | None = None
    future: Future[Any] = field(default_factory=Future)
    handed_in_at: float = field(default_factory=time.monotonic)

    @property
    def work(self) -> str:
        """What is asked of the source, in words that are the same for the same wish."""
        return repr((self.function.__qualname__, self.arguments))

    @property
    def has_lost_its_time(self) -> bool:
        """Whether it has waited for longer than is left to do it."""
        return time.monotonic() - self.handed_in_at > self.deadline.remaining_in_s


@dataclass(frozen=True, slots=True, eq=False)
class Turn:
    """What one engine does at once: a job, or several on the same source."""

    jobs: tuple[Job, ...]
    started_at: float = field(default_factory=time.monotonic)

    @property
    def cost(self) -> Cost:
        """What the jobs are thought to cost together."""
        memory_in_bytes = max(job.cost.memory_in_bytes for job in self.jobs)
        return Cost(sum(job.cost.cpu_in_s for job in self.jobs), memory_in_bytes)

    @property
    def is_heavy(self) -> bool:
        return self.jobs[0].cost.is_heavy

    def joined(self) -> Job:
        """Give the one job that does all of these; its value is one `Answer` for each of them."""
        first, together = self.jobs[0], self.jobs[0].together
        if len(self.jobs) == 1 or together is None:
            return first
        wishes = tuple(job.arguments for job in self.jobs)
        return Job(
            together.function,
            first.source,
            (wishes,),
            first.answers,
            self._latest_deadline(),
            handed_in_at=first.handed_in_at,
        )

    def _latest_deadline(self) -> Deadline:
        return max((job.deadline for job in self.jobs), key=lambda deadline: deadline.remaining_in_s)
