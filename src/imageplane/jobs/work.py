"""What the work on a job of one API has to give."""

from dataclasses import dataclass
from typing import Protocol

from imageplane.deadline import Deadline
from imageplane.jobs.job import Job


@dataclass(frozen=True, slots=True)
class Done:
    """What came of a job.

    Takes: `body`, what a caller who had waited would have got, in JSON; what it costs, at most what is held for it.
    """

    body: bytes
    amount_in_millicredits: int


class Work(Protocol):
    """Does the jobs of one API. The same job may be done twice where a process died: that must do no harm."""

    async def __call__(self, job: Job, deadline: Deadline) -> Done:
        """Do a job. Errors: whatever says why it can't be done."""
