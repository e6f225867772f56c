"""Pages: a template and what it tells, with headers that let nothing else in."""

import hashlib
from collections.abc import Callable, Coroutine, Sequence
from datetime import UTC, datetime
from http import HTTPStatus
from importlib.resources import files
from typing import Annotated, Any, Final

import structlog
from fastapi import Depends
from fastapi.routing import APIRoute
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from imageplane.accounts.prices import in_credits
from imageplane.errors import Fault, ImageplaneError, InternalError
from imageplane.http.dashboard.visitor import NotSignedIn, Visitor, member, stranger, tell
from imageplane.http.dashboard.visitor import visitor as visitor_at
from imageplane.http.failures import failure
from imageplane.http.look import styled
from imageplane.http.services import services_of
from imageplane.http.visit import visit_of

_log = structlog.get_logger("imageplane.http")

HOME: Final = "/dashboard"
SIGN_IN: Final = f"{HOME}/sign-in"
STYLE: Final = styled((files(__package__) / "pages.css").read_text("utf-8"))
# Its name changes with it, so that browsers may keep it for good.
STYLE_PATH: Final = f"{HOME}/{hashlib.sha256(STYLE.encode()).hexdigest()[:16]}.css"

_HEADERS: Final = {
    # Keys stand on these pages: nobody on the way, and no back button of another person, is to see them again.
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src data:; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Referrer-Policy": "same-origin",
}

AnyVisitor = Annotated[Visitor, Depends(visitor_at)]
Member = Annotated[Visitor, Depends(member)]


def _moment(at_in_ms: int) -> Markup:
    at = datetime.fromtimestamp(at_in_ms / 1000, UTC)
    return Markup('<time datetime="{}">{}</time>').format(
        at.isoformat(timespec="seconds"), at.strftime("%Y-%m-%d %H:%M:%S")
    )


def _credits(amount_in_millicredits: int) -> str:
    whole, point, rest = in_credits(amount_in_millicredits).partition(".")
    return f"{int(whole):,}{point}{rest}"


def _priced(amount_in_millicredits: int) -> str:
    said = _credits(amount_in_millicredits)
    return f"{said} credit" if said == "1" else f"{said} credits"


_templates: Final = Environment(
    loader=PackageLoader("imageplane.http.dashboard"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    auto_reload=False,
)
_templates.filters.update(credits=_credits, digits=in_credits, priced=_priced, moment=_moment, number="{:,}".format)
_templates.globals.update(home=HOME, style_path=STYLE_PATH)


def page(
    request: Request,
    visitor: Visitor,
    template: str,
    *,
    faults: Sequence[Fault] = (),
    error: ImageplaneError | None = None,
    **told: Any,
) -> Response:
    """Give a page.

    Takes: `faults` of a form that is shown again, each with the id of its field; the `error` that it tells of; what
    else the template names.
    """
    settings = services_of(request).settings
    text = _templates.get_template(template).render(
        visitor=visitor,
        path=request.url.path,
        may_sign_up=settings.dashboard.sign_up,
        has_playground=settings.http.playground,
        faults=faults,
        fault_at={fault.path: fault.message for fault in faults},
        error=error,
        request_id=visit_of(request).request_id,
        **told,
    )
    response = HTMLResponse(text, HTTPStatus.UNPROCESSABLE_ENTITY if faults else HTTPStatus.OK, _HEADERS)
    if error is not None:
        told_by_api = failure(error, visit_of(request))
        response.status_code = told_by_api.status_code
        if "Retry-After" in told_by_api.headers:
            response.headers["Retry-After"] = told_by_api.headers["Retry-After"]
    if visitor.is_to_be_told:
        tell(request, response, visitor.secret, is_session=visitor.session is not None)
    return response


def redirect(path: str = HOME) -> Response:
    """Send the browser to another page, which it asks for with GET."""
    return RedirectResponse(path, HTTPStatus.SEE_OTHER, {"Cache-Control": "no-store"})


class PageRoute(APIRoute):
    """A route whose failures are pages too, and which sends strangers to the door."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Give what answers a request."""
        answer = super().get_route_handler()

        async def answered(request: Request) -> Response:
            try:
                return await answer(request)
            except NotSignedIn:
                return redirect(SIGN_IN)
            except HTTPException:
                raise
            except ImageplaneError as error:
                return failed(request, error)
            except Exception as error:
                _log.exception("failed", request_id=visit_of(request).request_id, error=type(error).__name__)
                return failed(request, InternalError("Something went wrong here."))

        return answered


def failed(request: Request, error: ImageplaneError) -> Response:
    """Give the page of an error; it asks nothing of the database, which may be what failed."""
    return page(request, Visitor(stranger().secret), "error.html", error=error)
