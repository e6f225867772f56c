"""Is the server alive, is it ready, and what does it count: for machines that ask without a key."""

import asyncio

from fastapi import APIRouter
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.requests import Request
from starlette.responses import Response

from imageplane.errors import Busy
from imageplane.http.replies import Alive, AliveReply, Ready, ReadyReply, json_response
from imageplane.http.services import services_of

router = APIRouter(tags=["operation"])


@router.get("/health/live")
async def live() -> Response:
    """Answer as long as the server answers at all."""
    return json_response(AliveReply(success=True, data=Alive("alive")))


@router.get("/health/ready")
async def ready(request: Request) -> Response:
    """Answer 200 when engines and database answer, 503 while they don't or the server is ending."""
    services = services_of(request)
    if not services.pool.engine_ids():
        # Who asks sends no requests before the answer is yes, and only a request would bring an engine back.
        services.pool.wake()
        raise Busy("No engine is running.", retry_after_in_s=1)
    await asyncio.to_thread(services.books.database.check)
    return json_response(ReadyReply(success=True, data=Ready("ready", len(services.pool.engine_ids()))))


@router.get("/metrics", include_in_schema=False)
async def metrics(request: Request) -> Response:
    """Give the counters in the text format of Prometheus."""
    page = await asyncio.to_thread(services_of(request).metrics.page)
    return Response(page, media_type=CONTENT_TYPE_LATEST)
