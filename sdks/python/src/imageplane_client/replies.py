"""What came of one attempt, and how it is read: pure, and the same for both clients."""

import contextlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final

import httpx

from imageplane_client.errors import ImageplaneError, NetworkError, StatusError, TimedOutError, class_of

_FIRST_THAT_IS_NONE: Final = 300


@dataclass(frozen=True, slots=True)
class Reply:
    """What the server answered; its header names are found in any letters."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def is_failure(self) -> bool:
        return self.status >= _FIRST_THAT_IS_NONE

    @property
    def told(self) -> dict[str, Any]:
        """The body as a JSON object; an empty one where it is none."""
        with contextlib.suppress(ValueError):
            found = json.loads(self.body)
            if isinstance(found, dict):
                return found
        return {}

    @property
    def code(self) -> str | None:
        """What went wrong, for programs; None where it was not Imageplane that answered."""
        code = self.told.get("code") if self.is_failure else None
        return code if isinstance(code, str) else None

    def retry_after_in_s(self, now: datetime) -> float | None:
        """Give what `Retry-After` asks to wait, written as seconds or as a date (RFC 9110, 10.2.3)."""
        written = self.headers.get("retry-after", "").strip()
        if written.isascii() and written.isdigit():
            return float(written)
        with contextlib.suppress(ValueError):
            moment = parsedate_to_datetime(written)
            return max(0.0, (moment.replace(tzinfo=moment.tzinfo or UTC) - now).total_seconds())
        return None


@dataclass(frozen=True, slots=True)
class Silence:
    """There was no reply; `is_sent` tells whether the server may have got the request all the same."""

    error: ImageplaneError
    is_sent: bool


Outcome = Reply | Silence


def silence_of(error: httpx.RequestError, server: str) -> Silence:
    """Give what is to be told of a failure of the network; `server` and no more of the address is named."""
    is_sent = not isinstance(error, httpx.ConnectError | httpx.ConnectTimeout | httpx.ProxyError)
    found = NetworkError(f"No reply from {server}: {type(error).__name__}.")
    found.__cause__ = error
    return Silence(found, is_sent)


def timed_out(server: str, timeout_in_s: float) -> Silence:
    """Give what is to be told when the time of a call is over."""
    return Silence(TimedOutError(f"No reply from {server} within {timeout_in_s:g} s."), is_sent=True)


def read_json(reply: Reply) -> Any:
    """Give the envelope as it is. Errors: that of the status; StatusError where the reply is no envelope."""
    told = {} if reply.is_failure else reply.told
    if not told:
        raise error_of(reply)
    return told


def read_bytes(reply: Reply) -> bytes:
    """Give the picture itself. Errors: that of the status; StatusError where the reply is no picture."""
    if reply.is_failure or not reply.headers.get("content-type", "").startswith("image/"):
        raise error_of(reply)
    return reply.body


def read_lines(reply: Reply) -> Any:
    """Give the object of every line. Errors: that of the status; StatusError where the reply is no such lines."""
    if not reply.is_failure and reply.headers.get("content-type", "").startswith("application/jsonl"):
        with contextlib.suppress(ValueError):
            return [json.loads(line) for line in reply.body.splitlines()]
    raise error_of(reply)


def error_of(reply: Reply) -> StatusError:
    """Give the error that a reply tells of, be it Imageplane's or that of a proxy on the way."""
    told = reply.told
    message, request_id, details = told.get("error"), told.get("request_id"), told.get("details")
    error = class_of(reply.status)(
        message if isinstance(message, str) else f"The reply with status {reply.status} is none of Imageplane's.",
        status=reply.status,
        code=reply.code,
        request_id=request_id if isinstance(request_id, str) else reply.headers.get("x-request-id"),
        details=details if isinstance(details, list) else (),
    )
    error.retry_after_in_s = reply.retry_after_in_s(datetime.now(UTC))
    return error
