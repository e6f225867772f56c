"""The shape of every reply in JSON; its schema is read from here."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import Field

from imageplane.codecs.formats import FORMATS, InputFormat
from imageplane.pipeline import SmartCrop

Success = Annotated[Literal[True], Field(description="Whether the request was answered with what it asked for.")]
RequestId = Annotated[str, Field(description="The same as the header `X-Request-Id`.")]
Base64 = Annotated[
    str, Field(description="The file in padded standard base64.", json_schema_extra={"contentEncoding": "base64"})
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

    smart_crops: list[SmartCrop]


@dataclass(frozen=True, slots=True)
class NamedPicture:
    """One of several outputs, under the name that the request gave it."""

    name: str
    buffer: Base64
    mime_type: MimeType
    width_in_px: int
    height_in_px: int
    size_in_bytes: int
    metadata: OutputMetadata


@dataclass(frozen=True, slots=True)
class Pictures:
    """Several outputs, in the order of the request."""

    outputs: list[NamedPicture]


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
    warnings: Annotated[list[str], Field(description="What was ignored or mended, with its place in the request.")]
    credits_charged: Credits
    timings_in_ms: Annotated[dict[str, float], Field(description="Time at each stop, such as `decode`.")]


@dataclass(frozen=True, slots=True)
class PictureMetadata(TransformMetadata):
    """What is to be known of one transform with one output."""

    smart_crops: list[SmartCrop]


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
class Detail:
    """One wrong place in the request."""

    path: Annotated[str, Field(description="Such as `operations[3].width_in_px`.")]
    message: str


@dataclass(frozen=True, slots=True)
class ErrorReply:
    """The answer to every request that failed, on every route."""

    success: Literal[False]
    error: Annotated[str, Field(description="One sentence for a person.")]
    code: Annotated[str, Field(description="What went wrong, for programs.")]
    details: Annotated[list[Detail], Field(description="Every wrong place in the request.")]
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
    usage: list[DayOfUse]


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
