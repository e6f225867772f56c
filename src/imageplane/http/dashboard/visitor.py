"""Who is at a page: what the cookie says, the session behind it, and the token that their forms carry.

The cookie holds 256 bits of chance, whether or not somebody has signed in: forms of strangers need a token too. Who
signs in gets another one, so that nobody can prepare a session for somebody else.
"""

import asyncio
import hmac
from dataclasses import dataclass, replace
from typing import Annotated, Final
from urllib.parse import urlsplit

from fastapi import Depends
from starlette.requests import Request
from starlette.responses import Response

from imageplane.accounts import sessions
from imageplane.accounts.sessions import Session
from imageplane.database.stamps import now_in_ms
from imageplane.http.services import services_of
from imageplane.http.visit import visit_of

_COOKIE: Final = "imageplane"
# A session is prolonged when this much of its lifetime is over, not with every look at a page.
_WORTH_PROLONGING: Final = 0.1


class NotSignedIn(Exception):
    """The page is for those who have signed in."""


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody at a page.

    Takes: `secret`, what the cookie holds; whether the browser has to be told it.
    """

    secret: str
    session: Session | None = None
    is_to_be_told: bool = False

    @property
    def known(self) -> Session:
        """Who it is. Errors: `NotSignedIn`."""
        if self.session is None:
            raise NotSignedIn
        return self.session

    @property
    def form_token(self) -> str:
        """What every form of this browser carries: nobody can make it without the cookie."""
        return hmac.digest(self.secret.encode(), b"imageplane form", "sha256").hex()


async def visitor(request: Request) -> Visitor:
    """Tell who is at a page. Errors: busy."""
    secret = request.cookies.get(cookie_name(request), "")
    if not sessions.is_well_formed(secret):
        return stranger()
    database = services_of(request).books.database
    lifetime_in_s = services_of(request).settings.dashboard.session_lifetime_in_s
    now = now_in_ms()

    def found() -> Visitor:
        with database.reading() as connection:
            session = sessions.found(connection, secret, now)
        if session is None or session.expires_at_in_ms - now > lifetime_in_s * 1000 * (1 - _WORTH_PROLONGING):
            return Visitor(secret, session)
        with database.writing() as connection:
            sessions.prolong(connection, secret, now, lifetime_in_s)
        return Visitor(secret, session, is_to_be_told=True)

    known = await asyncio.to_thread(found)
    if known.session is not None:
        facts = {"organization_id": known.session.organization_id, "user_id": known.session.user_id}
        visit_of(request).facts.update(facts)
    return known


async def member(visitor: Annotated[Visitor, Depends(visitor)]) -> Visitor:
    """Give somebody who has signed in. Errors: `NotSignedIn`, busy."""
    return replace(visitor, session=visitor.known)


def stranger() -> Visitor:
    """Give somebody whom nobody has seen before."""
    return Visitor(sessions.new_text(), is_to_be_told=True)


def cookie_name(request: Request) -> str:
    """Give the name of the cookie; over https it is one that no other host and no plain connection can set."""
    return f"__Host-{_COOKIE}" if _is_https(request) else _COOKIE


def tell(request: Request, response: Response, secret: str, *, is_session: bool) -> None:
    """Have the browser keep a secret: that of a session for its lifetime, any other until the browser is closed."""
    lifetime_in_s = services_of(request).settings.dashboard.session_lifetime_in_s
    response.set_cookie(
        cookie_name(request),
        secret,
        max_age=lifetime_in_s if is_session else None,
        path="/",
        secure=_is_https(request),
        httponly=True,
        samesite="lax",
    )


def _is_https(request: Request) -> bool:
    if request.url.scheme == "https":
        return True
    # A proxy that ends TLS need not say so, but the operator did.
    public = urlsplit(services_of(request).settings.http.public_url or "")
    return public.scheme == "https" and public.netloc == request.headers.get("host")
