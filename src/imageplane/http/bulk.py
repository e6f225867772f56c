"""Bulks: one recipe for every image of a manifest, done by whatever works on jobs."""

import hashlib
import time
from collections.abc import AsyncIterator
from functools import partial
from typing import Annotated, Any, Final
from urllib.parse import quote

import msgspec
from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from imageplane import sources
from imageplane.accounts.account import Account
from imageplane.accounts.claims import Reply
from imageplane.accounts.prices import Price
from imageplane.codecs.formats import FORMATS
from imageplane.errors import Fault, ImageplaneError, NotFound, RequestError
from imageplane.http.auth import admitted
from imageplane.http.jobs import checked
from imageplane.http.later import base_url_of, reply_of
from imageplane.http.repeatable import Keep, key_of, not_kept, repeatable
from imageplane.http.services import Services, services_of
from imageplane.http.visit import visit_of
from imageplane.jobs.bulk.chunks import Chunk
from imageplane.jobs.bulk.over_jobs import BULK_API, OUTPUTS
from imageplane.jobs.desk import Order
from imageplane.jobs.job import BULK, Job
from imageplane.jobs.links import sign, verify
from imageplane.jobs.receiver import receiver_at
from imageplane.request import TransformRequest
from imageplane.sources import UrlSource
from imageplane.sources.guard import Guard

router = APIRouter(prefix="/v1", tags=["bulk"])
_Admitted = Annotated[Account, Depends(admitted)]
_BESIDE: Final = frozenset({"manifest", "webhook_url"})
_LINES: Final = "application/jsonl"
_PARTS_AT_ONCE: Final = 20
_MIME_TYPES: Final = {entry.suffix: entry.mime_type for entry in FORMATS.values()}
_OWN: Final = ".imageplane/"


@router.post("/bulk", name="bulk", status_code=201)
async def hand_in(request: Request, account: _Admitted) -> Response:
    """Make the same of every image that a manifest names: a file with `{"url": "https://…"}` in every line."""
    body, key = await request.body(), key_of(request)
    if key is None:
        reply = await _accepted(request, account, body, None, not_kept)
    else:
        digest = hashlib.sha256(body).digest()
        do = partial(_accepted, request, account, body, key.encode() + digest)
        reply = await repeatable(request, account, key, digest, do)
    return Response(reply.body, reply.status, dict(reply.headers))


async def _accepted(request: Request, account: Account, body: bytes, identity: bytes | None, keep: Keep) -> Reply:
    services, visit = services_of(request), visit_of(request)
    raw = _decoded(body)
    wanted = _checked(raw, services)
    order = Order(
        BULK_API,
        visit.request_id,
        wanted,
        None,
        base_url_of(request),
        raw.get("webhook_url"),
        idempotency=identity,
        priority=BULK,
    )
    job = await services.jobs.desk.accept(account, Price(BULK_API, 0), order)
    reply = reply_of(job, visit)
    await keep(reply)
    return reply


@router.get("/bulk/{job_id}/failures", name="bulk_failures")
async def read_failures(request: Request, account: _Admitted, job_id: str) -> Response:
    """Give a line of JSON for every image of a bulk that failed so far, with the reason."""
    services = services_of(request)
    job = await _bulk_of(services, account, job_id)
    return StreamingResponse(_failures(services, job), media_type=_LINES)


@router.get("/bulk/{job_id}/outputs", name="bulk_outputs")
async def read_outputs(request: Request, account: _Admitted, job_id: str) -> Response:
    """Give a line of JSON for every picture that a bulk has made so far, with a signed link to it."""
    services = services_of(request)
    job = await _bulk_of(services, account, job_id)
    return StreamingResponse(_outputs(services, job), media_type=_LINES)


@router.get("/bulk/{job_id}/outputs/{name:path}", name="bulk_output")
async def read_output(request: Request, job_id: str, name: str) -> Response:
    """Give one picture of a bulk: to its owner, and to whoever has a signed link to it."""
    services = services_of(request)
    if "signature" in request.query_params:
        key = await services.jobs.results.link_key()
        verify(_path(checked(job_id), name), request.query_params, key, time.time())
        job = await services.jobs.desk.any_job(job_id)
    else:
        job = await _bulk_of(services, await admitted(request), job_id)
    data = None
    if not name.startswith(_OWN) and ".." not in name.split("/"):
        data = await services.books.blobs.get(f"{job.folder}/{OUTPUTS}/{name}")
    if data is None:
        raise NotFound("The bulk has no output of this name.")
    return Response(data, media_type=_MIME_TYPES.get(name.rpartition(".")[2], "application/octet-stream"))


def _decoded(body: bytes) -> dict[str, Any]:
    try:
        raw = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise RequestError("The body is no JSON that can be read.") from None
    if not isinstance(raw, dict):
        raise RequestError("The body must be a JSON object with manifest and operations or outputs.")
    return raw


def _checked(raw: dict[str, Any], services: Services) -> dict[str, Any]:
    """Give what a bulk asks for, as it is stored. Errors: invalid_request, with every fault at once; refused_source."""
    limits, faults = services.settings.limits, []
    try:
        source, _ = sources.read(raw.get("manifest"), limits.max_source_in_bytes, "manifest")
        if isinstance(source, UrlSource):
            services.fetcher.check(source.url)
        else:
            faults.append(Fault("manifest", "expected the URL of a file"))
    except ImageplaneError as error:
        faults.extend(error.faults or (Fault("manifest.url", error.message),))
    wanted: TransformRequest | None = None
    try:
        wanted = TransformRequest.parse(raw, limits, _BESIDE)
    except RequestError as error:
        faults.extend(error.faults)
    if faults or wanted is None:
        raise RequestError.of(faults)
    if raw.get("webhook_url") is not None:
        receiver_at(raw["webhook_url"], Guard.of(services.settings.sources))
    name = "operations" if wanted.is_single else "outputs"
    return {"transform": {name: raw[name]}, "manifest": raw["manifest"]}


async def _bulk_of(services: Services, account: Account, job_id: str) -> Job:
    job = await services.jobs.desk.job(account.organization_id, checked(job_id))
    if job.api != BULK_API:
        raise NotFound("This job is no bulk.")
    return job


async def _failures(services: Services, job: Job) -> AsyncIterator[bytes]:
    after = ""
    while parts := await services.jobs.desk.parts_after(job.id, after, _PARTS_AT_ONCE):
        after = parts[-1].id
        for part in parts:
            for line in await _failures_of(services, part):
                yield msgspec.json.encode(line) + b"\n"


async def _failures_of(services: Services, part: Job) -> list[dict[str, Any]]:
    if part.failure is not None:
        told = {"status": "failed", "code": part.failure.code, "reason": part.failure.message, "tries": part.attempts}
        items = msgspec.convert(part.asked["chunk"], Chunk).items
        return [{"name": item.name, item.kind: item.shown_place, "line": item.line, **told} for item in items]
    body = await services.books.blobs.get(part.reply) if part.reply is not None else None
    lines: list[dict[str, Any]] = msgspec.json.decode(body)["data"]["failures"] if body else []
    return lines


async def _outputs(services: Services, job: Job) -> AsyncIterator[bytes]:
    key = await services.jobs.results.link_key()
    expires_at_in_s = int(time.time() + services.settings.webhooks.link_lifetime_in_s)
    root = f"{job.folder}/{OUTPUTS}/"
    async for page in services.books.blobs.pages(root):
        for entry in page:
            name = entry.name.removeprefix(root)
            if not name.startswith(_OWN):
                path = _path(job.id, name)
                url = f"{job.base_url}{path}?{sign(path, expires_at_in_s, key)}"
                yield msgspec.json.encode({"name": name, "size_in_bytes": entry.size_in_bytes, "url": url}) + b"\n"


def _path(job_id: str, name: str) -> str:
    return f"/v1/bulk/{job_id}/outputs/{quote(name)}"
