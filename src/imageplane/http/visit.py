"""What is known of one request while it is answered: for its reply's headers, its line in the log and the metrics."""

import re
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import Request
from starlette.types import Scope

_REQUEST_ID = re.compile(r"[A-Za-z0-9._:-]{1,128}")


@dataclass(slots=True)
class Visit:
    """One request and what is found out about it, stop by stop.

    Takes: `headers` that every kind of reply gets; `facts` for the log, never a key, a query string or image data;
    `timings_in_ms` per stop.
    """

    request_id: str
    started_at: float = field(default_factory=time.perf_counter)
    headers: dict[str, str] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)
    timings_in_ms: dict[str, float] = field(default_factory=dict)
    millicredits_charged: int = 0
    error_code: str | None = None
    error_message: str | None = None

    @classmethod
    def of_headers(cls, headers: Mapping[str, str]) -> "Visit":
        """Start a visit; an id that the caller gave is kept where it is a plain word."""
        given = headers.get("x-request-id", "")
        return cls(given if _REQUEST_ID.fullmatch(given) else f"req_{uuid.uuid4().hex}")

    @property
    def elapsed_in_ms(self) -> float:
        return round((time.perf_counter() - self.started_at) * 1000, 3)


def enter(scope: Scope, visit: Visit) -> None:
    """Attach a visit to the request that it tells of."""
    scope.setdefault("state", {})["visit"] = visit


def visit_of(request: Request) -> Visit:
    """Give the visit of a request that came through the gate."""
    visit: Visit = request.scope["state"]["visit"]
    return visit
