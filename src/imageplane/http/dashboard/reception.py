"""The reception: what every page needs that is opened with the server and closed with it."""

import asyncio
import contextlib
import ipaddress
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Final

from starlette.requests import Request

from imageplane.accounts.passwords import Passwords
from imageplane.errors import RateLimited
from imageplane.http.rates import Rates
from imageplane.settings import Settings

_MINUTES: Final = 15
# The part of an IPv6 address that tells one subscriber from another.
_SUBSCRIBER_BITS: Final = 64


@dataclass(frozen=True, slots=True)
class Reception:
    """Passwords, and how often somebody may still try one."""

    passwords: Passwords
    by_address: Rates
    by_email: Rates

    async def count_try(self, request: Request, what: str, email: str | None = None) -> None:
        """Count a try at something, such as `sign-in`, from one address and for one e-mail address.

        Errors: rate_limited, busy.
        """
        await _count(self.by_address, f"{what} from {_address(request)}")
        if email is not None:
            await _count(self.by_email, f"{what} as {email}")


@contextlib.asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[Reception]:
    """Open the reception for a block."""
    limits, dashboard = settings.limits, settings.dashboard
    passwords = Passwords()
    by_address = Rates(limits, most=dashboard.tries_per_address, minutes=_MINUTES)
    by_email = Rates(limits, most=dashboard.tries_per_email, minutes=_MINUTES)
    try:
        yield Reception(passwords, by_address, by_email)
    finally:
        await by_address.close()
        await by_email.close()
        await asyncio.to_thread(passwords.close)


def reception_of(request: Request) -> Reception:
    """Give the reception of the server that answers a request."""
    reception: Reception = request.app.state.reception
    return reception


async def _count(rates: Rates, name: str) -> None:
    rate, is_allowed = await rates.take(f"dashboard: {name}")
    if not is_allowed:
        wait_in_s = max(1.0, rate.resets_at - time.time())
        minutes = max(1, round(wait_in_s / 60))
        raise RateLimited(
            f"That was tried too often. Try again in {minutes} minute{'' if minutes == 1 else 's'}.",
            retry_after_in_s=wait_in_s,
        )


def _address(request: Request) -> str:
    host = request.client.host if request.client else ""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    if address.version == 4:
        return host
    return str(ipaddress.ip_network((address, _SUBSCRIBER_BITS), strict=False))
