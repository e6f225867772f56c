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
_SIZES: Final = {"avatar": (200, 200), "card": (800, 600), "social": (1200, 630)}
# The playground starts from these.
_OUTPUTS: Final = [
    {"name": name, "operations": [{**THUMBNAIL[0], "width_in_px": width, "height_in_px": height}, *THUMBNAIL[1:]]}
    for name, (width, height) in _SIZES.items()
]

REQUESTS: Final[dict[str, dict[str, Any]]] = {
    "thumbnail": {"summary": "One thumbnail.", "value": {"file": FILE, "operations": THUMBNAIL}},
    "outputs": {
        "summary": "Three sizes of one upload.",
        "value": {"file": FILE, "outputs": _OUTPUTS},
    },
}

_WINDOW: Final = {"left_in_px": 24, "top_in_px": 0, "width_in_px": 353, "height_in_px": 353}
_SOURCE: Final = {"format": "svg", "width_in_px": 473, "height_in_px": 353, "size_in_bytes": 105}
_JOB: Final = {
    "id": "01M83SC04AAWMM3MYGG1NR0X9J",
    "api": "image_transformation",
    "status": "succeeded",
    "created_at": "2026-11-23T08:00:00Z",
    "started_at": "2026-11-23T08:00:00.120Z",
    "ended_at": "2026-11-23T08:00:00.480Z",
    "attempts": 1,
    "next_attempt_at": None,
    "credits_held": 1.0,
    "webhook_url": "https://app.example.com/hook?…",
    "delivery": "bytes",
    "request_id": "req_0f3c",
    "result_url": "https://images.example.com/v1/jobs/01M83SC04AAWMM3MYGG1NR0X9J/result",
    "error": None,
    "items": None,
}
_SECRET: Final = {"secret": f"whsec_{'b2xk' * 8}", "created_at": "2026-11-23T08:00:00Z", "signs_until": None}
_DELIVERY: Final = {
    "id": "msg_01M83SC05B45CAFS5MWCME1XCD",
    "job_id": "01M83SC04AAWMM3MYGG1NR0X9J",
    "url": "https://app.example.com/hook?…",
    "delivery": "bytes",
    "status": "delivered",
    "next_attempt_at": None,
    "created_at": "2026-11-23T08:00:00Z",
    "ended_at": "2026-11-23T08:00:06.500Z",
    "attempts": [
        {
            "number": 1,
            "at": "2026-11-23T08:00:00Z",
            "duration_in_ms": 31,
            "status_code": 500,
            "error": "The receiver answered with status 500.",
        },
        {"number": 2, "at": "2026-11-23T08:00:06Z", "duration_in_ms": 27, "status_code": 200, "error": None},
    ],
}
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
            "plan": [
                "decode shrunk by 8, 4000×3000 → 500×375, held in memory",
                "smart_crop width_in_px=200 height_in_px=200 → 200×200",
                "sharpen sigma=0.5 → 200×200",
                "encode webp at quality 85",
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
    "accepted": {
        "success": True,
        "async": True,
        "message": "Request accepted. Results will be delivered to the provided webhook URL.",
        "job_id": _JOB["id"],
        "status_url": f"https://images.example.com/v1/jobs/{_JOB['id']}",
    },
    "jobs": {"success": True, "data": {"jobs": [_JOB], "next": None}},
    "job": {"success": True, "data": _JOB},
    "cancel_job": {"success": True, "data": {**_JOB, "status": "cancelled", "result_url": None}},
    "replay_job": {
        "success": True,
        "data": {**_JOB, "status": "queued", "started_at": None, "ended_at": None, "attempts": 0, "result_url": None},
    },
    "bulk": {
        "success": True,
        "async": True,
        "message": "Request accepted. Ask at the status URL what has become of it.",
        "job_id": _JOB["id"],
        "status_url": f"https://images.example.com/v1/jobs/{_JOB['id']}",
    },
    "webhook_secrets": {"success": True, "data": {"secrets": [_SECRET]}},
    "rotate_webhook_secret": {
        "success": True,
        "data": {
            "secrets": [
                {"secret": f"whsec_{'bmV3' * 8}", "created_at": "2026-11-24T08:00:00Z", "signs_until": None},
                {**_SECRET, "signs_until": "2026-11-25T08:00:00Z"},
            ]
        },
    },
    "deliveries": {"success": True, "data": {"deliveries": [_DELIVERY]}},
    "redeliver": {
        "success": True,
        "data": {**_DELIVERY, "status": "pending", "next_attempt_at": "2026-11-23T09:00:00Z", "ended_at": None},
    },
    "live": {"success": True, "data": {"status": "alive"}},
    "ready": {"success": True, "data": {"status": "ready", "engines": 2}},
}
