"""Who asks: the key of the request, and whether its organization may ask again already."""

import contextlib

from starlette.requests import Request

from imageplane.accounts.account import Account
from imageplane.errors import InvalidKey
from imageplane.http.rates import refused
from imageplane.http.services import services_of
from imageplane.http.visit import visit_of


async def admitted(request: Request) -> Account:
    """Give the account whose key the request carries, counted against its rate limit.

    Errors: invalid_api_key, rate_limited, busy.
    """
    account = await account_of(request)
    rate, is_allowed = await services_of(request).rates.take(account.organization_id)
    visit_of(request).headers.update(rate.headers())
    if not is_allowed:
        raise refused(rate)
    return account


async def recognized(request: Request) -> None:
    """Show a caller with a good key its rate limit, where no route counts the request."""
    # The reply is known already, and stands whatever fails here.
    with contextlib.suppress(Exception):
        account = await account_of(request)
        rate = await services_of(request).rates.look(account.organization_id)
        visit_of(request).headers.update(rate.headers())


async def account_of(request: Request) -> Account:
    """Give the account whose key the request carries, without counting the request. Errors: invalid_api_key, busy."""
    account = await services_of(request).books.keys.account(_key_in(request.headers.get("authorization", "")))
    visit_of(request).facts.update(organization_id=account.organization_id, key_id=account.key_id)
    return account


def _key_in(authorization: str) -> str:
    scheme, _, key = authorization.partition(" ")
    if scheme.lower() != "bearer" or not key.strip():
        raise InvalidKey
    return key.strip()
