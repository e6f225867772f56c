"""The playground at /playground: a page that tries the API out in a browser; the files of `playground/` as they are."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from importlib.resources import files
from typing import Final

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from imageplane.errors import NotFound
from imageplane.http.envelope import is_known
from imageplane.http.look import styled
from imageplane.http.services import services_of

# It is a page for people and no part of the API, so the OpenAPI document does not tell of it.
router = APIRouter(prefix="/playground", include_in_schema=False)

_PAGE: Final = "page.html"
_STYLE: Final = "style.css"
_DASHBOARD_LINK: Final = ' <a href="dashboard">Dashboard</a>'
_MEDIA_TYPES: Final = {".html": "text/html", ".css": "text/css", ".js": "text/javascript"}
CONTENT_SECURITY_POLICY: Final = "; ".join(
    [
        "default-src 'none'", "script-src 'self'", "style-src 'self'", "connect-src 'self'",
        # A photo may come from anywhere: the page shows what the server is asked to fetch.
        "img-src data: blob: https: http:",
        "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'", "require-trusted-types-for 'script'",
    ]
)  # fmt: skip
_HEADERS: Final = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    # They belong together, so none is used without asking whether it is still the same.
    "Cache-Control": "no-cache",
}


@dataclass(frozen=True, slots=True)
class File:
    """One file as it is sent."""

    text: str
    media_type: str

    @property
    def etag(self) -> str:
        return f'"{hashlib.sha256(self.text.encode()).hexdigest()[:32]}"'


def _read() -> Mapping[str, File]:
    found = {
        each.name: each.read_text("utf-8")
        for each in (files("imageplane") / "playground").iterdir()
        if each.name.endswith(tuple(_MEDIA_TYPES))
    }
    found[_STYLE] = styled(found[_STYLE])
    return {name: File(text, _MEDIA_TYPES["." + name.rpartition(".")[2]]) for name, text in found.items()}


_FILES: Final = _read()


@router.get("")
async def playground(request: Request) -> Response:
    """Give the page."""
    return _answer(request, page(has_dashboard=services_of(request).settings.dashboard.enabled))


@router.get("/{name}")
async def playground_file(request: Request, name: str) -> Response:
    """Give a style or a script of the page."""
    if name == _PAGE or name not in _FILES:
        raise NotFound(f"The playground has no file {name[:100]}.")
    return _answer(request, _FILES[name])


def page(*, has_dashboard: bool) -> File:
    """Give the page, with a link to the dashboard where there is one."""
    found = _FILES[_PAGE]
    return found if has_dashboard else File(found.text.replace(_DASHBOARD_LINK, ""), found.media_type)


def _answer(request: Request, file: File) -> Response:
    headers = {**_HEADERS, "ETag": file.etag}
    if is_known(request.headers.get("if-none-match", ""), file.etag):
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
    return Response(file.text, media_type=file.media_type, headers=headers)
