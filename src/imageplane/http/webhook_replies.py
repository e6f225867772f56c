"""The shape of every reply about webhooks and their deliveries."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from imageplane.reply import Success


@dataclass(frozen=True, slots=True)
class WebhookSecret:
    """A secret that webhooks are signed with."""

    secret: Annotated[str, Field(description="`whsec_` and base64, as the libraries of Standard Webhooks take it.")]
    created_at: datetime
    signs_until: Annotated[
        datetime | None, Field(description="Until when it signs beside the current one, which has no such end.")
    ]


@dataclass(frozen=True, slots=True)
class WebhookSecrets:
    """All secrets that sign now, the current one first."""

    secrets: tuple[WebhookSecret, ...]


@dataclass(frozen=True, slots=True)
class WebhookSecretsReply:
    """What the webhooks of the caller's organization are signed with."""

    success: Success
    data: WebhookSecrets


@dataclass(frozen=True, slots=True)
class DeliveryAttempt:
    """One attempt to deliver a webhook."""

    number: Annotated[int, Field(description="The first is 1; of more than a hundred the last hundred are told.")]
    at: datetime
    duration_in_ms: int
    status_code: Annotated[int | None, Field(description="What the receiver answered, if it did.")]
    error: Annotated[str | None, Field(description="Why it counts as a failure, if it does.")]


@dataclass(frozen=True, slots=True)
class Delivery:
    """A webhook, and what became of it so far."""

    id: Annotated[str, Field(description="The `webhook-id`; it is the same in every attempt.")]
    job_id: str
    url: Annotated[str, Field(description="Where it goes; the query is not shown.")]
    delivery: Annotated[
        Literal["bytes", "link"], Field(description="Whether results are in it, or signed links to them.")
    ]
    status: Literal["pending", "delivered", "failed"]
    next_attempt_at: Annotated[datetime | None, Field(description="When it is sent next, while it is pending.")]
    created_at: datetime
    ended_at: datetime | None
    attempts: tuple[DeliveryAttempt, ...]


@dataclass(frozen=True, slots=True)
class DeliveryReply:
    """One delivery."""

    success: Success
    data: Delivery


@dataclass(frozen=True, slots=True)
class Deliveries:
    """The deliveries of a job, the newest first."""

    deliveries: tuple[Delivery, ...]


@dataclass(frozen=True, slots=True)
class DeliveriesReply:
    """The deliveries of a job."""

    success: Success
    data: Deliveries
