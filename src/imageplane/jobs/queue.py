"""What a queue of jobs has to do: the row of a job is the state of record, a ticket only says that it can be done."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from sqlalchemy import Connection

from imageplane.jobs.job import Job


@dataclass(frozen=True, slots=True)
class Ticket:
    """The word that a job can be done, from some moment on; the higher its priority the sooner."""

    job_id: str
    priority: int
    due_at_in_ms: int | None = None

    @classmethod
    def of(cls, job: Job) -> "Ticket":
        """Give the ticket of a job."""
        return cls(job.id, job.priority)

    @classmethod
    def again(cls, job: Job) -> "Ticket":
        """Give the ticket of a job that broke off: it comes before those of its kind that nobody has begun."""
        return cls(job.id, job.priority + 1)


class Queue(Protocol):
    """Where tickets wait, and who is called with the jobs that were claimed for them."""

    def issue(self, connection: Connection, tickets: Sequence[Ticket]) -> None:
        """Have jobs done, once the transaction is committed."""

    def hand_on(self, connection: Connection, organization_id: str) -> None:
        """Have the next job of an organization done that has waited for another of its jobs to end."""

    def nudge(self) -> None:
        """Look at once for what is due; to be called in the event loop, after a commit."""

    async def run(self, claimed: Callable[[Job], "asyncio.Task[None]"]) -> None:
        """Claim jobs as long as there is room for them, and have them done, until cancelled."""
