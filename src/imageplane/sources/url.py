"""Files from URLs: downloaded as if every server were hostile."""

import asyncio
import math
import ssl
from collections.abc import Mapping
from functools import partial
from typing import Final

import aiohttp

from imageplane.deadline import Deadline
from imageplane.errors import Busy, DeadlineExceeded, MissingSource, RefusedSource, UnreachableSource
from imageplane.settings import SourcesSettings
from imageplane.sources.body import read_body
from imageplane.sources.fetch_options import FetchOptions
from imageplane.sources.guard import Guard, GuardedSession, LookUp
from imageplane.sources.location import Location
from imageplane.sources.room import Room, Share
from imageplane.sources.sharing import Shared

_REDIRECTS: Final = frozenset([301, 302, 303, 307, 308])
# What a server says of a file for good, as far as it knows.
_FINAL: Final = frozenset([400, 401, 403, 404, 405, 410, 414, 451])
_MAX_HEADER_IN_BYTES: Final = 8190
_MAX_HEADERS: Final = 100
# What a file is thought to have until some have come, and what is left of the largest with each that comes.
_FIRST_GUESS_IN_BYTES: Final = 5_000_000
_FADING: Final = 0.98
_FULL_FOR_IN_S: Final = 10.0
# Servers close connections that are idle, and say so only when the next request is on its way.
_KEEPALIVE_IN_S: Final = 2.0
# What aiohttp raises then, although it tries once more by itself: of many connections, all can have been closed.
_CLOSED_MEANWHILE: Final = (aiohttp.ServerDisconnectedError, asyncio.InvalidStateError)


class Fetcher:
    """Downloads from URLs, guarded, bounded and shared; it must be closed.

    While a download runs, requests for the same URL with the same options wait for it and get the same bytes. A
    download with `auth` or `headers` is shared within one scope only: what one organization may see is no other's.

    Takes: `max_size_in_bytes`, the limit of a source; `look_up` and `trust` in place of the system's name resolution
    and certificates; the `room` that files take up while they come. Made in the event loop that uses it.
    """

    def __init__(
        self,
        settings: SourcesSettings,
        max_size_in_bytes: int,
        *,
        look_up: LookUp | None = None,
        trust: ssl.SSLContext | None = None,
        room: Room | None = None,
    ) -> None:
        self._settings = settings
        self._room = room or Room()
        self._largest_in_bytes = min(_FIRST_GUESS_IN_BYTES, max_size_in_bytes)
        self._max_size_in_bytes = max_size_in_bytes
        self._guard = Guard.of(settings)
        self._shared: Shared[bytes] = Shared()
        self._session = GuardedSession(
            self._guard,
            max_connections=settings.max_concurrent,
            look_up_timeout_in_s=settings.connect_timeout_in_s,
            # Shorter than a read, whose clock was seen to run on in kept connections, and to stop the next request.
            keepalive_in_s=min(_KEEPALIVE_IN_S, settings.read_timeout_in_s / 2),
            look_up=look_up,
            trust=trust,
            timeout=aiohttp.ClientTimeout(
                sock_connect=settings.connect_timeout_in_s, sock_read=settings.read_timeout_in_s
            ),
            max_line_size=_MAX_HEADER_IN_BYTES,
            max_field_size=_MAX_HEADER_IN_BYTES,
            max_headers=_MAX_HEADERS,
        )

    async def __aenter__(self) -> "Fetcher":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """End all downloads and close all connections."""
        await self._shared.close()
        await self._session.close()

    def check(self, url: Location) -> None:
        """Judge a URL without going there, so that a bad one is told at once. Errors: refused_source."""
        self._guard.check(url)

    async def fetch(
        self,
        url: Location,
        options: FetchOptions | None = None,
        deadline: Deadline | None = None,
        *,
        scope: str = "",
    ) -> bytes:
        """Give the file at a URL.

        Takes: `scope`, an opaque name for whoever may share an answer that credentials opened.
        Errors: refused_source, unreachable_source, too_large, deadline_exceeded; no message holds an address, a query
        or the host of a redirect.
        """
        options, deadline = options or FetchOptions(), deadline or Deadline()
        self._guard.check(url)
        key = (url, options.identity, scope if options.is_personal else "")
        try:
            async with asyncio.timeout(_finite(deadline.remaining_in_s)):
                return await self._shared.join(key, partial(self._download, url, options, scope))
        except TimeoutError:
            raise DeadlineExceeded("The file could not be fetched within the time limit.") from None

    async def _download(self, url: Location, options: FetchOptions, scope: str) -> bytes:
        budget_in_s = min(self._settings.total_timeout_in_s, options.timeout_in_s)
        # Its server is not asked before there is room for what it may send.
        async with self._room.reserved(self._largest_in_bytes, scope) as share:
            try:
                async with asyncio.timeout(budget_in_s):
                    file = await self._follow(url, options, share)
            except TimeoutError:
                raise UnreachableSource(f"The file did not come in full within {budget_in_s:g} seconds.") from None
        self._largest_in_bytes = max(len(file), round(_FADING * self._largest_in_bytes))
        return file

    async def _follow(self, url: Location, options: FetchOptions, share: Share) -> bytes:
        headers = {"User-Agent": self._settings.user_agent, "Accept-Encoding": "identity", **options.open_headers}
        # Nobody else's request follows credentials over the same connection.
        personal_headers = {**headers, **options.personal_headers, "Connection": "close"}
        if not options.is_personal:
            personal_headers = headers
        here, found = url, await self._visit(url, personal_headers, share)
        for _ in range(self._settings.max_redirects):
            if isinstance(found, bytes):
                return found
            try:
                here = here.joined(found)
                if here.origin != url.origin:
                    # For good: a way back could have been chosen by the stranger in between.
                    personal_headers = headers
                found = await self._visit(here, personal_headers, share)
            except (RefusedSource, UnreachableSource) as error:
                words = error.message[0].lower() + error.message[1:]
                raise type(error)(f"After a redirect: {words}", detail=error.detail) from None
        if isinstance(found, bytes):
            return found
        raise UnreachableSource(f"The URL redirects more than {self._settings.max_redirects} times.")

    async def _visit(self, here: Location, headers: Mapping[str, str], share: Share) -> bytes | str:
        """Give the file, or where a redirect leads."""
        try:
            try:
                return await self._visit_once(here, headers, share)
            except _CLOSED_MEANWHILE:
                return await self._visit_once(here, headers, share)
        except (aiohttp.ClientError, OSError, ValueError, asyncio.InvalidStateError) as error:
            # What aiohttp raises can hold the whole URL, and the log would show it as the cause.
            raise _failure(error) from None

    async def _visit_once(self, here: Location, headers: Mapping[str, str], share: Share) -> bytes | str:
        async with await self._session.request("GET", here, headers) as response:
            if response.status in _REDIRECTS and "Location" in response.headers:
                return response.headers["Location"]
            if not 200 <= response.status < 300:
                kind = MissingSource if response.status in _FINAL else UnreachableSource
                raise kind(f"The server of the file answered with status {response.status}.")
            size_in_bytes = min(response.content_length or self._max_size_in_bytes, self._max_size_in_bytes)
            share.shrink(size_in_bytes)
            if not share.grow(size_in_bytes):
                message = "There is no room for so large a file just now; try again later."
                raise Busy(message, retry_after_in_s=_FULL_FOR_IN_S)
            return await read_body(response, self._max_size_in_bytes)


_FAILURES: Final[tuple[tuple[type[Exception], str], ...]] = (
    (aiohttp.ClientConnectorDNSError, "The host of the URL could not be found."),
    (aiohttp.ClientConnectorCertificateError, "The certificate of the host could not be verified."),
    (aiohttp.ClientSSLError, "The host could not agree on a secure connection."),
    (aiohttp.ConnectionTimeoutError, "The host did not accept a connection in time."),
    (aiohttp.ClientConnectorError, "The host did not accept a connection."),
    (TimeoutError, "The host fell silent before the file was complete."),
    (aiohttp.ClientPayloadError, "The host broke off before the file was complete."),
)


def _failure(error: Exception) -> UnreachableSource:
    message = next(
        (message for kind, message in _FAILURES if isinstance(error, kind)), "The host gave no proper HTTP answer."
    )
    cause = getattr(error, "certificate_error", None) or getattr(error, "os_error", None)
    return UnreachableSource(message, detail=f"{type(error).__name__}: {cause}" if cause else type(error).__name__)


def _finite(seconds: float) -> float | None:
    return seconds if math.isfinite(seconds) else None
