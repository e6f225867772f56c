"""Requests that may be sent again: who gives an `Idempotency-Key` gets the reply that was kept for it, charged once."""

from collections.abc import Awaitable, Callable

from starlette.requests import Request

from imageplane.accounts.account import Account
from imageplane.accounts.claims import Reply
from imageplane.errors import ImageplaneError
from imageplane.http.failures import failure
from imageplane.http.services import services_of
from imageplane.http.visit import visit_of

Keep = Callable[[Reply], Awaitable[None]]


def key_of(request: Request) -> str | None:
    """Give the key of a request that may be sent again, or None."""
    return request.headers.get("idempotency-key")


async def repeatable(
    request: Request, account: Account, key: str, digest: bytes, do: Callable[[Keep], Awaitable[Reply]]
) -> Reply:
    """Do work whose reply is kept, or repeat the one that was kept for this key.

    Takes: `digest`, 32 bytes that tell this request from another; `do`, called with what keeps its reply.
    Errors: invalid_request, idempotency_in_progress, idempotency_mismatch, busy.
    """
    services, visit = services_of(request), visit_of(request)
    idempotency = services.books.idempotency
    begun = await idempotency.begin(account.organization_id, key, digest, runs_for_in_s=services.runs_for_in_s)
    if isinstance(begun, Reply):
        visit.headers["Idempotent-Replayed"] = "true"
        return begun
    try:
        return await do(lambda reply: idempotency.finish(begun, reply))
    except ImageplaneError as error:
        # Only here the failure becomes a reply that may have to be kept.
        response = failure(error, visit)
        headers = tuple((name, value) for name, value in response.headers.items() if name != "content-length")
        reply = Reply(response.status_code, headers, bytes(response.body))
        await idempotency.finish(begun, reply)
        return reply
    except BaseException:
        idempotency.abandon(begun)
        raise


async def not_kept(_reply: Reply) -> None:
    """Keep nothing of the reply to a request without a key."""
