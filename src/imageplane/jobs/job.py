"""A job: one request that is answered later, as its row tells it."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final, Literal

import msgspec

from imageplane.accounts.moves import Hold
from imageplane.errors import Fault, ImageplaneError

Status = Literal["queued", "running", "succeeded", "failed", "cancelled"]
Delivery = Literal["bytes", "link"]

INTERACTIVE: Final = 10
BULK: Final = 0
ENDED: Final[frozenset[str]] = frozenset(["succeeded", "failed", "cancelled"])
FOLDER: Final = "jobs"
_HOUR: Final = "%Y-%m-%dT%H"


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a job failed, as its caller is told."""

    message: str
    code: str
    details: tuple[Fault, ...] = ()

    @classmethod
    def of(cls, error: ImageplaneError) -> "Failure":
        """Give what an error tells; its detail is for the log."""
        return cls(error.message, error.code, error.faults)


@dataclass(frozen=True, slots=True)
class Job:
    """One row.

    Takes: `request`, what was asked for, as its API wrote it down; the names of the blobs of its `input` and `reply`;
    `base_url`, under which the caller reached the server; `priority`, the higher the sooner; of a part of a bulk the
    `parent_id`, how many `items` it has, and what became of them.
    """

    id: str
    organization_id: str
    key_id: str
    api: str
    request_id: str
    request: str = field(repr=False)
    input: str | None
    reply: str | None
    base_url: str
    webhook_url: str | None = field(repr=False)
    delivery: Delivery
    hold_id: str
    amount_in_millicredits: int
    status: Status
    priority: int
    attempts: int
    due_at_in_ms: int
    claim: str | None
    error: str | None
    created_at_in_ms: int
    started_at_in_ms: int | None
    ended_at_in_ms: int | None
    parent_id: str | None = None
    items: int | None = None
    items_done: int | None = None
    items_failed: int | None = None

    @property
    def hold(self) -> Hold:
        """What is set aside for it."""
        return Hold(
            self.hold_id, self.organization_id, self.key_id, self.amount_in_millicredits, self.api, self.request_id, 0
        )

    @property
    def asked(self) -> dict[str, Any]:
        """What was asked for, decoded."""
        asked: dict[str, Any] = msgspec.json.decode(self.request)
        return asked

    @property
    def failure(self) -> Failure | None:
        """Why it failed."""
        return None if self.error is None else msgspec.json.decode(self.error, type=Failure)

    @property
    def folder(self) -> str:
        """Where its blobs are."""
        return folder_of(self.id, self.created_at_in_ms)


def folder_of(job_id: str, created_at_in_ms: int) -> str:
    """Give the folder of a job's blobs: those of one hour lie together, so that what is old is found without a list."""
    return f"{FOLDER}/{datetime.fromtimestamp(created_at_in_ms / 1000, UTC).strftime(_HOUR)}/{job_id}"


def hour_of(folder: str) -> datetime | None:
    """Give the hour that a folder of folders of jobs is named after."""
    try:
        return datetime.strptime(folder.rsplit("/", 1)[-1], _HOUR).replace(tzinfo=UTC)
    except ValueError:
        return None
