"""What the server can do, for machines and for people: /openapi.json and /docs."""

import re
from functools import cache
from typing import Any

from fastapi import APIRouter
from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response

from imageplane.http import account, bulk, health, jobs, webhooks
from imageplane.http.openapi import document
from imageplane.http.reference import CONTENT_SECURITY_POLICY, page
from imageplane.http.replies import json_response
from imageplane.http.services import services_of
from imageplane.http.transform import TRANSFORM_PATH, transform
from imageplane.settings import LimitSettings

router = APIRouter(tags=["catalog"])
_HOST = re.compile(r"(?:[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?")


@router.get("/openapi.json")
async def openapi(request: Request) -> Response:
    """Describe the whole API to a machine, as OpenAPI 3.1."""
    return json_response(described(services_of(request).settings.limits))


@router.get("/docs")
async def docs(request: Request) -> Response:
    """Describe the whole API to a person."""
    limits = services_of(request).settings.limits
    text = page(described(limits), limits, server_url(request))
    return Response(text, media_type="text/html", headers={"Content-Security-Policy": CONTENT_SECURITY_POLICY})


@cache
def described(limits: LimitSettings) -> dict[str, Any]:
    """Give the OpenAPI document of a server with these limits; nobody may change it."""
    routers = (account.router, jobs.router, bulk.router, webhooks.router, health.router, router)
    routes = [route for each in routers for route in each.routes if isinstance(route, APIRoute)]
    return document([APIRoute(TRANSFORM_PATH, transform, methods=["POST"]), *routes], limits)


def server_url(request: Request) -> str:
    """Give the address of this server as it stands in commands for callers."""
    # The caller can write anything there; it ends up in a line that people paste into their shell.
    host = request.headers.get("host", "")
    return f"{request.scope['scheme']}://{host if _HOST.fullmatch(host) else 'localhost'}"
