"""The latest requests of an organization, and what was wrong with those that failed."""

import asyncio
from typing import Final

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from imageplane.accounts.recent import KEPT_FOR_IN_S, LATEST
from imageplane.http.dashboard.pages import HOME, Member, PageRoute, page
from imageplane.http.services import services_of

router = APIRouter(prefix=f"{HOME}/requests", route_class=PageRoute)
_DAY_IN_S: Final = 24 * 3600


@router.get("")
async def show(request: Request, member: Member) -> Response:
    """List them, the latest first."""
    only_failed = request.query_params.get("only") == "failed"
    recent = services_of(request).books.recent
    found = await asyncio.to_thread(recent.latest, member.known.organization_id, only_failed=only_failed)
    return page(
        request,
        member,
        "requests.html",
        requests=found,
        only_failed=only_failed,
        most=LATEST,
        kept_for_in_days=KEPT_FOR_IN_S // _DAY_IN_S,
    )
