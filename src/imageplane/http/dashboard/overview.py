"""The overview: credits, usage by day and by key, and what failed last."""

import asyncio
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from imageplane.accounts import organizations
from imageplane.accounts.usage import usage
from imageplane.http.catalog import server_url
from imageplane.http.dashboard import plots
from imageplane.http.dashboard.pages import HOME, Member, PageRoute, page
from imageplane.http.dashboard.visitor import Visitor
from imageplane.http.reference import upload_command
from imageplane.http.services import services_of
from imageplane.http.transform import TRANSFORM_PATH

router = APIRouter(route_class=PageRoute)
_PERIODS_IN_DAYS: Final = (7, 30, 90)
_PERIOD_IN_DAYS: Final = 30
_LAST_FAILED: Final = 5


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key that was made just now, and is shown this once."""

    name: str
    text: str


@router.get(HOME)
async def show(request: Request, member: Member) -> Response:
    """Tell what there is and what was used."""
    return await shown(request, member)


async def shown(request: Request, member: Visitor, new_key: NewKey | None = None) -> Response:
    """Give the overview, with a key on top where one was made just now."""
    asked = request.query_params.get("days", "")
    period = next((days for days in _PERIODS_IN_DAYS if str(days) == asked), _PERIOD_IN_DAYS)
    last = datetime.now(UTC).date()
    days = [last - timedelta(days=ago) for ago in reversed(range(period))]
    told = await asyncio.to_thread(_told, request, member.known.organization_id, days)
    return page(
        request,
        member,
        "overview.html",
        new_key=new_key,
        command=command_with(request, new_key),
        period=period,
        periods=_PERIODS_IN_DAYS,
        **told,
    )


def command_with(request: Request, new_key: NewKey | None) -> str:
    """Give a line for a shell that makes a thumbnail with a key."""
    public_url = services_of(request).settings.http.public_url or server_url(request)
    return upload_command(public_url.rstrip("/") + TRANSFORM_PATH, new_key.text) if new_key else ""


def _told(request: Request, organization_id: str, days: list[date]) -> dict[str, Any]:
    books = services_of(request).books
    with books.database.reading() as connection:
        organization = organizations.of_id(connection, organization_id)
    rows = usage(books.database, organization_id, days[0], days[-1])
    return {
        "organization": organization,
        "rows": rows,
        "requests": sum(row.requests for row in rows),
        "charged": sum(row.charged_in_millicredits for row in rows),
        "days": days,
        "plot": plots.by_day(rows, days),
        "plane": plots,
        "totals": plots.totals(rows),
        "failed": books.recent.latest(organization_id, only_failed=True)[:_LAST_FAILED],
    }
