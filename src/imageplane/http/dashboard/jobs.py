"""The jobs of an organization and their webhooks: looked at, cancelled, done again, sent again."""

import asyncio
from typing import Any, Final, get_args

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from imageplane.accounts import keys
from imageplane.accounts.account import Account
from imageplane.accounts.keys import Key
from imageplane.accounts.sessions import Session
from imageplane.database.stamps import now_in_ms
from imageplane.errors import Conflict, NotFound
from imageplane.http.dashboard.fields import checked_id
from imageplane.http.dashboard.forms import PostedByMember
from imageplane.http.dashboard.pages import HOME, Member, PageRoute, page, redirect
from imageplane.http.services import Services, services_of
from imageplane.jobs import delivery_log
from imageplane.jobs.bulk.over_jobs import BULK_API
from imageplane.jobs.delivery_log import LoggedDelivery
from imageplane.jobs.job import ENDED, Job, Status
from imageplane.jobs.receiver import shown

PATH: Final = f"{HOME}/jobs"
router = APIRouter(prefix=HOME, route_class=PageRoute)
_STATUSES: Final[tuple[str, ...]] = get_args(Status)
_ON_A_PAGE: Final = 50


@router.get("/jobs")
async def show(request: Request, member: Member) -> Response:
    """List jobs, the latest first."""
    status = next((each for each in _STATUSES if each == request.query_params.get("status")), None)
    before = request.query_params.get("before")
    desk = services_of(request).jobs.desk
    found = await desk.jobs(
        member.known.organization_id, status, None if before is None else checked_id(before, "job"), _ON_A_PAGE + 1
    )
    return page(
        request,
        member,
        "jobs.html",
        jobs=found[:_ON_A_PAGE],
        next=found[_ON_A_PAGE - 1].id if len(found) > _ON_A_PAGE else None,
        status=status,
        statuses=_STATUSES,
    )


@router.get("/jobs/{job_id}")
async def show_job(request: Request, member: Member, job_id: str) -> Response:
    """Tell what became of a job and of its webhooks."""
    services, organization_id = services_of(request), member.known.organization_id
    desk = services.jobs.desk
    job = await desk.job(organization_id, checked_id(job_id, "job"))
    told: dict[str, Any] = {
        "job": job,
        "parts": await desk.parts(job.id) if job.api == BULK_API else None,
        "deliveries": await asyncio.to_thread(_deliveries, services, job),
        "key": await asyncio.to_thread(_key_of, services, job),
        "webhook_url": None if job.webhook_url is None else shown(job.webhook_url),
        "has_ended": job.status in ENDED,
    }
    return page(request, member, "job.html", **told)


@router.post("/jobs/{job_id}/cancel")
async def cancel(request: Request, form: PostedByMember, job_id: str) -> Response:
    """End a job that has not ended."""
    await services_of(request).jobs.desk.cancel(form.visitor.known.organization_id, checked_id(job_id, "job"))
    return redirect(f"{PATH}/{job_id}")


@router.post("/jobs/{job_id}/replay")
async def replay(request: Request, form: PostedByMember, job_id: str) -> Response:
    """Do a job once more, paid by the key that handed it in or, where that one is worthless, by the newest."""
    services, session = services_of(request), form.visitor.known
    job = await services.jobs.desk.job(session.organization_id, checked_id(job_id, "job"))
    account = await asyncio.to_thread(_payer, services, session, job)
    await services.jobs.desk.replay(account, job.id)
    return redirect(f"{PATH}/{job_id}")


@router.post("/deliveries/{delivery_id}/redeliver")
async def redeliver(request: Request, form: PostedByMember, delivery_id: str) -> Response:
    """Send a webhook again at once."""
    services, organization_id = services_of(request), form.visitor.known.organization_id

    def send() -> LoggedDelivery:
        with services.books.database.writing() as connection:
            return delivery_log.redeliver(connection, organization_id, checked_id(delivery_id, "delivery"), now_in_ms())

    found = await asyncio.to_thread(send)
    services.jobs.courier.nudge()
    return redirect(f"{PATH}/{found.job_id}")


def _deliveries(services: Services, job: Job) -> tuple[LoggedDelivery, ...]:
    with services.books.database.reading() as connection:
        return delivery_log.of_job(connection, job.organization_id, job.id)


def _key_of(services: Services, job: Job) -> Key | None:
    with services.books.database.reading() as connection:
        try:
            return keys.of_id(connection, job.organization_id, job.key_id)
        except NotFound:
            return None


def _payer(services: Services, session: Session, job: Job) -> Account:
    with services.books.database.reading() as connection:
        found = keys.of_organization(connection, session.organization_id)
    active = [key for key in found if key.state(now_in_ms()) == "active"]
    key = next((key for key in active if key.id == job.key_id), active[0] if active else None)
    if key is None:
        raise Conflict("There is no active key to pay for it; make one first.")
    return Account(session.organization_id, session.organization_name, key.id, key.name)
