"""Results to replies: the envelope of the contract, or the bytes of the image alone."""

import hashlib
from collections.abc import Sequence
from typing import Any, Final

import msgspec
import pybase64

from imageplane.accounts.prices import MILLICREDITS
from imageplane.errors import RequestError
from imageplane.http.visit import Visit
from imageplane.pipeline import Picture
from imageplane.transform import Result

JSON: Final = "application/json"

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
    metadata = _metadata(result, warnings, visit)
    if is_single:
        data: dict[str, Any] = _fields(result.picture)
        metadata["smart_crops"] = result.picture.smart_crops
    else:
        data = {"outputs": [_named(picture) for picture in result.pictures]}
    body = {"success": True, "data": data, "metadata": metadata}
    return (("Content-Type", JSON),), msgspec.json.encode(body)


def _fields(picture: Picture) -> dict[str, Any]:
    return {
        # The alphabet of base64 needs no escape, so the text is put in as it is.
        "buffer": msgspec.Raw(b'"' + pybase64.b64encode(picture.data) + b'"'),
        "mime_type": picture.mime_type,
        "width_in_px": picture.width_in_px,
        "height_in_px": picture.height_in_px,
        "size_in_bytes": len(picture.data),
    }


def _named(picture: Picture) -> dict[str, Any]:
    return {"name": picture.name, **_fields(picture), "metadata": {"smart_crops": picture.smart_crops}}


def _metadata(result: Result, warnings: Sequence[str], visit: Visit) -> dict[str, Any]:
    source = result.source
    return {
        "request_id": visit.request_id,
        "source": {
            "format": source.format,
            "width_in_px": source.size.width,
            "height_in_px": source.size.height,
            "size_in_bytes": source.size_in_bytes,
        },
        "warnings": list(warnings),
        "credits_charged": _credits(visit.millicredits_charged),
        "timings_in_ms": visit.timings_in_ms,
    }


def _credits(millicredits: int) -> int | float:
    whole, rest = divmod(millicredits, MILLICREDITS)
    return millicredits / MILLICREDITS if rest else whole
