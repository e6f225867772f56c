"""The requests of the contract as calls of a client, and why some of them are none."""

import itertools
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import parse_qsl

from pairs import CASES
from picture_server import PICTURES
from server import TRANSFORM

_BEARER: Final = "Bearer "
# What asks for each address; a word in braces is an argument.
METHODS: Final = {
    "GET /v1/me": "account",
    "GET /v1/usage": "usage",
    "GET /v1/jobs": "jobs",
    "GET /v1/jobs/{job_id}": "job",
    "GET /v1/jobs/{job_id}/result": "result",
    "GET /v1/jobs/{job_id}/outputs/{output}": "output",
    "POST /v1/jobs/{job_id}/cancel": "cancel",
    "POST /v1/jobs/{job_id}/replay": "replay",
    "GET /v1/jobs/{job_id}/deliveries": "deliveries",
    "POST /v1/deliveries/{delivery_id}/redeliver": "redeliver",
    "POST /v1/bulk": "submit_bulk",
    "GET /v1/bulk/{job_id}/failures": "bulk_failures",
    "GET /v1/bulk/{job_id}/outputs": "bulk_outputs",
    "GET /v1/bulk/{job_id}/outputs/{name}": "bulk_output",
    "GET /v1/webhooks/secrets": "webhook_secrets",
    "POST /v1/webhooks/secrets/rotate": "rotate_webhook_secret",
}
_ADDRESSES: Final = {re.compile(re.sub(r"{(\w+)}", r"(?P<\1>\\w+)", each)): name for each, name in METHODS.items()}


@dataclass(frozen=True)
class Upload:
    """A file that a client sends as it is."""

    name: str
    data: bytes


@dataclass(frozen=True)
class Call:
    """One call of a client.

    Takes: `method`, by its name in Python; `key`, of the API; `headers` that the caller wants beside the client's own.
    """

    method: str
    arguments: tuple[Any, ...]
    key: str
    headers: Mapping[str, str] = field(default_factory=dict)
    idempotency_key: str | None = None


class NoCallError(Exception):
    """A request that no client sends, with the reason."""


def call_of(request: Mapping[str, Any], key: str) -> Call:
    """Give the call that sends a request of a pair, with this key unless it has one of its own. Errors: NoCallError."""
    headers = dict(request.get("headers", {}))
    authorization = headers.get("Authorization", f"{_BEARER}{key}")
    if authorization is None:
        raise NoCallError("a client always has a key")
    if authorization.startswith(_BEARER):
        headers.pop("Authorization", None)
        key = authorization.removeprefix(_BEARER)
    found: dict[str, Any] = {
        "key": key,
        "headers": headers,
        "idempotency_key": headers.pop("Idempotency-Key", None),
    }
    method, path = request.get("method", "POST"), request.get("path", TRANSFORM)
    if (method, path) == ("POST", TRANSFORM):
        body = _body_of(request)
        return Call(_transforming(body, headers), (body,), **found)
    if "json" in request:
        return Call(_asking(method, path)[0], (request["json"],), **found)
    return Call(*_asking(method, path), **found)


def _body_of(request: Mapping[str, Any]) -> Any:
    if "multipart" in request:
        return _form_of(request["multipart"])
    if "text" in request:
        raise NoCallError("a client writes its own JSON, and no other text")
    return request["json"]


def _form_of(parts: list[dict[str, str]]) -> dict[str, Any]:
    body: dict[str, Any] = {}
    for part in parts:
        if "image" in part:
            body[part["name"]] = Upload(part["filename"], PICTURES[part["image"]])
        elif part["name"] in ("operations", "outputs"):
            try:
                body[part["name"]] = json.loads(part["text"])
            except ValueError:
                raise NoCallError("a client writes its own JSON, and no other text") from None
        else:
            body[part["name"]] = part["text"]
    if not isinstance(body.get("file"), Upload):
        raise NoCallError("a client sends a form only where there is a file for it")
    return body


def _transforming(body: Mapping[str, Any], headers: Mapping[str, str]) -> str:
    preferences = re.split("[,; ]+", headers.get("Prefer", "").lower())
    if "webhook_url" in body or "respond-async" in preferences:
        return "submit"
    accepted = headers.get("Accept", "")
    return "transform_to_bytes" if accepted.startswith("image/") else "transform"


def _asking(method: str, path: str) -> tuple[str, tuple[Any, ...]]:
    path, _, query = path.partition("?")
    for address, name in _ADDRESSES.items():
        found = address.fullmatch(f"{method} {path}")
        if found is not None:
            # What narrows a list down is one argument.
            return name, (dict(parse_qsl(query)),) if name in ("jobs", "usage") else found.groups()
    raise NoCallError(f"a client has no method for {method} {path}")


def is_call(request: Mapping[str, Any]) -> bool:
    """Tell whether a client can send a request."""
    return _why_not(request) is None


def _why_not(request: Mapping[str, Any]) -> str | None:
    try:
        call_of(request, "any")
    except NoCallError as reason:
        return str(reason)
    return None


def _unsaid() -> Iterator[tuple[str, str]]:
    for name, case in CASES.items():
        for number, exchange in enumerate(case["exchanges"]):
            reason = _why_not(exchange["request"])
            if reason is not None:
                yield f"{name} {number}", reason


# The cases in which a client has something to say; what it can't say in them goes as raw HTTP.
SAID: Final = [name for name, case in CASES.items() if any(is_call(each["request"]) for each in case["exchanges"])]
# Why, and what: the exchanges that no client can say.
UNSAID: Final[dict[str, list[str]]] = {
    reason: [name for name, _ in group]
    for reason, group in itertools.groupby(sorted(_unsaid(), key=lambda pair: pair[1]), key=lambda pair: pair[1])
}
