"""Receivers of webhooks: which URL may be one, and what comes of sending a message there once."""

import asyncio
import contextlib
import re
import ssl
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

import aiohttp

from imageplane.database.stamps import now_in_ms
from imageplane.errors import RefusedSource
from imageplane.jobs.delivery_schedule import Attempt, refusal_of, retry_after_in_s
from imageplane.settings import SourcesSettings, WebhookSettings
from imageplane.sources.guard import Guard, GuardedSession, LookUp
from imageplane.sources.location import Location

FIELD: Final = "webhook_url"
_CREDENTIALS: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^/?#]*@")
_MAX_HEADER_IN_BYTES: Final = 8190
_MAX_HEADERS: Final = 100
# Enough for a receiver to finish its sentence; nobody reads it.
_MOST_READ_IN_BYTES: Final = 512
_MOST_READING_IN_S: Final = 1.0
_MOST_CHARACTERS: Final = 300


def receiver_at(url: object, guard: Guard) -> Location:
    """Read and judge the `webhook_url` of a request, without going there.

    Errors: refused_source, with the fault at `webhook_url`, unless it is an https URL (or http, where sources may be)
    without credentials, that leads to no private address and no odd port.
    """
    try:
        if not isinstance(url, str):
            raise RefusedSource("expected a string such as https://example.com/hook")
        if _CREDENTIALS.match(url):
            raise RefusedSource("expected a URL without credentials; a receiver knows the sender by the signature")
        receiver = Location.parse(url)
        if receiver.scheme != "https" and not guard.allow_http:
            raise RefusedSource("expected an https URL")
        guard.check(receiver)
    except RefusedSource as error:
        raise error.at(FIELD) from None
    return receiver


def shown(url: str) -> str:
    """Give a URL as it may be shown and logged: its query can hold secrets."""
    path, mark, _ = url.partition("?")
    return path + ("?…" if mark else "")


class Mail:
    """Connections to receivers, guarded as those to sources are; it must be closed.

    Takes: `look_up` and `trust` in place of the system's name resolution and certificates. Made in the event loop that
    uses it.
    """

    def __init__(
        self,
        settings: WebhookSettings,
        sources: SourcesSettings,
        *,
        look_up: LookUp | None = None,
        trust: ssl.SSLContext | None = None,
    ) -> None:
        self._timeout_in_s = settings.timeout_in_s
        self._headers = {
            "User-Agent": sources.user_agent,
            "Content-Type": "application/json",
            "Accept-Encoding": "identity",
            # A kept connection may be closed by the receiver while a message is on its way: who knows if it arrived?
            "Connection": "close",
        }
        self._session = GuardedSession(
            Guard.of(sources),
            max_connections=settings.max_concurrent,
            look_up_timeout_in_s=settings.timeout_in_s,
            look_up=look_up,
            trust=trust,
            timeout=aiohttp.ClientTimeout(total=None),
            max_line_size=_MAX_HEADER_IN_BYTES,
            max_field_size=_MAX_HEADER_IN_BYTES,
            max_headers=_MAX_HEADERS,
        )

    async def send(self, url: str, headers: Mapping[str, str], body: bytes) -> Attempt:
        """Send a message once; whatever becomes of it is told by the attempt."""
        started_at_in_ms, started = now_in_ms(), time.monotonic()
        status_code, error, wait_in_s = None, None, 0.0
        try:
            receiver = Location.parse(url)
            async with asyncio.timeout(self._timeout_in_s):
                response = await self._session.request("POST", receiver, {**self._headers, **headers}, body)
            status_code, error = response.status, refusal_of(response.status)
            wait_in_s = retry_after_in_s(response.headers.get("Retry-After"), datetime.now(UTC))
            await _let_finish(response)
        except RefusedSource as refusal:
            error = refusal.message[:_MOST_CHARACTERS]
        except TimeoutError:
            error = f"The receiver did not answer within {self._timeout_in_s:g} seconds."
        except (aiohttp.ClientError, OSError, ValueError, asyncio.InvalidStateError) as failure:
            error = _sentence(failure)
        return Attempt(started_at_in_ms, round((time.monotonic() - started) * 1000), status_code, error, wait_in_s)

    async def close(self) -> None:
        """Close all connections."""
        await self._session.close()


async def _let_finish(response: aiohttp.ClientResponse) -> None:
    # What it says besides the status is nobody's concern; hung up on at once, it would take that for a failure.
    try:
        with contextlib.suppress(aiohttp.ClientError, OSError, ValueError):
            async with asyncio.timeout(_MOST_READING_IN_S), response:
                await response.content.read(_MOST_READ_IN_BYTES)
    finally:
        response.close()


_FAILURES: Final[tuple[tuple[type[Exception], str], ...]] = (
    (aiohttp.ClientConnectorDNSError, "The host of the receiver could not be found."),
    (aiohttp.ClientConnectorCertificateError, "The certificate of the receiver could not be verified."),
    (aiohttp.ClientSSLError, "The receiver could not agree on a secure connection."),
    (aiohttp.ConnectionTimeoutError, "The receiver did not accept a connection in time."),
    (aiohttp.ClientConnectorError, "The receiver did not accept a connection."),
    (aiohttp.ServerDisconnectedError, "The receiver closed the connection without an answer."),
    (aiohttp.ClientOSError, "The receiver closed the connection without an answer."),
)


def _sentence(failure: Exception) -> str:
    # What aiohttp raises can hold the whole URL.
    found = (sentence for kind, sentence in _FAILURES if isinstance(failure, kind))
    return next(found, "The receiver gave no proper HTTP answer.")
