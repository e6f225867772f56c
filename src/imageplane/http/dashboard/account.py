"""The user's own account: another password, and the end of every session."""

import asyncio
from collections.abc import Sequence
from typing import Final

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from imageplane.accounts import sessions, users
from imageplane.accounts.passwords import FEWEST_CHARACTERS
from imageplane.accounts.users import User
from imageplane.database.stamps import now_in_ms
from imageplane.errors import Fault, ImageplaneError, RateLimited
from imageplane.http.dashboard.fields import Fields
from imageplane.http.dashboard.forms import PostedByMember
from imageplane.http.dashboard.pages import HOME, SIGN_IN, Member, PageRoute, page, redirect
from imageplane.http.dashboard.reception import reception_of
from imageplane.http.dashboard.visitor import Visitor, tell
from imageplane.http.services import services_of

PATH: Final = f"{HOME}/account"
router = APIRouter(prefix=PATH, route_class=PageRoute)


@router.get("")
async def show(request: Request, member: Member) -> Response:
    """Tell who has signed in, and offer another password."""
    return _page(request, member, is_changed=request.query_params.get("changed") == "password")


@router.post("/password")
async def change_password(request: Request, form: PostedByMember) -> Response:
    """Take another password; every session of the user ends, and this browser gets a new one."""
    fields, session = Fields(form), form.visitor.known
    reception, database = reception_of(request), services_of(request).books.database
    try:
        await reception.count_try(request, "password", session.email)
    except RateLimited as error:
        return _page(request, form.visitor, [Fault("current", error.message)], error)

    def read() -> User:
        with database.reading() as connection:
            return users.of_id(connection, session.user_id)

    user = await asyncio.to_thread(read)
    password = fields.new_password(session.email)
    if not await reception.passwords.matches(form["current"], user.password_hash):
        fields.faults.insert(0, Fault("current", "That is not your password of now."))
    if fields.faults:
        return _page(request, form.visitor, fields.faults)
    password_hash = await reception.passwords.hashed(password)
    lifetime_in_s = services_of(request).settings.dashboard.session_lifetime_in_s

    def change() -> str | None:
        with database.writing() as connection:
            if not users.keep_hash(connection, user, password_hash):
                return None
            sessions.end_all(connection, user.id)
            changed = users.of_id(connection, user.id)
            return sessions.begin(connection, changed, now_in_ms(), lifetime_in_s)

    secret = await asyncio.to_thread(change)
    if secret is None:
        # Somebody else changed it in the same moment.
        return redirect(SIGN_IN)
    response = redirect(f"{PATH}?changed=password")
    tell(request, response, secret, is_session=True)
    return response


@router.post("/sign-out-everywhere")
async def sign_out_everywhere(request: Request, form: PostedByMember) -> Response:
    """End every session of the user, this one too."""
    database = services_of(request).books.database

    def end() -> None:
        with database.writing() as connection:
            sessions.end_all(connection, form.visitor.known.user_id)

    await asyncio.to_thread(end)
    return redirect(SIGN_IN)


def _page(
    request: Request,
    member: Visitor,
    faults: Sequence[Fault] = (),
    error: ImageplaneError | None = None,
    *,
    is_changed: bool = False,
) -> Response:
    told = {"fewest_characters": FEWEST_CHARACTERS, "is_changed": is_changed}
    return page(request, member, "account.html", faults=faults, error=error, **told)
