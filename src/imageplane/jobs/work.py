"""What the work on a job of one API has to give."""

from dataclasses import dataclass
from typing import Protocol

from imageplane.deadline import Deadline
from imageplane.jobs.job import Job


@dataclass(frozen=True, slots=True)
class Done:
    """What came of a job.

    Takes: `body`, what a caller who had waited would have got, in JSON; what it costs, at most what is held for it;
    of a part of a bulk, how many of its `items` are done and how many failed.
    """

    body: bytes
    amount_in_millicredits: int
    items: tuple[int | None, int | None] = (None, None)


class Later(Exception):
    """The job can't be ended yet; it is looked at again after a pause, and that is no attempt."""

    def __init__(self, pause_in_s: float) -> None:
        super().__init__(pause_in_s)
        self.pause_in_s = pause_in_s


class Work(Protocol):
    """Does the jobs of one API. The same job may be done twice where a process died: that must do no harm."""

    async def __call__(self, job: Job, deadline: Deadline) -> Done:
        """Do a job. Errors: whatever says why it can't be done; Later."""
