"""One call on its way: until when it may take, whether it is sent again, and after what pause."""

import random
import time
import uuid
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any, Final, Generic, TypeVar

import httpx

from imageplane_client.calls import Call, TransformOptions
from imageplane_client.errors import JobFailedError, TimedOutError
from imageplane_client.replies import Outcome, Reply, Silence, silence_of, timed_out
from imageplane_client.terms import Terms
from imageplane_client.types import JobReply

T = TypeVar("T")
# As docs/errors.md says; a code that is not among them is not worth it, whatever its status.
RETRYABLE_CODES: Final = frozenset({"idempotency_in_progress", "rate_limited", "busy", "deadline_exceeded"})
# Of whoever stands between: they tell no code.
_RETRYABLE_STATUSES: Final = frozenset({408, 429, 502, 503, 504})
# With these the server says that it has not begun.
_NOT_BEGUN: Final = frozenset({HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE})
_FIRST_PAUSE_IN_S: Final = 0.5
_LONGEST_PAUSE_IN_S: Final = 8.0
_CONNECT_IN_S: Final = 10.0
_FIRST_LOOK_IN_S: Final = 0.25
_LONGEST_LOOK_IN_S: Final = 5.0


def is_worth_another(call: Call[Any], outcome: Outcome) -> bool:
    """Tell whether to send a request again may help, and can do no harm."""
    if isinstance(outcome, Silence):
        return call.is_repeatable or not outcome.is_sent
    if not outcome.is_failure:
        return False
    code = outcome.code
    may_pass = outcome.status in _RETRYABLE_STATUSES if code is None else code in RETRYABLE_CODES
    return may_pass and (call.is_repeatable or outcome.status in _NOT_BEGUN)


def pause_in_s(attempt: int, retry_after_in_s: float | None, chance: float) -> float:
    """Give how long to wait before the next attempt.

    Takes: `attempt`, 0 for the first pause; `chance`, from 0 to below 1.
    Method: full jitter, so that many who failed at once do not come back at once, on top of what the server asks for.
    """
    return (retry_after_in_s or 0.0) + chance * min(_LONGEST_PAUSE_IN_S, _FIRST_PAUSE_IN_S * 2.0**attempt)


class Attempts(Generic[T]):
    """All attempts of one call: the same request each time, within one time for all."""

    def __init__(self, terms: Terms, call: Call[T], options: TransformOptions) -> None:
        self._terms = terms
        self._call = call
        self._timeout_in_s = options.get("timeout_in_s", terms.timeout_in_s)
        self._ends_at = time.monotonic() + self._timeout_in_s
        self._done = 0
        self._headers = httpx.Headers(terms.headers)
        self._headers.update(call.headers)
        key = options.get("idempotency_key", uuid.uuid4().hex if terms.max_retries else None)
        if call.takes_key and key is not None:
            self._headers["Idempotency-Key"] = key
        self._headers.update(options.get("headers"))

    @property
    def left_in_s(self) -> float:
        return max(0.0, self._ends_at - time.monotonic())

    def request(self) -> dict[str, Any]:
        """Give what httpx needs to build the request of the next attempt."""
        left_in_s = max(0.001, self.left_in_s)
        return {
            "method": self._call.method,
            "url": self._terms.base_url + self._call.path,
            "headers": self._headers,
            "content": self._call.content,
            "timeout": httpx.Timeout(left_in_s, connect=min(_CONNECT_IN_S, left_in_s)),
        }

    def within_time(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        """Give the chunks of a body as they come. Errors: ReadTimeout, when they come for too long."""
        for chunk in chunks:
            yield chunk
            if not self.left_in_s:
                raise httpx.ReadTimeout("The time is over.")

    def silence_of(self, error: httpx.RequestError) -> Silence:
        """Give what is to be told of a failure of the network."""
        if isinstance(error, httpx.ReadTimeout | httpx.WriteTimeout | httpx.PoolTimeout):
            return self.timed_out()
        return silence_of(error, self._terms.base_url)

    def timed_out(self) -> Silence:
        """Give what is to be told when the time is over."""
        return timed_out(self._terms.base_url, self._timeout_in_s)

    def read(self, outcome: Outcome) -> T:
        """Give what the caller gets, or raise what is to be told."""
        if isinstance(outcome, Silence):
            raise outcome.error
        return self._call.read(outcome)

    def pause_after(self, outcome: Outcome) -> float | None:
        """Give how long to wait before the next attempt; None when this outcome is the last."""
        if self._done >= self._terms.max_retries or not is_worth_another(self._call, outcome):
            return None
        asked_in_s = outcome.retry_after_in_s(datetime.now(UTC)) if isinstance(outcome, Reply) else None
        pause = pause_in_s(self._done, asked_in_s, random.random())  # noqa: S311 - to spread load, not to keep a secret
        self._done += 1
        return pause if pause < self.left_in_s else None


class Watch:
    """Looks at a job from time to time, until it has ended or the patience of the caller is over."""

    def __init__(self, job_id: str, timeout_in_s: float) -> None:
        self._job_id = job_id
        self._timeout_in_s = timeout_in_s
        self._ends_at = time.monotonic() + timeout_in_s
        self._pause_in_s = _FIRST_LOOK_IN_S

    @property
    def left_in_s(self) -> float:
        return max(0.001, self._ends_at - time.monotonic())

    def pause_after(self, reply: JobReply) -> float | None:
        """Give how long to wait before the next look; None when the job has succeeded.

        Errors: JobFailedError; TimedOutError.
        """
        job = reply["data"]
        if job["status"] == "succeeded":
            return None
        if job["status"] in ("failed", "cancelled"):
            raise JobFailedError(job)
        pause, self._pause_in_s = self._pause_in_s, min(_LONGEST_LOOK_IN_S, self._pause_in_s * 2)
        if pause >= self._ends_at - time.monotonic():
            raise TimedOutError(f"The job {self._job_id} is still {job['status']} after {self._timeout_in_s:g} s.")
        return pause
