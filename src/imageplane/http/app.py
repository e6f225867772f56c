"""The server as one ASGI application."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match, Route
from starlette.types import ASGIApp, Scope

from imageplane.accounts.books import Books
from imageplane.errors import Fault, ImageplaneError, RequestError
from imageplane.http import account, bulk, catalog, health, jobs, mcp, playground, webhooks
from imageplane.http.dashboard import reception
from imageplane.http.dashboard.router import router as dashboard
from imageplane.http.failures import answer_failure
from imageplane.http.gate import Gate
from imageplane.http.metrics import Metrics
from imageplane.http.services import opened
from imageplane.http.tracing import tracing
from imageplane.http.transform import TRANSFORM_PATH, transform
from imageplane.settings import Settings


def create_app(settings: Settings, books: Books) -> ASGIApp:
    """Build the server on books that are open; it closes them when it ends."""
    metrics, traces = Metrics(), tracing(is_wanted=settings.http.traces)

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with opened(settings, metrics, books) as services, reception.opened(settings) as app.state.reception:
            app.state.services = services
            yield
        await asyncio.to_thread(traces.close)

    app = FastAPI(lifespan=lifespan, docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False)
    for kind in (HTTPException, ImageplaneError, Exception):
        app.add_exception_handler(kind, answer_failure)
    app.add_exception_handler(RequestValidationError, _answer_validation)
    app.router.routes.append(_PlainRoute(TRANSFORM_PATH, transform, methods=["POST"]))
    for router in (account.router, jobs.router, bulk.router, webhooks.router, health.router, catalog.router):
        app.include_router(router)
    if settings.dashboard.enabled:
        app.include_router(dashboard)
    recent = books.recent if settings.dashboard.enabled else None
    if settings.http.playground:
        app.include_router(playground.router)
    gate = Gate(app, settings.limits.max_body_in_bytes, metrics, traces, recent)
    if settings.http.mcp and mcp.is_installed():
        app.add_api_route(
            mcp.MCP_PATH, mcp.McpDoor(gate).answer, methods=["POST"], response_model=None, include_in_schema=False
        )
    return gate


class _PlainRoute(Route):
    """A route that reads its own body and writes its own reply: FastAPI's way costs five times the CPU."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        match, found = super().matches(scope)
        # By which FastAPI's routes are known to logs and metrics.
        return match, {**found, "route": self}


async def _answer_validation(request: Request, error: Exception) -> Response:
    faults = error.errors() if isinstance(error, RequestValidationError) else []
    ours = [Fault(".".join(map(str, fault["loc"][1:])), _sentence(fault["msg"])) for fault in faults]
    return await answer_failure(request, RequestError.of(ours))


def _sentence(message: str) -> str:
    text = message.removeprefix("Value error, ")
    return text[:1].lower() + text[1:]
