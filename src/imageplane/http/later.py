"""Requests that are answered later: what they ask for becomes a job, and the reply says where to look for it."""

from http import HTTPStatus
from typing import Any, Final

from starlette.requests import Request

from imageplane.accounts.account import Account
from imageplane.accounts.claims import Reply
from imageplane.accounts.prices import price_of_transform
from imageplane.errors import ImageplaneError
from imageplane.http.job_replies import AcceptedReply, written
from imageplane.http.reading import Asked
from imageplane.http.repeatable import Keep
from imageplane.http.services import services_of
from imageplane.http.visit import Visit, visit_of
from imageplane.jobs.desk import Order
from imageplane.jobs.job import Job
from imageplane.jobs.receiver import receiver_at
from imageplane.jobs.shop import TRANSFORM
from imageplane.reply import JSON
from imageplane.sources import Base64Source
from imageplane.sources.guard import Guard

_TO_WEBHOOK: Final = "Request accepted. Results will be delivered to the provided webhook URL."
_TO_ASK_FOR: Final = "Request accepted. Ask at the status URL what has become of it."
_PREFERENCE: Final = "respond-async"


def is_for_later(request: Request, asked: Asked) -> bool:
    """Tell whether a request names a webhook, or prefers not to wait (RFC 7240, 4.1)."""
    preferences = request.headers.get("prefer", "").lower().replace(";", ",").split(",")
    return asked.webhook_url is not None or _PREFERENCE in (each.strip() for each in preferences)


def base_url_of(request: Request) -> str:
    """Give the address under which callers reach this server."""
    public_url = services_of(request).settings.http.public_url
    return (public_url or f"{request.url.scheme}://{request.url.netloc}").rstrip("/")


async def accepted(request: Request, account: Account, asked: Asked, identity: bytes | None, keep: Keep) -> Reply:
    """Hand a request in as a job.

    Takes: `identity`, what tells it from any other, where the caller may send it again; `keep`, called with the reply.
    Errors: refused_source; those of the desk.
    """
    services, visit = services_of(request), visit_of(request)
    if asked.webhook_url is not None:
        receiver_at(asked.webhook_url, Guard.of(services.settings.sources))
    data = None
    if isinstance(asked.source, Base64Source):
        data = asked.source.data
    else:
        try:
            services.fetcher.check(asked.source.url)
        except ImageplaneError as error:
            raise error.at("file.url") from None
    order = Order(
        TRANSFORM,
        visit.request_id,
        _request(asked, has_data=data is not None),
        data,
        base_url_of(request),
        asked.webhook_url,
        asked.delivery,
        identity,
    )
    job = await services.jobs.desk.accept(account, price_of_transform(services.settings.prices), order)
    reply = reply_of(job, visit)
    await keep(reply)
    return reply


def reply_of(job: Job, visit: Visit) -> Reply:
    """Give the reply to a request that has become a job."""
    visit.facts["job_id"] = job.id
    body = AcceptedReply(
        success=True,
        is_async=True,
        message=_TO_ASK_FOR if job.webhook_url is None else _TO_WEBHOOK,
        job_id=job.id,
        status_url=f"{job.base_url}/v1/jobs/{job.id}",
    )
    return Reply(HTTPStatus.CREATED, (("Content-Type", JSON), ("Location", body.status_url)), written(body))


def _request(asked: Asked, *, has_data: bool) -> dict[str, Any]:
    wanted = "operations" if asked.request.is_single else "outputs"
    return {
        "transform": {wanted: asked.raw[wanted]},
        "file": None if has_data else asked.raw["file"],
        "warnings": asked.warnings,
    }
