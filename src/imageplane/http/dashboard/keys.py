"""The keys of an organization: made, capped and revoked."""

import asyncio
from collections.abc import Callable
from typing import Final, TypeVar

from fastapi import APIRouter
from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from imageplane.accounts import keys
from imageplane.accounts.keys import Key
from imageplane.database.stamps import now_in_ms
from imageplane.errors import Fault, RequestError
from imageplane.http.dashboard.fields import Fields, checked_id
from imageplane.http.dashboard.forms import Form, PostedByMember
from imageplane.http.dashboard.overview import NewKey, command_with
from imageplane.http.dashboard.pages import HOME, Member, PageRoute, page, redirect
from imageplane.http.dashboard.visitor import Visitor
from imageplane.http.services import services_of

PATH: Final = f"{HOME}/keys"
router = APIRouter(prefix=PATH, route_class=PageRoute)
Outcome = TypeVar("Outcome")


@router.get("")
async def show(request: Request, member: Member) -> Response:
    """List the keys, and offer to make another."""
    return await _page(request, member)


@router.post("")
async def make(request: Request, form: PostedByMember) -> Response:
    """Make a key, and show it once."""
    fields = Fields(form)
    name, cap_in_millicredits = fields.name(), fields.cap_in_millicredits()
    organization_id = form.visitor.known.organization_id

    def create(connection: Connection) -> str:
        # Also what sees to it that a form which is sent twice makes one key.
        if any(key.name == name and key.state(now_in_ms()) == "active" for key in _keys(connection, organization_id)):
            raise RequestError(f"There is an active key of the name {name!r} already; take another name.")
        return keys.create(connection, organization_id, name, budget_cap_in_millicredits=cap_in_millicredits)

    if not fields.faults:
        try:
            return await _page(request, form.visitor, NewKey(name, await _written(request, create)))
        except RequestError as error:
            fields.fault("name", error.message)
    return await _page(request, form.visitor, fields=fields)


@router.post("/{key_id}/revoke")
async def revoke(request: Request, form: PostedByMember, key_id: str) -> Response:
    """End a key for good."""

    def end(connection: Connection) -> None:
        keys.revoke(connection, _key(connection, form, key_id).id)

    await _written(request, end)
    return redirect(PATH)


@router.post("/{key_id}/cap")
async def cap(request: Request, form: PostedByMember, key_id: str) -> Response:
    """Set the most that a key may ever spend."""
    fields = Fields(form)
    cap_in_millicredits = fields.cap_in_millicredits()
    if fields.faults:
        faults = [Fault(f"cap-{key_id}", fault.message) for fault in fields.faults]
        return await _page(request, form.visitor, fields=Fields(Form(form.visitor, {}), faults))

    def change(connection: Connection) -> None:
        keys.cap(connection, _key(connection, form, key_id), cap_in_millicredits)

    await _written(request, change)
    return redirect(PATH)


async def _page(
    request: Request, member: Visitor, new_key: NewKey | None = None, fields: Fields | None = None
) -> Response:
    database, organization_id = services_of(request).books.database, member.known.organization_id

    def read() -> tuple[Key, ...]:
        with database.reading() as connection:
            return _keys(connection, organization_id)

    return page(
        request,
        member,
        "keys.html",
        faults=fields.faults if fields else (),
        keys=await asyncio.to_thread(read),
        now=now_in_ms(),
        new_key=new_key,
        command=command_with(request, new_key),
        filled_in=fields.form.fields if fields else {},
    )


def _keys(connection: Connection, organization_id: str) -> tuple[Key, ...]:
    return keys.of_organization(connection, organization_id)


def _key(connection: Connection, form: Form, key_id: str) -> Key:
    return keys.of_id(connection, form.visitor.known.organization_id, checked_id(key_id, "key"))


async def _written(request: Request, write: Callable[[Connection], Outcome]) -> Outcome:
    database = services_of(request).books.database

    def written() -> Outcome:
        with database.writing() as connection:
            return write(connection)

    return await asyncio.to_thread(written)
