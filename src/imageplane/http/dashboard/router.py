"""Every page of the dashboard, and what leads there."""

from http import HTTPStatus

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from imageplane.errors import NotFound
from imageplane.http.dashboard import account, guests, jobs, keys, overview, requests
from imageplane.http.dashboard.pages import HOME, STYLE, STYLE_PATH, PageRoute

router = APIRouter(include_in_schema=False)
_pages = APIRouter(prefix=HOME, route_class=PageRoute)
_FOR_GOOD = {"Cache-Control": "public, max-age=31536000, immutable"}


@router.get("/")
async def root(request: Request) -> Response:
    """Send a browser to the dashboard; for programs there is nothing here."""
    if "text/html" in request.headers.get("accept", ""):
        return RedirectResponse(HOME, HTTPStatus.FOUND, {"Vary": "Accept"})
    raise NotFound("There is nothing at GET /; /docs lists what there is.")


@router.get(STYLE_PATH)
async def style() -> Response:
    """Give the one stylesheet."""
    return Response(STYLE, media_type="text/css", headers=_FOR_GOOD)


@_pages.get("/{rest:path}")
async def nowhere() -> Response:
    """Tell that there is no such page."""
    raise NotFound("There is no such page.")


for _each in (overview.router, guests.router, keys.router, requests.router, jobs.router, account.router, _pages):
    router.include_router(_each)
