"""Requests that run as they stand, and what answers them: the examples of the reference."""

import base64
from typing import Any, Final

_DRAWING: Final = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="473" height="353"><circle cx="200" cy="150" r="99"/></svg>'
)
# A picture of a few bytes that is large enough for every example of an operation.
FILE: Final = {"type": "base64", "name": "sun.svg", "base64": base64.b64encode(_DRAWING.encode()).decode()}

THUMBNAIL: Final = [
    {"type": "smart_crop", "width_in_px": 200, "height_in_px": 200},
    {"type": "sharpen", "sigma": 0.5},
    {"type": "convert", "format": "webp", "quality": 85},
]
_CARD: Final = [
    {"type": "resize", "width_in_px": 400, "height_in_px": 300, "fit": "inside"},
    {"type": "convert", "format": "jpeg"},
]

REQUESTS: Final[dict[str, dict[str, Any]]] = {
    "thumbnail": {"summary": "One thumbnail.", "value": {"file": FILE, "operations": THUMBNAIL}},
    "outputs": {
        "summary": "Two sizes of one upload.",
        "value": {
            "file": FILE,
            "outputs": [{"name": "avatar", "operations": THUMBNAIL}, {"name": "card", "operations": _CARD}],
        },
    },
}

_WINDOW: Final = {"left_in_px": 24, "top_in_px": 0, "width_in_px": 353, "height_in_px": 353}
_SOURCE: Final = {"format": "svg", "width_in_px": 473, "height_in_px": 353, "size_in_bytes": 105}
_KEY: Final = {"id": "01M834PWAR3M1P65BCN4CRF4D1", "name": "shop"}

# What a route answers with success, by the route's name.
REPLIES: Final[dict[str, dict[str, Any]]] = {
    "transform": {
        "success": True,
        "data": {
            "buffer": "UklGRjwAAABXRUJQVlA4IDAAAADQAQCdASoBAAEAAgA0JaACdLoB+AADsAD+8ut//NgVzXPv9//S4P0uD9Lg/9KQAAA=",
            "mime_type": "image/webp",
            "width_in_px": 200,
            "height_in_px": 200,
            "size_in_bytes": 68,
        },
        "metadata": {
            "request_id": "req_0f3c",
            "source": _SOURCE,
            "warnings": [],
            "credits_charged": 1,
            "timings_in_ms": {"read": 0.2, "hold": 1.1, "queue": 0.8, "decode": 1.8, "steps": 5.4, "encode": 1.5},
            "smart_crops": [
                {
                    "operation_index": 0,
                    "rule": "saliency",
                    "window": _WINDOW,
                    "subjects": [],
                    "fallback_reason": None,
                }
            ],
        },
    },
    "me": {
        "success": True,
        "data": {
            "organization": {"id": "01M834PWAQ1NP3QMSJD3TS8Q4D", "name": "default"},
            "key": {**_KEY, "expires_at": None},
            "credits": 999.0,
            "requests_per_minute": 100,
        },
    },
    "usage": {
        "success": True,
        "data": {
            "since": "2026-01-01",
            "until": "2026-01-31",
            "usage": [
                {"day": "2026-01-15", "key": _KEY, "api": "image_transformation", "requests": 120, "credits": 120.0}
            ],
        },
    },
    "live": {"success": True, "data": {"status": "alive"}},
    "ready": {"success": True, "data": {"status": "ready", "engines": 2}},
}
