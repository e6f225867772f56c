"""Webhooks as their receiver's owner sees them: what they are signed with, what became of them, and another go."""

import asyncio
import re
from datetime import UTC, datetime
from typing import Annotated, Final

from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import Response

from imageplane.accounts.account import Account
from imageplane.database.stamps import now_in_ms
from imageplane.errors import NotFound
from imageplane.http import webhook_replies as replies
from imageplane.http.auth import admitted
from imageplane.http.replies import json_response
from imageplane.http.services import services_of
from imageplane.jobs import delivery_log, secrets
from imageplane.jobs.delivery_log import LoggedAttempt, LoggedDelivery
from imageplane.jobs.secrets import WebhookSecret

router = APIRouter(prefix="/v1", tags=["webhooks"])
_ID: Final = re.compile(r"[0-9A-Za-z_]{1,32}")
_Admitted = Annotated[Account, Depends(admitted)]


@router.get("/webhooks/secrets", name="webhook_secrets")
async def read_secrets(request: Request, account: _Admitted) -> Response:
    """Tell the secrets that webhooks of the organization are signed with now; the first one is made by asking."""
    database = services_of(request).books.database

    def read() -> tuple[WebhookSecret, ...]:
        with database.writing() as connection:
            return secrets.that_sign(connection, [account.organization_id], now_in_ms())[account.organization_id]

    return _secrets_reply(await asyncio.to_thread(read))


@router.post("/webhooks/secrets/rotate", name="rotate_webhook_secret")
async def rotate_secret(request: Request, account: _Admitted) -> Response:
    """Sign webhooks with a new secret from now on, and for a day with the one before too."""
    database = services_of(request).books.database

    def rotate() -> tuple[WebhookSecret, ...]:
        with database.writing() as connection:
            return secrets.rotate(connection, account.organization_id, now_in_ms())

    return _secrets_reply(await asyncio.to_thread(rotate))


@router.get("/jobs/{job_id}/deliveries", name="deliveries")
async def read_deliveries(request: Request, account: _Admitted, job_id: str) -> Response:
    """Tell what became of the webhooks of a job, with every attempt."""
    database = services_of(request).books.database
    _check(job_id, "There is no such job.")

    def read() -> tuple[LoggedDelivery, ...]:
        with database.reading() as connection:
            return delivery_log.of_job(connection, account.organization_id, job_id)

    found = tuple(map(_delivery, await asyncio.to_thread(read)))
    return json_response(replies.DeliveriesReply(success=True, data=replies.Deliveries(found)))


@router.post("/deliveries/{delivery_id}/redeliver", name="redeliver")
async def redeliver(request: Request, account: _Admitted, delivery_id: str) -> Response:
    """Send a webhook again at once, whatever became of it, under the same `webhook-id`."""
    database = services_of(request).books.database
    _check(delivery_id, "There is no such delivery.")

    def send() -> LoggedDelivery:
        with database.writing() as connection:
            return delivery_log.redeliver(connection, account.organization_id, delivery_id, now_in_ms())

    found = _delivery(await asyncio.to_thread(send))
    services_of(request).jobs.courier.nudge()
    return json_response(replies.DeliveryReply(success=True, data=found))


def _check(given_id: str, sentence: str) -> None:
    # What can be no id is not asked for: a database need not understand every character.
    if not _ID.fullmatch(given_id):
        raise NotFound(sentence)


def _secrets_reply(found: tuple[WebhookSecret, ...]) -> Response:
    shown = tuple(
        replies.WebhookSecret(secret.text, _moment(secret.created_at_in_ms), _ending(secret.signs_until_in_ms))
        for secret in found
    )
    body = replies.WebhookSecretsReply(success=True, data=replies.WebhookSecrets(shown))
    # Nobody on the way is to keep them.
    return json_response(body, headers={"Cache-Control": "no-store"})


def _delivery(found: LoggedDelivery) -> replies.Delivery:
    return replies.Delivery(
        id=found.id,
        job_id=found.job_id,
        url=found.url,
        delivery=found.delivery,
        status=found.status,
        next_attempt_at=_ending(found.due_at_in_ms),
        created_at=_moment(found.created_at_in_ms),
        ended_at=_ending(found.ended_at_in_ms),
        attempts=tuple(map(_attempt, found.attempts)),
    )


def _attempt(found: LoggedAttempt) -> replies.DeliveryAttempt:
    return replies.DeliveryAttempt(
        number=found.number,
        at=_moment(found.at_in_ms),
        duration_in_ms=found.duration_in_ms,
        status_code=found.status_code,
        error=found.error,
    )


def _moment(at_in_ms: int) -> datetime:
    return datetime.fromtimestamp(at_in_ms / 1000, UTC)


def _ending(at_in_ms: int | None) -> datetime | None:
    return None if at_in_ms is None else _moment(at_in_ms)
