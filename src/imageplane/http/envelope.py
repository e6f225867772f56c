"""Results to replies: the envelope of the contract, or the bytes of the image alone."""

import hashlib
from collections.abc import Sequence

import msgspec
import pybase64

from imageplane import pipeline
from imageplane.accounts.prices import MILLICREDITS
from imageplane.codecs.header import Header
from imageplane.errors import RequestError
from imageplane.http.replies import (
    JSON,
    NamedPicture,
    OutputMetadata,
    OutputsReply,
    Picture,
    PictureMetadata,
    PictureReply,
    Pictures,
    SourceMetadata,
    TransformMetadata,
)
from imageplane.http.visit import Visit
from imageplane.transform import Result

Written = tuple[tuple[tuple[str, str], ...], bytes]


def wants_raw(accept: str) -> bool:
    """Tell whether an Accept header asks for the image itself (RFC 9110, 12.5.1).

    It does where an image type is named, and JSON is not named with more weight.
    """
    images, json = 0.0, 0.0
    for part in accept.lower().split(","):
        kind, *parameters = (piece.strip() for piece in part.split(";"))
        weight = next((_weight(piece[2:]) for piece in parameters if piece.startswith("q=")), 1.0)
        if kind.startswith("image/"):
            images = max(images, weight)
        elif kind == JSON:
            json = max(json, weight)
    return images > 0 and images >= json


def is_known(if_none_match: str, etag: str) -> bool:
    """Tell whether the caller has what an ETag names already (RFC 9110, 13.1.2)."""
    known = [tag.strip().removeprefix("W/") for tag in if_none_match.split(",")]
    return "*" in known or etag in known


def _weight(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0


def raw_reply(result: Result, warnings: Sequence[str], visit: Visit, *, is_single: bool) -> Written:
    """Give headers and the image itself. Errors: invalid_request when several outputs were asked for."""
    if not is_single and len(result.pictures) > 1:
        raise RequestError("Several outputs can't be answered as one image; accept application/json instead.")
    picture = result.picture
    headers = {
        "Content-Type": picture.mime_type,
        "ETag": f'"{hashlib.sha256(picture.data).hexdigest()[:32]}"',
        "X-Credits-Charged": str(_credits(visit.millicredits_charged)),
        "X-Warnings": str(len(warnings)),
    }
    return tuple(headers.items()), picture.data


def json_reply(result: Result, warnings: Sequence[str], visit: Visit, *, is_single: bool) -> Written:
    """Give headers and the envelope: one picture in `data`, or each under its name in `data.outputs`."""
    known = (
        visit.request_id,
        _source(result.source),
        tuple(warnings),
        _credits(visit.millicredits_charged),
        visit.timings_in_ms,
    )
    body: PictureReply | OutputsReply
    if is_single:
        picture = result.picture
        body = PictureReply(
            success=True, data=Picture(*_file(picture)), metadata=PictureMetadata(*known, picture.smart_crops)
        )
    else:
        pictures = Pictures(tuple(_named(picture) for picture in result.pictures))
        body = OutputsReply(success=True, data=pictures, metadata=TransformMetadata(*known))
    return (("Content-Type", JSON),), msgspec.json.encode(body)


def _file(picture: pipeline.Picture) -> tuple[msgspec.Raw, str, int, int, int]:
    # The alphabet of base64 needs no escape, so the text is put in as it is.
    buffer = msgspec.Raw(b'"' + pybase64.b64encode(picture.data) + b'"')
    return buffer, picture.mime_type, picture.width_in_px, picture.height_in_px, len(picture.data)


def _named(picture: pipeline.Picture) -> NamedPicture:
    return NamedPicture(*_file(picture), picture.name, OutputMetadata(picture.smart_crops))


def _source(source: Header) -> SourceMetadata:
    return SourceMetadata(source.format, source.size.width, source.size.height, source.size_in_bytes)


def _credits(millicredits: int) -> int | float:
    whole, rest = divmod(millicredits, MILLICREDITS)
    return millicredits / MILLICREDITS if rest else whole
