"""How many requests an organization may send in a minute, in a window that slides."""

import contextlib
import math
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from limits import RateLimitItemPerMinute
from limits.aio.strategies import MovingWindowRateLimiter
from limits.errors import ConfigurationError
from limits.storage import storage_from_string

from imageplane.errors import Busy, RateLimited, SettingsError
from imageplane.settings import LimitSettings


@dataclass(frozen=True, slots=True)
class Rate:
    """Where an organization stands: how many requests are left, and when there will be more (Unix seconds)."""

    most: int
    remaining: int
    resets_at: float

    def headers(self) -> dict[str, str]:
        """Give the headers of the contract, and beside them those of the IETF draft "RateLimit header fields"."""
        wait_in_s = max(0, math.ceil(self.resets_at - time.time()))
        return {
            "X-RateLimit-Limit": str(self.most),
            "X-RateLimit-Remaining": str(self.remaining),
            "X-RateLimit-Reset": str(math.ceil(self.resets_at)),
            "RateLimit-Policy": f'"default";q={self.most};w=60',
            "RateLimit": f'"default";r={self.remaining};t={wait_in_s}',
        }


class Rates:
    """The counters of all organizations, in this process or in the Redis or Valkey that several servers share."""

    def __init__(self, settings: LimitSettings) -> None:
        self._limit = RateLimitItemPerMinute(settings.requests_per_minute)
        url = settings.storage_url.get_secret_value() if settings.storage_url else "memory://"
        try:
            # Only Redis looks at the implementation.
            self._storage: Any = storage_from_string(f"async+{url}", implementation="redispy")
            self._limiter = MovingWindowRateLimiter(self._storage)
        except (ConfigurationError, ValueError) as error:
            raise SettingsError(
                "IMAGEPLANE_LIMITS__STORAGE_URL needs a redis:// or rediss:// address, and the extra: "
                "pip install 'imageplane[redis]'."
            ) from error

    async def take(self, organization_id: str) -> tuple[Rate, bool]:
        """Count one request; gives where the organization stands, and whether the request may go on. Errors: busy."""
        with _busy_when_gone():
            is_allowed = await self._limiter.hit(self._limit, organization_id)
            return await self._rate(organization_id), is_allowed

    async def look(self, organization_id: str) -> Rate:
        """Give where the organization stands, and count nothing. Errors: busy."""
        with _busy_when_gone():
            return await self._rate(organization_id)

    async def close(self) -> None:
        """Close the connections to Redis, where there are any."""
        bridge = getattr(self._storage, "bridge", None)
        if bridge is not None:
            await bridge.get_connection().aclose()

    async def _rate(self, organization_id: str) -> Rate:
        window = await self._limiter.get_window_stats(self._limit, organization_id)
        return Rate(self._limit.amount, window.remaining, window.reset_time)


@contextlib.contextmanager
def _busy_when_gone() -> Iterator[None]:
    try:
        yield
    except Exception as error:
        raise Busy("Requests can't be counted right now; try again.", detail=repr(error)) from error


def refused(rate: Rate) -> RateLimited:
    """Give the error for a request too many."""
    return RateLimited(retry_after_in_s=rate.resets_at - time.time())
