"""What a form sends, once it is sure that the form was one of ours, filled in by whom the cookie names."""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Final
from urllib.parse import parse_qsl, urlsplit

from fastapi import Depends
from starlette.requests import Request

from imageplane.errors import Forbidden, RequestError, TooLarge
from imageplane.http.dashboard.visitor import Visitor, member, visitor

TOKEN_FIELD: Final = "token"  # noqa: S105 - the name of a field
_KIND: Final = "application/x-www-form-urlencoded"
_MOST_IN_BYTES: Final = 16_384
_MOST_FIELDS: Final = 20
_OF_ANOTHER_SITE: Final = "This form came from another site, so that nothing was done."
_STALE: Final = (
    "This form is out of date, or the browser keeps no cookies, so that nothing was done. Go back, load the page again "
    "and send it once more."
)


@dataclass(frozen=True, slots=True)
class Form:
    """What was filled in, and by whom."""

    visitor: Visitor
    fields: Mapping[str, str]

    def __getitem__(self, name: str) -> str:
        return self.fields.get(name, "")


async def posted(request: Request, visitor: Annotated[Visitor, Depends(visitor)]) -> Form:
    """Read a form. Errors: forbidden, too_large, invalid_request, busy."""
    _check_origin(request)
    fields = await _fields(request)
    if not hmac.compare_digest(fields.pop(TOKEN_FIELD, "").encode(), visitor.form_token.encode()):
        raise Forbidden(_STALE)
    return Form(visitor, fields)


async def posted_by_member(member: Annotated[Visitor, Depends(member)], form: Annotated[Form, Depends(posted)]) -> Form:
    """Read a form of somebody who has signed in. Errors: `NotSignedIn`, those of `posted`."""
    return Form(member, form.fields)


Posted = Annotated[Form, Depends(posted)]
PostedByMember = Annotated[Form, Depends(posted_by_member)]


def _check_origin(request: Request) -> None:
    # Browsers say where a form came from, and pages can't change it; those of before 2020 say it by Origin alone.
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        if site != "same-origin":
            raise Forbidden(_OF_ANOTHER_SITE, detail=f"Sec-Fetch-Site: {site[:20]}")
        return
    origin = request.headers.get("origin")
    if origin is not None and urlsplit(origin).netloc != request.headers.get("host"):
        raise Forbidden(_OF_ANOTHER_SITE, detail="Origin of another host")


async def _fields(request: Request) -> dict[str, str]:
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != _KIND:
        raise RequestError("That is no form of these pages.")
    body = b""
    async for piece in request.stream():
        body += piece
        if len(body) > _MOST_IN_BYTES:
            raise TooLarge("The form is larger than any of these pages.")
    try:
        return dict(parse_qsl(body.decode(), keep_blank_values=True, errors="strict", max_num_fields=_MOST_FIELDS))
    except ValueError as error:
        raise RequestError("That is no form of these pages.") from error
