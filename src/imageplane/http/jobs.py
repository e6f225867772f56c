"""Jobs as their owner sees them: what became of them, what came of them, and how to end or repeat them."""

import re
import time
from datetime import UTC, datetime
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Query
from starlette.requests import Request
from starlette.responses import Response

from imageplane.accounts.account import Account
from imageplane.accounts.prices import MILLICREDITS
from imageplane.errors import NotFound
from imageplane.http import job_replies as replies
from imageplane.http.auth import admitted
from imageplane.http.replies import json_response
from imageplane.http.services import services_of
from imageplane.jobs import job as jobs
from imageplane.jobs.bulk.over_jobs import BULK_API
from imageplane.jobs.job import Status
from imageplane.jobs.links import verify
from imageplane.jobs.receiver import shown
from imageplane.jobs.results import output_path
from imageplane.jobs.rows import Parts
from imageplane.reply import JSON

router = APIRouter(prefix="/v1/jobs", tags=["jobs"])
_ID: Final = re.compile(r"[0-9A-Za-z]{1,32}")
_NO_SUCH_JOB: Final = "There is no such job; one that ended is kept for a while only."
_Admitted = Annotated[Account, Depends(admitted)]


@router.get("", name="jobs")
async def read_jobs(
    request: Request,
    account: _Admitted,
    status: Annotated[Status | None, Query(description="Only those that stand so.")] = None,
    before: Annotated[
        str | None, Query(pattern="^[0-9A-Za-z]{1,32}$", description="Only those before this id.")
    ] = None,
    limit: Annotated[int, Query(ge=1, le=100, description="How many at most.")] = 20,
) -> Response:
    """Tell what jobs the organization has, the latest first."""
    desk = services_of(request).jobs.desk
    found = await desk.jobs(account.organization_id, status, before, limit + 1)
    page = tuple(_job(each) for each in found[:limit])
    body = replies.Jobs(page, page[-1].id if len(found) > limit else None)
    return json_response(replies.JobsReply(success=True, data=body))


@router.get("/{job_id}", name="job")
async def read_job(request: Request, account: _Admitted, job_id: str) -> Response:
    """Tell what became of a job."""
    desk = services_of(request).jobs.desk
    job = await desk.job(account.organization_id, checked(job_id))
    return _reply(job, await desk.parts(job.id) if job.api == BULK_API else None)


@router.get("/{job_id}/result", name="job_result")
async def read_result(request: Request, account: _Admitted, job_id: str) -> Response:
    """Give what a caller who had waited for the reply would have got."""
    shop = services_of(request).jobs
    job = await shop.desk.job(account.organization_id, checked(job_id))
    return Response(await shop.results.envelope(job), media_type=JSON)


@router.get("/{job_id}/outputs/{output}", name="job_output")
async def read_output(request: Request, job_id: str, output: str) -> Response:
    """Give one picture of a job: to its owner, and to whoever has a signed link to it."""
    shop = services_of(request).jobs
    if "signature" in request.query_params:
        path = output_path(checked(job_id), output)
        verify(path, request.query_params, await shop.results.link_key(), time.time())
        job = await shop.desk.any_job(job_id)
    else:
        account = await admitted(request)
        job = await shop.desk.job(account.organization_id, checked(job_id))
    mime_type, data = await shop.results.picture(job, output)
    return Response(data, media_type=mime_type)


@router.post("/{job_id}/cancel", name="cancel_job")
async def cancel(request: Request, account: _Admitted, job_id: str) -> Response:
    """End a job that has not ended; its credits are given back, and no webhook is sent."""
    return _reply(await services_of(request).jobs.desk.cancel(account.organization_id, checked(job_id)))


@router.post("/{job_id}/replay", name="replay_job")
async def replay(request: Request, account: _Admitted, job_id: str) -> Response:
    """Do a job that has ended once more, for the same price, and send its webhook again."""
    return _reply(await services_of(request).jobs.desk.replay(account, checked(job_id)))


def checked(job_id: str) -> str:
    """Give an id that can be one. Errors: not_found."""
    # What can be no id is not asked for: a database need not understand every character.
    if not _ID.fullmatch(job_id):
        raise NotFound(_NO_SUCH_JOB)
    return job_id


def _reply(job: jobs.Job, parts: Parts | None = None) -> Response:
    return json_response(replies.JobReply(success=True, data=_job(job, parts)))


def _job(job: jobs.Job, parts: Parts | None = None) -> replies.Job:
    has_result = job.status == "succeeded"
    return replies.Job(
        id=job.id,
        api=job.api,
        status=job.status,
        created_at=_moment(job.created_at_in_ms),
        started_at=_if_any(job.started_at_in_ms),
        ended_at=_if_any(job.ended_at_in_ms),
        attempts=job.attempts,
        next_attempt_at=_moment(job.due_at_in_ms) if job.status == "queued" and job.attempts else None,
        credits_held=job.amount_in_millicredits / MILLICREDITS,
        webhook_url=None if job.webhook_url is None else shown(job.webhook_url),
        delivery=job.delivery,
        request_id=job.request_id,
        result_url=f"{job.base_url}/v1/jobs/{job.id}/result" if has_result else None,
        error=job.failure,
        items=None if parts is None else replies.Items(parts.items, parts.items_done, parts.items_failed),
    )


def _moment(at_in_ms: int) -> datetime:
    return datetime.fromtimestamp(at_in_ms / 1000, UTC)


def _if_any(at_in_ms: int | None) -> datetime | None:
    return None if at_in_ms is None else _moment(at_in_ms)
