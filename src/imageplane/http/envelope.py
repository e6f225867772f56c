"""Results to replies: the envelope of the contract, or the bytes of the image alone."""

import hashlib
from collections.abc import Sequence

from imageplane import reply
from imageplane.accounts.prices import MILLICREDITS
from imageplane.errors import RequestError
from imageplane.http.visit import Visit
from imageplane.reply import JSON
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
    """Give headers and the envelope."""
    charged = _credits(visit.millicredits_charged)
    known = reply.Known(visit.request_id, warnings, charged, visit.timings_in_ms)
    return (("Content-Type", JSON),), reply.body_of(result, known, is_single=is_single)


def _credits(millicredits: int) -> int | float:
    whole, rest = divmod(millicredits, MILLICREDITS)
    return millicredits / MILLICREDITS if rest else whole
