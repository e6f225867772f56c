"""How many requests an organization may send in a minute, in a window that slides; and tries of other kinds."""

import contextlib
import math
import time
from collections import OrderedDict, deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, Protocol

from limits import RateLimitItemPerMinute
from limits.aio.strategies import MovingWindowRateLimiter
from limits.errors import ConfigurationError
from limits.storage import storage_from_string

from imageplane.errors import Busy, RateLimited, SettingsError
from imageplane.settings import LimitSettings

_MINUTE_IN_S: Final = 60.0


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
    """The counters of all organizations, in this process or in the Redis or Valkey that several servers share.

    Takes: `most` in so many `minutes`, where something else is counted than requests of organizations.
    """

    def __init__(self, settings: LimitSettings, *, most: int | None = None, minutes: int = 1) -> None:
        url = settings.storage_url
        most = settings.requests_per_minute if most is None else most
        self._counters: _Counters = (
            _Own(most, minutes) if url is None else _Shared(most, minutes, url.get_secret_value())
        )

    async def take(self, organization_id: str) -> tuple[Rate, bool]:
        """Count one request; gives where the organization stands, and whether the request may go on. Errors: busy."""
        return await self._counters.take(organization_id)

    async def look(self, organization_id: str) -> Rate:
        """Give where the organization stands, and count nothing. Errors: busy."""
        return await self._counters.look(organization_id)

    async def close(self) -> None:
        """Close the connections to Redis, where there are any."""
        await self._counters.close()


class _Counters(Protocol):
    async def take(self, organization_id: str) -> tuple[Rate, bool]: ...

    async def look(self, organization_id: str) -> Rate: ...

    async def close(self) -> None: ...


class _Own:
    """Counters of this process.

    Those of the library `limits` for one process look through every organization with each request, in a thread, and
    take as long as the rest of the admission.
    """

    def __init__(self, most: int, minutes: int) -> None:
        self._most = most
        self._window_in_s = minutes * _MINUTE_IN_S
        # When each organization's last requests were, the least lately seen organization first.
        self._moments: OrderedDict[str, deque[float]] = OrderedDict()

    async def take(self, organization_id: str) -> tuple[Rate, bool]:
        now = time.time()
        moments = self._moments.setdefault(organization_id, deque())
        self._moments.move_to_end(organization_id)
        self._forget(moments, now)
        self._forget_one_who_left(now)
        is_allowed = len(moments) < self._most
        if is_allowed:
            moments.append(now)
        return self._rate(moments, now), is_allowed

    async def look(self, organization_id: str) -> Rate:
        now = time.time()
        moments = self._moments.get(organization_id, deque())
        self._forget(moments, now)
        return self._rate(moments, now)

    async def close(self) -> None:
        self._moments.clear()

    def _rate(self, moments: deque[float], now: float) -> Rate:
        return Rate(self._most, self._most - len(moments), (moments[0] if moments else now) + self._window_in_s)

    def _forget(self, moments: deque[float], now: float) -> None:
        while moments and moments[0] <= now - self._window_in_s:
            moments.popleft()

    def _forget_one_who_left(self, now: float) -> None:
        name, moments = next(iter(self._moments.items()))
        if moments and moments[-1] <= now - self._window_in_s:
            del self._moments[name]


class _Shared:
    """Counters in Redis or Valkey."""

    def __init__(self, most: int, minutes: int, url: str) -> None:
        self._limit = RateLimitItemPerMinute(most, minutes)
        try:
            self._storage: Any = storage_from_string(f"async+{url}", implementation="redispy")
            self._limiter = MovingWindowRateLimiter(self._storage)
        except (ConfigurationError, ValueError) as error:
            raise SettingsError(
                "IMAGEPLANE_LIMITS__STORAGE_URL needs a redis:// or rediss:// address, and the extra: "
                "pip install 'imageplane[redis]'."
            ) from error

    async def take(self, organization_id: str) -> tuple[Rate, bool]:
        with _busy_when_gone():
            is_allowed = await self._limiter.hit(self._limit, organization_id)
            return await self._rate(organization_id), is_allowed

    async def look(self, organization_id: str) -> Rate:
        with _busy_when_gone():
            return await self._rate(organization_id)

    async def close(self) -> None:
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
