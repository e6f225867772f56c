"""What a transform answers in JSON: the shapes, and how a result fills them in; the same from every door."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Final, Literal

import msgspec
import pybase64
from pydantic import Field, InstanceOf, WithJsonSchema

from imageplane import pipeline
from imageplane.codecs.formats import FORMATS, InputFormat
from imageplane.codecs.header import Header
from imageplane.pipeline import SmartCrop
from imageplane.transform import Result

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
PlanLines = Annotated[
    tuple[str, ...], Field(description="How the picture was made, for people: decoding, every step, and encoding.")
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
    """What operations chose by themselves on the way to one output, and the way itself."""

    smart_crops: tuple[SmartCrop, ...]
    plan: PlanLines


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
    plan: PlanLines


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
class Known:
    """What its door knows of one transform, beside what came of it."""

    request_id: str
    warnings: Sequence[str]
    credits_charged: float
    timings_in_ms: dict[str, float]


def body_of(result: Result, known: Known, *, is_single: bool) -> bytes:
    """Give the envelope: one picture in `data`, or each under its name in `data.outputs`."""
    facts = (
        known.request_id,
        _source(result.source),
        tuple(known.warnings),
        known.credits_charged,
        known.timings_in_ms,
    )
    body: PictureReply | OutputsReply
    if is_single:
        picture = result.picture
        metadata = PictureMetadata(*facts, picture.smart_crops, picture.plan)
        body = PictureReply(success=True, data=Picture(*_file(picture)), metadata=metadata)
    else:
        pictures = Pictures(tuple(_named(picture) for picture in result.pictures))
        body = OutputsReply(success=True, data=pictures, metadata=TransformMetadata(*facts))
    return msgspec.json.encode(body)


def _file(picture: pipeline.Picture) -> tuple[msgspec.Raw, str, int, int, int]:
    # The alphabet of base64 needs no escape, so the text is put in as it is.
    buffer = msgspec.Raw(b'"' + pybase64.b64encode(picture.data) + b'"')
    return buffer, picture.mime_type, picture.width_in_px, picture.height_in_px, len(picture.data)


def _named(picture: pipeline.Picture) -> NamedPicture:
    return NamedPicture(*_file(picture), picture.name, OutputMetadata(picture.smart_crops, picture.plan))


def _source(source: Header) -> SourceMetadata:
    return SourceMetadata(source.format, source.size.width, source.size.height, source.size_in_bytes)
