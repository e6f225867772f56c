"""The door: sign up, sign in, sign out."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from fastapi import APIRouter
from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from imageplane.accounts import keys, organizations, sessions, users
from imageplane.accounts.books import FIRST_NAME, Books
from imageplane.accounts.passwords import FEWEST_CHARACTERS
from imageplane.accounts.prices import MILLICREDITS
from imageplane.accounts.users import User
from imageplane.database.stamps import new_id, now_in_ms
from imageplane.errors import Fault, ImageplaneError, NotFound, RateLimited, RequestError
from imageplane.http.dashboard import overview
from imageplane.http.dashboard.fields import Fields
from imageplane.http.dashboard.forms import Posted, PostedByMember
from imageplane.http.dashboard.overview import NewKey
from imageplane.http.dashboard.pages import HOME, SIGN_IN, AnyVisitor, PageRoute, page, redirect
from imageplane.http.dashboard.reception import reception_of
from imageplane.http.dashboard.visitor import Visitor, cookie_name, tell
from imageplane.http.services import services_of

router = APIRouter(prefix=HOME, route_class=PageRoute)
_WRONG: Final = "The e-mail address or the password is wrong."
_NAMED_AFTER_EMAIL: Final = 90


@router.get("/sign-up")
async def show_sign_up(request: Request, visitor: AnyVisitor) -> Response:
    """Ask for an address and a password."""
    _check_sign_up(request)
    return redirect() if visitor.session else _sign_up_page(request, visitor)


@router.post("/sign-up")
async def sign_up(request: Request, form: Posted) -> Response:
    """Make an organization with trial credits, its user and a first key, and show that key once."""
    _check_sign_up(request)
    if form.visitor.session:
        return redirect()
    fields = Fields(form)
    email = fields.email()
    password = fields.new_password(email)
    if fields.faults:
        return _sign_up_page(request, form.visitor, form["email"], fields.faults)
    reception, books = reception_of(request), services_of(request).books
    try:
        await reception.count_try(request, "sign-up")
        password_hash = await reception.passwords.hashed(password)
        lifetime_in_s = services_of(request).settings.dashboard.session_lifetime_in_s
        visitor, key_text = await asyncio.to_thread(_join, books, email, password_hash, lifetime_in_s)
    except RequestError as error:
        return _sign_up_page(request, form.visitor, form["email"], [Fault("email", error.message)])
    except RateLimited as error:
        return _sign_up_page(request, form.visitor, form["email"], [Fault("email", error.message)], error)
    return await overview.shown(request, visitor, NewKey(FIRST_NAME, key_text))


@router.get("/sign-in")
async def show_sign_in(request: Request, visitor: AnyVisitor) -> Response:
    """Ask who it is."""
    return redirect() if visitor.session else _sign_in_page(request, visitor)


@router.post("/sign-in")
async def sign_in(request: Request, form: Posted) -> Response:
    """Start a session for whom the password proves."""
    reception, books = reception_of(request), services_of(request).books
    email, password = form["email"], form["password"]
    try:
        # However it is spelled.
        await reception.count_try(request, "sign-in", Fields(form).email()[: users.MOST_CHARACTERS])
    except RateLimited as error:
        return _sign_in_page(request, form.visitor, email, [Fault("email", error.message)], error)

    def user_of_email() -> User | None:
        with books.database.reading() as connection:
            return users.with_email(connection, email)

    user = await asyncio.to_thread(user_of_email)
    is_right = await reception.passwords.matches(password, None if user is None else user.password_hash)
    secret = await _begin(request, user, password, form.visitor) if user is not None and is_right else None
    if secret is None:
        # The same words whether or not there is such a user.
        return _sign_in_page(request, form.visitor, email, [Fault("email", _WRONG)])
    response = redirect()
    tell(request, response, secret, is_session=True)
    return response


@router.post("/sign-out")
async def sign_out(request: Request, form: PostedByMember) -> Response:
    """End the session."""
    database = services_of(request).books.database

    def end() -> None:
        with database.writing() as connection:
            sessions.end(connection, form.visitor.secret)

    await asyncio.to_thread(end)
    response = redirect(SIGN_IN)
    response.delete_cookie(cookie_name(request), path="/", secure=cookie_name(request).startswith("__Host-"))
    # Nothing of what was shown is left in the browser.
    response.headers["Clear-Site-Data"] = '"cache"'
    return response


def _join(books: Books, email: str, password_hash: str, lifetime_in_s: int) -> tuple[Visitor, str]:
    with books.database.writing() as connection:
        organization = books.new_organization(connection, _free_name(connection, email))
        user = users.create(connection, organization.id, email, password_hash)
        key_text = keys.create(connection, organization.id, FIRST_NAME)
        now = now_in_ms()
        secret = str(sessions.begin(connection, user, now, lifetime_in_s))
        return Visitor(secret, sessions.found(connection, secret, now), is_to_be_told=True), key_text


def _free_name(connection: Connection, email: str) -> str:
    name = email[:_NAMED_AFTER_EMAIL]
    return name if organizations.named(connection, name) is None else f"{name} {new_id()[-6:]}"


async def _begin(request: Request, user: User, password: str, visitor: Visitor) -> str | None:
    books, passwords = services_of(request).books, reception_of(request).passwords
    lifetime_in_s = services_of(request).settings.dashboard.session_lifetime_in_s
    better = await passwords.hashed(password) if passwords.is_outdated(user.password_hash) else None

    def begin() -> str | None:
        with books.database.writing() as connection:
            sessions.end(connection, visitor.secret)
            known = user
            if better is not None and users.keep_hash(connection, user, better):
                known = replace(user, password_hash=better)
            return sessions.begin(connection, known, now_in_ms(), lifetime_in_s)

    return await asyncio.to_thread(begin)


def _check_sign_up(request: Request) -> None:
    if not services_of(request).settings.dashboard.sign_up:
        raise NotFound("Accounts are made by whoever runs this server.")


def _sign_up_page(
    request: Request,
    visitor: Visitor,
    email: str = "",
    faults: Sequence[Fault] = (),
    error: ImageplaneError | None = None,
) -> Response:
    trial_credits = services_of(request).settings.trial_credits * MILLICREDITS
    told = {"email": email, "fewest_characters": FEWEST_CHARACTERS, "trial_credits": trial_credits}
    return page(request, visitor, "sign_up.html", faults=faults, error=error, **told)


def _sign_in_page(
    request: Request,
    visitor: Visitor,
    email: str = "",
    faults: Sequence[Fault] = (),
    error: ImageplaneError | None = None,
) -> Response:
    return page(request, visitor, "sign_in.html", faults=faults, error=error, email=email)
