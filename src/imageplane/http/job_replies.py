"""The shape of every reply about jobs."""

from dataclasses import dataclass, fields
from datetime import datetime
from typing import Annotated, Literal

import msgspec
from pydantic import Field

from imageplane.jobs.job import Delivery, Failure, Status
from imageplane.reply import Credits, Success


@dataclass(frozen=True, slots=True)
class AcceptedReply:
    """The request is accepted, and is answered later."""

    success: Success
    # Python keeps the word for itself.
    is_async: Annotated[Literal[True], Field(alias="async")]
    message: Annotated[str, Field(description="One sentence for a person.")]
    job_id: str
    status_url: Annotated[str, Field(description="Where to ask what has become of it.")]


def written(reply: AcceptedReply) -> bytes:
    """Give a reply in JSON."""
    known = {field.name: getattr(reply, field.name) for field in fields(reply)}
    return msgspec.json.encode({"success": known.pop("success"), "async": known.pop("is_async"), **known})


@dataclass(frozen=True, slots=True)
class Items:
    """How the images of a bulk fare; `total` grows while the manifest is read."""

    total: int
    done: int
    failed: int


@dataclass(frozen=True, slots=True)
class Job:
    """One request that is answered later."""

    id: str
    api: str
    status: Status
    created_at: datetime
    started_at: Annotated[datetime | None, Field(description="When it was first worked on.")]
    ended_at: datetime | None
    attempts: Annotated[int, Field(description="How often it was worked on.")]
    next_attempt_at: Annotated[datetime | None, Field(description="Not before when it is worked on again.")]
    credits_held: Annotated[Credits, Field(description="What it costs when it succeeds.")]
    webhook_url: Annotated[str | None, Field(description="Where the reply is sent, without its query.")]
    delivery: Delivery
    request_id: Annotated[str, Field(description="The `X-Request-Id` of the request that handed it in.")]
    result_url: Annotated[str | None, Field(description="Where the reply is, once it has succeeded.")]
    error: Annotated[Failure | None, Field(description="Why it failed.")]
    items: Annotated[Items | None, Field(description="Of a bulk, asked for by its id, how its images fare.")]


@dataclass(frozen=True, slots=True)
class JobReply:
    """One job of the caller's organization."""

    success: Success
    data: Job


@dataclass(frozen=True, slots=True)
class BulkReply:
    """What came of a bulk; its pictures and failures have routes of their own."""

    success: Success
    data: Items


@dataclass(frozen=True, slots=True)
class Jobs:
    """Jobs, the latest first."""

    jobs: tuple[Job, ...]
    next: Annotated[str | None, Field(description="The `before` that gives the jobs after these, if there are any.")]


@dataclass(frozen=True, slots=True)
class JobsReply:
    """Jobs of the caller's organization."""

    success: Success
    data: Jobs
