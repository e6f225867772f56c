"""The caller's own account: who it is, what it has and what it used."""

import asyncio
import re
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from pydantic import BeforeValidator
from starlette.requests import Request
from starlette.responses import Response

from imageplane.accounts import organizations
from imageplane.accounts.account import Account
from imageplane.accounts.prices import MILLICREDITS
from imageplane.accounts.usage import Usage, usage
from imageplane.errors import Fault, RequestError
from imageplane.http import replies
from imageplane.http.auth import admitted
from imageplane.http.services import services_of

router = APIRouter(prefix="/v1", tags=["account"])
_MOST_DAYS = 366
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


def _written_as_a_day(text: Any) -> Any:
    # Pydantic takes a number for seconds since 1970.
    if isinstance(text, str) and not _DAY.fullmatch(text):
        raise ValueError("expected a day such as 2026-01-31")
    return text


_Day = Annotated[date | None, BeforeValidator(_written_as_a_day)]
_Admitted = Annotated[Account, Depends(admitted)]


@router.get("/me")
async def me(request: Request, account: _Admitted) -> Response:
    """Tell whose key this is, and how many credits the organization has."""
    services = services_of(request)

    def read() -> organizations.Organization:
        with services.books.database.reading() as connection:
            return organizations.of_id(connection, account.organization_id)

    organization = await asyncio.to_thread(read)
    known = replies.Account(
        organization=replies.Organization(organization.id, organization.name),
        key=replies.Key(account.key_id, account.key_name, _moment(account.expires_at_in_ms)),
        credits=organization.balance_in_millicredits / MILLICREDITS,
        requests_per_minute=services.settings.limits.requests_per_minute,
    )
    return replies.json_response(replies.AccountReply(success=True, data=known))


@router.get("/usage", name="usage")
async def used(
    request: Request,
    account: _Admitted,
    since: Annotated[_Day, Query(description="The first day, in UTC; 30 days before the last without one.")] = None,
    until: Annotated[_Day, Query(description="The last day, in UTC; today without one.")] = None,
) -> Response:
    """Tell what each key of the organization did on each day."""
    services = services_of(request)
    last = until or datetime.now(UTC).date()
    first = since or max(date.min + timedelta(days=30), last) - timedelta(days=30)
    if not first <= last or (last - first).days > _MOST_DAYS:
        raise RequestError.of([Fault("since", f"expected a day at most {_MOST_DAYS} days before until")])
    rows = await asyncio.to_thread(usage, services.books.database, account.organization_id, first, last)
    days = tuple(_day_of_use(row) for row in rows)
    return replies.json_response(replies.UsageReply(success=True, data=replies.Usage(first, last, days)))


def _day_of_use(row: Usage) -> replies.DayOfUse:
    return replies.DayOfUse(
        day=row.day,
        key=replies.UsedKey(row.key_id, row.key_name),
        api=row.api,
        requests=row.requests,
        credits=row.charged_in_millicredits / MILLICREDITS,
    )


def _moment(at_in_ms: int | None) -> datetime | None:
    return None if at_in_ms is None else datetime.fromtimestamp(at_in_ms / 1000, UTC)
