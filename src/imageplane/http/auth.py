"""Who asks: the key of the request, and whether its organization may ask again already."""

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
    services, visit = services_of(request), visit_of(request)
    account = await services.books.keys.account(_key_in(request.headers.get("authorization", "")))
    visit.facts.update(organization_id=account.organization_id, key_id=account.key_id)
    rate, is_allowed = await services.rates.take(account.organization_id)
    visit.headers.update(rate.headers())
    if not is_allowed:
        raise refused(rate)
    return account


def _key_in(authorization: str) -> str:
    scheme, _, key = authorization.partition(" ")
    if scheme.lower() != "bearer" or not key.strip():
        raise InvalidKey
    return key.strip()
