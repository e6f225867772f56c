"""The body of a transform request, JSON or multipart, to what is asked: all faults at once, each with its place."""

import asyncio
import hashlib
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec
from starlette.datastructures import Headers
from starlette.requests import Request

from imageplane import sources
from imageplane.errors import Fault, RequestError, TooLarge
from imageplane.http.multipart import Part, parts_of
from imageplane.jobs.job import Delivery
from imageplane.request import TransformRequest
from imageplane.settings import LimitSettings, Settings
from imageplane.sources import Base64Source, Source, UrlSource

# Above these, reading takes longer than other requests should wait for.
_LARGEST_READ_ON_THE_LOOP_IN_BYTES = 300_000
_LARGEST_FORM_ON_THE_LOOP_IN_BYTES = 8_000_000
_BESIDE_OPERATIONS = frozenset({"file", "webhook_url", "delivery"})
_DELIVERIES = ("bytes", "link")
_MULTIPART_TEXT_IN_BYTES = 1_000_000
_JSON_FIELDS = ("operations", "outputs")
# Within this, and what the size of a body adds, all of it must have come.
_PATIENCE_IN_S = 30.0
_BASE64_FIELD = re.compile(rb'"base64"[ \t\r\n]*:[ \t\r\n]*"')


@dataclass(frozen=True, slots=True)
class Asked:
    """One transform request as it was read.

    Takes: `digest`, 32 bytes that tell its body from any other, where that was asked for; `raw`, the body as it was
    decoded, without the bytes of a file; `webhook_url`, where the reply is to be sent, as it was written.
    """

    source: Source
    request: TransformRequest
    warnings: tuple[str, ...]
    digest: bytes | None = None
    raw: Mapping[str, Any] = field(default_factory=dict)
    webhook_url: str | None = None
    delivery: Delivery = "bytes"


async def read(request: Request, settings: Settings, *, wants_digest: bool) -> Asked:
    """Read a request. Errors: invalid_request with every fault of the whole request, too_large."""
    limits = settings.limits
    body = await _body(request, limits, settings.admission.least_bytes_per_s)
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "multipart/form-data":
        if len(body) < _LARGEST_FORM_ON_THE_LOOP_IN_BYTES:
            return _read_multipart(request.headers, body, settings.limits, wants_digest)
        return await asyncio.to_thread(_read_multipart, request.headers, body, limits, wants_digest)
    if len(body) < _LARGEST_READ_ON_THE_LOOP_IN_BYTES:
        return _read_json(body, limits, wants_digest)
    return await asyncio.to_thread(_read_json, body, limits, wants_digest)


async def _body(request: Request, limits: LimitSettings, least_bytes_per_s: int) -> bytes:
    declared = declared_size_in_bytes(request.headers)
    size_in_bytes = limits.max_body_in_bytes if declared is None else min(declared, limits.max_body_in_bytes)
    patience_in_s = _PATIENCE_IN_S + size_in_bytes / least_bytes_per_s if least_bytes_per_s else None
    try:
        async with asyncio.timeout(patience_in_s):
            return await _whole_body(request)
    except TimeoutError:
        raise RequestError("The body of the request came too slowly.") from None


async def _whole_body(request: Request) -> bytes:
    # What comes in one piece is not copied, as `request.body` would.
    pieces: list[bytes] = []
    is_open = True
    while is_open:
        message = await request.receive()
        if message["type"] == "http.disconnect":
            raise RequestError("The body of the request broke off before its end.")
        pieces.append(message.get("body", b""))
        is_open = message.get("more_body", False)
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


def declared_size_in_bytes(headers: Headers) -> int | None:
    """Give how large a body says that it is, or None when it doesn't say."""
    declared = headers.get("content-length", "")
    if declared.isdecimal():
        return int(declared)
    return None if "transfer-encoding" in headers else 0


def _read_json(body: bytes, limits: LimitSettings, wants_digest: bool) -> Asked:  # noqa: FBT001 - called in a thread
    digest = hashlib.sha256(body).digest() if wants_digest else None
    file_text = _base64_text(body)
    if file_text is not None:
        # What the parser sees is small: a mark in place of the megabytes, which are looked at where they lie.
        mark = secrets.token_hex(8)
        start, end = file_text
        raw = _object(body[:start] + b'"%b"' % mark.encode() + body[end:])
        file = raw.get("file")
        if isinstance(file, dict) and file.get("base64") == mark:
            file["base64"] = memoryview(body)[start:end]
            return _checked(raw, limits, digest)
    return _checked(_object(body), limits, digest)


def _base64_text(body: bytes) -> tuple[int, int] | None:
    """Give where the text of the first field named base64 begins and ends, with its quotes."""
    found = _BASE64_FIELD.search(body)
    if found is None:
        return None
    start = found.end() - 1
    end = body.find(b'"', start + 1)
    # A quote that is escaped ends no text, and is no base64 either: then the parser reads it all.
    return None if end < 0 or body[end - 1 : end] == b"\\" else (start, end + 1)


def _object(body: bytes) -> dict[str, Any]:
    raw = _decoded(body)
    if not isinstance(raw, dict):
        raise RequestError("The body must be a JSON object with file and operations.")
    return raw


def _decoded(text: bytes) -> Any:
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise RequestError(f"The body is no JSON that can be read: {_what_is_wrong(error)}.") from None
    except RecursionError:
        raise RequestError("The body is nested too deeply.") from None


def _what_is_wrong(error: Exception) -> str:
    if isinstance(error, UnicodeDecodeError):
        return "it is not UTF-8"
    # Where in the text it is, a library tells in words of its own.
    return str(error).removeprefix("JSON is malformed: ").partition(" - at ")[0]


def _checked(raw: Mapping[str, Any], limits: LimitSettings, digest: bytes | None, upload: bytes | None = None) -> Asked:
    faults: list[Fault] = []
    source: Source | None = None
    warnings: tuple[str, ...] = ()
    asked: TransformRequest | None = None
    try:
        if upload is not None:
            source = Base64Source(upload, None)
        else:
            source, warnings = sources.read(raw.get("file"), limits.max_source_in_bytes)
    except RequestError as error:
        faults.extend(error.faults)
    try:
        asked = TransformRequest.parse(raw, limits, _BESIDE_OPERATIONS)
    except RequestError as error:
        faults.extend(error.faults)
    webhook_url, delivery = raw.get("webhook_url"), raw.get("delivery", "bytes")
    if webhook_url is not None and not isinstance(webhook_url, str):
        faults.append(Fault("webhook_url", "expected a string such as https://example.com/hook"))
    if delivery not in _DELIVERIES:
        faults.append(Fault("delivery", f"expected {' or '.join(_DELIVERIES)}"))
    if faults or source is None or asked is None:
        raise RequestError.of(faults)
    # A text of base64 is a piece of the body, which would be kept in memory with it as long as the work takes.
    rest = {name: value for name, value in raw.items() if name != "file" or isinstance(source, UrlSource)}
    return Asked(source, asked, warnings + asked.warnings, digest, rest, webhook_url, delivery)


def _read_multipart(headers: Headers, body: bytes, limits: LimitSettings, wants_digest: bool) -> Asked:  # noqa: FBT001
    upload: bytes | None = None
    raw: dict[str, Any] = {}
    for part in parts_of(body, headers["content-type"]):
        if part.name == "file" and part.filename is not None:
            if upload is not None:
                raise RequestError.of([Fault("file", "expected one file")])
            upload = _checked_file(part.content, limits)
        else:
            raw[part.name] = _field_of(part)
    if upload is None:
        raise RequestError.of([Fault("file", "expected a part of this name with a filename")])
    # What stands between the parts is chance, and different in every retry.
    delimiter = body[: body.find(b"\r\n")]
    digest = hashlib.sha256(body.replace(delimiter, b"--")).digest() if wants_digest else None
    return _checked(raw, limits, digest, upload)


def _checked_file(data: bytes, limits: LimitSettings) -> bytes:
    if not data:
        raise RequestError.of([Fault("file", "the file is empty")])
    try:
        limits.check_source(len(data))
    except TooLarge as error:
        raise error.at("file") from None
    return data


def _field_of(part: Part) -> Any:
    """Give a field of a form: JSON where the contract has JSON, text elsewhere."""
    if len(part.content) > _MULTIPART_TEXT_IN_BYTES:
        limit = f"the limit of a field is {_MULTIPART_TEXT_IN_BYTES:,} bytes"
        raise RequestError.of([Fault(part.name[:100], limit)])
    try:
        if part.name in _JSON_FIELDS:
            return msgspec.json.decode(part.content if part.filename is None else b"")
        return part.content.decode()
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise RequestError.of([Fault(part.name[:100], "expected JSON in this field, and no file")]) from None
