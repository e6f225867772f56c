"""Every error on every route: one shape, whatever happened and wherever."""

import asyncio
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from server import TRANSFORM
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp
from structlog.testing import capture_logs

from imageplane.accounts.books import Books
from imageplane.errors import Fault, ImageplaneError
from imageplane.http.app import create_app
from imageplane.http.catalog import described
from imageplane.settings import LimitSettings, Settings

SECRET = "what only the log may hold"  # noqa: S105
# These ask nothing that could fail.
NEVER_FAILS = {"/health/live"}


def _below(kind: type[ImageplaneError]) -> Iterator[type[ImageplaneError]]:
    yield kind
    for child in kind.__subclasses__():
        yield from _below(child)


ERRORS = sorted(set(_below(ImageplaneError)), key=lambda kind: (kind.code, kind.__name__))
STRANGERS = [ValueError(SECRET), KeyError(SECRET), RecursionError(SECRET), MemoryError(SECRET), OSError(2, SECRET)]
ROUTES = [
    (method.upper(), path) for path, methods in described(LimitSettings())["paths"].items() for method in methods
] + [("GET", "/metrics")]


class Failing:
    """Services of which every part fails."""

    def __init__(self, error: BaseException) -> None:
        self._error = error

    def __getattr__(self, name: str) -> Any:
        raise self._error


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ASGIApp]:
    """Give an application that was never started: it has no services but what a test gives it."""
    settings = Settings.model_construct(data_dir=tmp_path_factory.mktemp("data"))
    with Books.open(settings) as books, capture_logs():
        yield create_app(settings, books)


def ask(app: ASGIApp, method: str, path: str) -> httpx.Response:
    async def asked() -> httpx.Response:
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            headers = {"X-Request-Id": "walk-1", "Authorization": "Bearer x"}
            return await client.request(method, path, headers=headers)

    return asyncio.run(asked())


def answer(app: Any, method: str, path: str, error: BaseException) -> httpx.Response:
    app._app.state.services = Failing(error)
    return ask(app, method, path)


def check_shape(reply: httpx.Response, status: int, code: str) -> Any:
    assert reply.status_code == status
    assert reply.headers["content-type"] == "application/json"
    assert reply.headers["x-request-id"] == "walk-1"
    assert reply.headers["x-content-type-options"] == "nosniff"
    assert SECRET not in reply.text
    said = reply.json()
    assert set(said) == {"success", "error", "code", "details", "request_id"}
    assert said["success"] is False
    assert isinstance(said["error"], str)
    assert said["error"]
    assert said["code"] == code
    assert said["request_id"] == "walk-1"
    return said


@pytest.mark.parametrize("route", ROUTES, ids=" ".join)
@pytest.mark.parametrize("kind", ERRORS, ids=lambda kind: kind.__name__)
def test_an_error_of_ours(app: ASGIApp, route: tuple[str, str], kind: type[ImageplaneError]) -> None:
    error = kind("One sentence.", detail=SECRET, faults=(Fault("a[0].b", "is bad"),), retry_after_in_s=2.2)
    reply = answer(app, *route, error)
    if route[1] in NEVER_FAILS:
        assert reply.status_code == 200
        return
    said = check_shape(reply, kind.status, kind.code)
    assert said["error"] == "One sentence."
    assert said["details"] == [{"path": "a[0].b", "message": "is bad"}]
    assert reply.headers["retry-after"] == "3"
    assert reply.headers.get("www-authenticate") == ("Bearer" if kind.status == 401 else None)


@pytest.mark.parametrize("route", ROUTES, ids=" ".join)
@pytest.mark.parametrize("error", STRANGERS, ids=repr)
def test_an_error_that_nobody_expected(app: ASGIApp, route: tuple[str, str], error: Exception) -> None:
    reply = answer(app, *route, error)
    if route[1] in NEVER_FAILS:
        assert reply.status_code == 200
        return
    said = check_shape(reply, 500, "internal_error")
    assert said["details"] == []


@pytest.mark.parametrize("kind", ERRORS, ids=lambda kind: kind.__name__)
def test_when_to_come_back_is_always_told_where_the_contract_says_so(app: ASGIApp, kind: type[ImageplaneError]) -> None:
    reply = answer(app, "POST", TRANSFORM, kind("Later."))
    assert reply.headers.get("retry-after") == ("1" if kind.retryable and kind.status in (429, 503) else None)


@pytest.mark.parametrize(("raised", "status", "code"), [(418, 400, "invalid_request"), (502, 500, "internal_error")])
def test_an_error_of_the_framework(app: ASGIApp, raised: int, status: int, code: str) -> None:
    check_shape(answer(app, "GET", "/v1/me", HTTPException(raised, "Words of the framework.")), status, code)


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "HEAD", "TRACE"])
@pytest.mark.parametrize("path", ["/nowhere", "/v1", "//v1/me", "/v1/me/", "/%2e%2e/v1/me", "/%00"])
def test_where_there_is_nothing(app: ASGIApp, method: str, path: str) -> None:
    reply = ask(app, method, path)
    assert reply.status_code == 404
    if method != "HEAD":
        check_shape(reply, 404, "not_found")


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "HEAD", "TRACE"])
def test_another_method(app: ASGIApp, method: str) -> None:
    for known, path in ROUTES:
        if method != known:
            reply = ask(app, method, path)
            assert reply.headers["allow"] == known
            assert reply.status_code == 405
            if method != "HEAD":
                check_shape(reply, 405, "method_not_allowed")


def test_the_walk_goes_everywhere() -> None:
    assert len(ROUTES) >= 7
    assert {("POST", TRANSFORM), ("GET", "/v1/me"), ("GET", "/openapi.json"), ("GET", "/docs")} <= set(ROUTES)
    assert len(ERRORS) >= 25
