"""The shape of every other reply in JSON: routes fill these in, and the schemas are read from them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from http import HTTPStatus
from typing import Annotated, Literal

import msgspec
from pydantic import Field
from starlette.responses import Response

from imageplane.errors import Fault
from imageplane.reply import JSON, RequestId, Success


@dataclass(frozen=True, slots=True)
class ErrorReply:
    """The answer to every request that failed, on every route."""

    success: Literal[False]
    error: Annotated[str, Field(description="One sentence for a person.")]
    code: Annotated[str, Field(description="What went wrong, for programs.")]
    details: Annotated[tuple[Fault, ...], Field(description="Every wrong place in the request.")]
    request_id: RequestId


@dataclass(frozen=True, slots=True)
class Organization:
    """Who pays."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class Key:
    """The API key of the request."""

    id: str
    name: str
    expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class Account:
    """Whose key this is, and what is left."""

    organization: Organization
    key: Key
    credits: Annotated[float, Field(description="What the organization has left.")]
    requests_per_minute: int


@dataclass(frozen=True, slots=True)
class AccountReply:
    """The caller's own account."""

    success: Success
    data: Account


@dataclass(frozen=True, slots=True)
class UsedKey:
    """A key of the organization."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class DayOfUse:
    """What one key did with one API on one day, in UTC."""

    day: date
    key: UsedKey
    api: str
    requests: int
    credits: float


@dataclass(frozen=True, slots=True)
class Usage:
    """What was used from one day to another, both included."""

    since: date
    until: date
    usage: tuple[DayOfUse, ...]


@dataclass(frozen=True, slots=True)
class UsageReply:
    """The usage of the caller's organization."""

    success: Success
    data: Usage


@dataclass(frozen=True, slots=True)
class Alive:
    """The server answers."""

    status: Literal["alive"]


@dataclass(frozen=True, slots=True)
class AliveReply:
    """The server answers."""

    success: Success
    data: Alive


@dataclass(frozen=True, slots=True)
class Ready:
    """Engines and database answer."""

    status: Literal["ready"]
    engines: int


@dataclass(frozen=True, slots=True)
class ReadyReply:
    """Engines and database answer."""

    success: Success
    data: Ready


def json_response(content: object, status: int = HTTPStatus.OK, headers: Mapping[str, str] | None = None) -> Response:
    """Give a reply in JSON: one of these shapes, or a document."""
    return Response(msgspec.json.encode(content), status, headers, JSON)
