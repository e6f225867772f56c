"""The shape of every reply in JSON: routes fill these in, and the schemas are read from them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from http import HTTPStatus
from typing import Annotated, Final, Literal

import msgspec
from pydantic import Field, InstanceOf, WithJsonSchema
from starlette.responses import Response

from imageplane.codecs.formats import FORMATS, InputFormat
from imageplane.errors import Fault
from imageplane.pipeline import SmartCrop

JSON: Final = "application/json"

Success = Annotated[Literal[True], Field(description="Whether the request was answered with what it asked for.")]
RequestId = Annotated[str, Field(description="The same as the header `X-Request-Id`.")]
# The text with its quotes: the encoder would take six times as long for it.
Base64 = Annotated[
    InstanceOf[msgspec.Raw],
    WithJsonSchema(
        {"contentEncoding": "base64", "description": "The file in padded standard base64.", "type": "string"}
    ),
]
MimeType = Annotated[str, Field(json_schema_extra={"enum": [entry.mime_type for entry in FORMATS.values()]})]
Credits = Annotated[float, Field(description="In credits; failed requests cost nothing.")]


@dataclass(frozen=True, slots=True)
class Picture:
    """One finished file."""

    buffer: Base64
    mime_type: MimeType
    width_in_px: int
    height_in_px: int
    size_in_bytes: int


@dataclass(frozen=True, slots=True)
class OutputMetadata:
    """What operations chose by themselves on the way to one output."""

    smart_crops: tuple[SmartCrop, ...]


@dataclass(frozen=True, slots=True)
class NamedPicture(Picture):
    """One of several outputs, under the name that the request gave it."""

    name: str
    metadata: OutputMetadata


@dataclass(frozen=True, slots=True)
class Pictures:
    """Several outputs, in the order of the request."""

    outputs: tuple[NamedPicture, ...]


@dataclass(frozen=True, slots=True)
class SourceMetadata:
    """What the bytes of the source say; the size is that of the upright picture."""

    format: InputFormat
    width_in_px: int
    height_in_px: int
    size_in_bytes: int


@dataclass(frozen=True, slots=True)
class TransformMetadata:
    """What is to be known of one transform."""

    request_id: RequestId
    source: SourceMetadata
    warnings: Annotated[
        tuple[str, ...], Field(description="What was ignored or mended, with its place in the request.")
    ]
    credits_charged: Credits
    timings_in_ms: Annotated[dict[str, float], Field(description="Time at each stop, such as `decode`.")]


@dataclass(frozen=True, slots=True)
class PictureMetadata(TransformMetadata):
    """What is to be known of one transform with one output."""

    smart_crops: tuple[SmartCrop, ...]


@dataclass(frozen=True, slots=True)
class PictureReply:
    """The picture that a list of `operations` made."""

    success: Success
    data: Picture
    metadata: PictureMetadata


@dataclass(frozen=True, slots=True)
class OutputsReply:
    """The pictures that `outputs` asked for."""

    success: Success
    data: Pictures
    metadata: TransformMetadata


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
