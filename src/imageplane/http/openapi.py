"""The whole API as one OpenAPI 3.1 document: read from routes, models and errors, and the same every time."""

import inspect
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any, Final

import msgspec
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute

from imageplane import errors
from imageplane.codecs.formats import FORMATS
from imageplane.errors import ImageplaneError
from imageplane.http import examples
from imageplane.http.replies import ErrorReply
from imageplane.http.schemas import Schema, error_classes, ref, schemas, untitled
from imageplane.limits import Limits
from imageplane.reply import JSON

_ADMISSION: Final = (errors.InvalidKey, errors.RateLimited, errors.Busy)
# Everything else can become of a transform.
_ELSEWHERE: Final = (
    errors.Forbidden,
    errors.InvalidLink,
    errors.Conflict,
    errors.NotFound,
    errors.MethodNotAllowed,
    errors.SettingsError,
)
# A reply of one of these statuses can be given before it is known whose request it is.
_BEFORE_ADMISSION: Final = frozenset([401, 500, 503])
_OWN_HEADERS: Final = {401: ("WWW-Authenticate",), 429: ("Retry-After",), 503: ("Retry-After",)}


@dataclass(frozen=True, slots=True)
class Answer:
    """How a route answers.

    Takes: `content` of success, by media type; `raises`, the errors that are possible beside internal_error; `headers`
    that a reply of success can have beside those that every reply has.
    """

    content: Mapping[str, Schema]
    raises: tuple[type[ImageplaneError], ...] = ()
    headers: tuple[str, ...] = ()

    @property
    def needs_key(self) -> bool:
        return errors.InvalidKey in self.raises


def _json(reply: str, *raises: type[ImageplaneError]) -> Answer:
    return Answer({JSON: {"schema": ref(reply)}}, raises)


_TEXT: Final = {"schema": {"type": "string"}}
_ANSWERS: Final = {
    "transform": Answer(
        {JSON: {"schema": ref("TransformReply")}, **{entry.mime_type: {} for entry in FORMATS.values()}},
        tuple(error for error in error_classes() if error not in _ELSEWHERE),
        ("ETag", "X-Credits-Charged", "X-Warnings", "Idempotent-Replayed", "Cache-Status"),
    ),
    "me": _json("AccountReply", *_ADMISSION),
    "usage": _json("UsageReply", *_ADMISSION, errors.RequestError),
    "jobs": _json("JobsReply", *_ADMISSION, errors.RequestError),
    "job": _json("JobReply", *_ADMISSION, errors.NotFound),
    "job_result": _json("ResultReply", *_ADMISSION, errors.NotFound, errors.Conflict),
    "job_output": Answer(
        {entry.mime_type: {} for entry in FORMATS.values()},
        (*_ADMISSION, errors.InvalidLink, errors.NotFound, errors.Conflict),
    ),
    "cancel_job": _json("JobReply", *_ADMISSION, errors.NotFound, errors.Conflict),
    "replay_job": _json(
        "JobReply", *_ADMISSION, errors.NotFound, errors.Conflict, errors.InsufficientCredits, errors.BudgetCapExceeded
    ),
    "bulk": Answer(
        {JSON: {"schema": ref("AcceptedReply")}},
        (
            *_ADMISSION,
            errors.RequestError,
            errors.RefusedSource,
            errors.InsufficientCredits,
            errors.TooLarge,
            errors.IdempotencyInProgress,
            errors.IdempotencyMismatch,
        ),
        ("Location", "Idempotent-Replayed"),
    ),
    "bulk_failures": Answer({"application/jsonl": _TEXT}, (*_ADMISSION, errors.NotFound)),
    "bulk_outputs": Answer({"application/jsonl": _TEXT}, (*_ADMISSION, errors.NotFound)),
    "bulk_output": Answer(
        {entry.mime_type: {} for entry in FORMATS.values()}, (*_ADMISSION, errors.InvalidLink, errors.NotFound)
    ),
    "webhook_secrets": _json("WebhookSecretsReply", *_ADMISSION),
    "rotate_webhook_secret": _json("WebhookSecretsReply", *_ADMISSION),
    "deliveries": _json("DeliveriesReply", *_ADMISSION, errors.NotFound),
    "redeliver": _json("DeliveryReply", *_ADMISSION, errors.NotFound),
    "live": _json("AliveReply"),
    "ready": _json("ReadyReply", errors.Busy),
    "metrics": Answer({"text/plain": _TEXT}),
    "openapi": Answer({JSON: {"schema": {"type": "object"}}}),
    "docs": Answer({"text/html": _TEXT}),
}
_IDEMPOTENCY_KEY: Final = {
    "name": "Idempotency-Key",
    "in": "header",
    "schema": {"type": "string", "pattern": "^[!-~]([ -~]{0,253}[!-~])?$"},
    "description": "A word of the caller's choice. The same word with the same body gets the same reply for a day, "
    "and is charged once.",
}
_IF_NONE_MATCH: Final = {
    "name": "If-None-Match",
    "in": "header",
    "schema": {"type": "string"},
    "description": "The ETag of a raw image that the caller has; where it is the result again, the reply is 304.",
}
_PREFER: Final = {
    "name": "Prefer",
    "in": "header",
    "schema": {"type": "string"},
    "description": "`respond-async` has the request answered later, as a `webhook_url` does (RFC 7240).",
}
_REQUEST_ID: Final = {
    "name": "X-Request-Id",
    "in": "header",
    "schema": {"type": "string"},
    "description": "A name for the request, of letters, digits, `.`, `_`, `:` and `-`; the server finds one where this "
    "is none.",
}
_BODY: Final = {
    "required": True,
    "content": {
        JSON: {"schema": ref("TransformRequest"), "examples": examples.REQUESTS},
        "multipart/form-data": {
            "schema": ref("TransformForm"),
            "encoding": {
                "file": {"contentType": "image/*, application/octet-stream"},
                "operations": {"contentType": JSON},
                "outputs": {"contentType": JSON},
            },
        },
    },
}
_WHOLE: Final = {"type": "integer", "minimum": 0}
_NUMBER: Final = {"type": "number", "minimum": 0}
_WORD: Final = {"type": "string"}


def _header(description: str, schema: Schema, *, is_certain: bool = True) -> dict[str, Any]:
    return {"description": description, "required": is_certain, "schema": schema}


_HEADERS: Final = {
    "X-Request-Id": _header("The name of the request, in the log too.", _WORD),
    "X-RateLimit-Limit": _header("How many requests are allowed in any 60 seconds.", _WHOLE),
    "X-RateLimit-Remaining": _header("How many are left of them.", _WHOLE),
    "X-RateLimit-Reset": _header("When there will be more, in Unix seconds.", _WHOLE),
    "RateLimit-Policy": _header("The limit, as the IETF draft writes it.", _WORD),
    "RateLimit": _header("What is left of it, as the IETF draft writes it.", _WORD),
    "Retry-After": _header("After how many seconds to try again.", {"type": "integer", "minimum": 1}),
    "WWW-Authenticate": _header("How to authenticate.", _WORD),
    "Location": _header("Where to ask what has become of it.", _WORD),
    "ETag": _header("A digest of the image; with raw images only.", _WORD, is_certain=False),
    "X-Credits-Charged": _header("What the transform cost; with raw images only.", _NUMBER, is_certain=False),
    "X-Warnings": _header("How many warnings there are; with raw images only.", _WHOLE, is_certain=False),
    "Cache-Status": _header(
        "Whether the result was kept from an earlier request (RFC 9211), where results are kept.",
        _WORD,
        is_certain=False,
    ),
    "Idempotent-Replayed": _header(
        "Here when an earlier reply is given again, for the same `Idempotency-Key`.",
        {"type": "string", "const": "true"},
        is_certain=False,
    ),
}
_RATE: Final = tuple(name for name in _HEADERS if "RateLimit" in name)


def document(routes: Iterable[APIRoute], limits: Limits) -> dict[str, Any]:
    """Give the document for an installation with these routes and limits."""
    paths: dict[str, dict[str, Any]] = defaultdict(dict)
    for route in routes:
        for method in sorted(route.methods or ()):
            paths[route.path_format][method.lower()] = _operation(route, _ANSWERS[route.name])
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Imageplane",
            "version": version("imageplane"),
            "description": "Image transformation: an ordered list of operations in, the right picture out.",
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": "/"}],
        "paths": dict(paths),
        "components": {
            "schemas": schemas(limits),
            "headers": _HEADERS,
            "securitySchemes": {
                "key": {"type": "http", "scheme": "bearer", "description": "An API key, such as `ip_live_…`."}
            },
        },
    }


def _operation(route: APIRoute, answer: Answer) -> dict[str, Any]:
    summary, _, description = inspect.cleandoc(route.endpoint.__doc__ or "").partition("\n\n")
    operation: dict[str, Any] = {"operationId": route.name, "summary": summary.removesuffix(".")}
    if description:
        operation["description"] = description
    operation["parameters"] = [_REQUEST_ID, *_parameters(route)]
    if answer.needs_key:
        operation["security"] = [{"key": []}]
    if route.name == "transform":
        operation["parameters"] += [_IDEMPOTENCY_KEY, _IF_NONE_MATCH, _PREFER]
        operation["requestBody"] = _BODY
    if route.name == "bulk":
        operation["parameters"] += [_IDEMPOTENCY_KEY]
        operation["requestBody"] = {"required": True, "content": {JSON: {"schema": ref("BulkRequest")}}}
    operation["responses"] = _responses(route.name, answer)
    if route.name == "transform":
        known = {"description": "The caller has this image already.", "headers": _headers(*_RATE, "ETag")}
        operation["responses"]["304"] = known
        operation["responses"]["201"] = {
            "description": "The request is answered later.",
            "headers": _headers(*_RATE, "Location", "Idempotent-Replayed"),
            "content": {JSON: {"schema": ref("AcceptedReply"), "example": examples.REPLIES["accepted"]}},
        }
    return operation


def _parameters(route: APIRoute) -> list[dict[str, Any]]:
    """Give the parameters that FastAPI reads for a route."""
    paths = get_openapi(title="", version="", routes=[route])["paths"]
    found = [
        part for operation in paths.get(route.path_format, {}).values() for part in operation.get("parameters", [])
    ]
    for parameter in found:
        # What is not given is not given; no text stands for null in a query.
        choices = parameter["schema"].get("anyOf", [parameter["schema"]])
        (parameter["schema"],) = [part for part in choices if part != {"type": "null"}]
    return [untitled(parameter) for parameter in found]


def _responses(name: str, answer: Answer) -> dict[str, Any]:
    content = {kind: dict(entry) for kind, entry in answer.content.items()}
    if name in examples.REPLIES:
        content[JSON]["example"] = examples.REPLIES[name]
    rate = _RATE if answer.needs_key else ()
    success = {"description": "What was asked for.", "headers": _headers(*rate, *answer.headers), "content": content}
    by_status = defaultdict(list)
    for error in error_classes():
        if error in answer.raises or error is errors.InternalError:
            by_status[error.status].append(error)
    failures = {str(status): _failure(status, by_status[status], rate) for status in sorted(by_status)}
    return {"201" if name == "bulk" else "200": success, **failures}


def _failure(status: int, raised: list[type[ImageplaneError]], rate: tuple[str, ...]) -> dict[str, Any]:
    meanings = {error.code: inspect.cleandoc(error.__doc__ or "") for error in raised}
    first = raised[0]
    sentence = first.sentence or meanings[first.code]
    example = ErrorReply(success=False, error=sentence, code=first.code, details=(), request_id="req_0f3c")
    return {
        "description": "\n".join(f"* `{code}`: {meaning}" for code, meaning in meanings.items()),
        "headers": _headers(*_OWN_HEADERS.get(status, ()), *(() if status in _BEFORE_ADMISSION else rate)),
        "content": {
            JSON: {
                "schema": {"allOf": [ref("ErrorReply")], "properties": {"code": {"enum": list(meanings)}}},
                "example": msgspec.to_builtins(example),
            }
        },
    }


def _headers(*names: str) -> dict[str, Any]:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in ("X-Request-Id", *names)}
