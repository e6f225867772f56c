"""The body of a transform request, JSON or multipart, to what is asked: all faults at once, each with its place."""

import asyncio
import hashlib
import re
import secrets
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec
from starlette.datastructures import FormData, Headers, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect, Request

from imageplane import sources
from imageplane.errors import Fault, RequestError, TooLarge
from imageplane.settings import LimitSettings
from imageplane.sources import Base64Source, Source
from imageplane.transform import TransformRequest

# Above this, reading takes longer than other requests should wait for.
_LARGEST_READ_ON_THE_LOOP_IN_BYTES = 300_000
_BESIDE_OPERATIONS = frozenset({"file", "webhook_url"})
_MULTIPART_TEXT_IN_BYTES = 1_000_000
_BASE64_FIELD = re.compile(rb'"base64"[ \t\r\n]*:[ \t\r\n]*"')


@dataclass(frozen=True, slots=True)
class Asked:
    """One transform request as it was read.

    Takes: `delimiter`, what stands between the parts of a multipart body: chance, and different in every retry.
    """

    source: Source
    request: TransformRequest
    warnings: tuple[str, ...]
    body: bytes = field(repr=False)
    delimiter: bytes = b""

    def digest(self) -> bytes:
        """Give 32 bytes that tell this body from any other."""
        body = self.body.replace(self.delimiter, b"--") if self.delimiter else self.body
        return hashlib.sha256(body).digest()


async def read(request: Request, limits: LimitSettings) -> Asked:
    """Read a request. Errors: invalid_request with every fault of the whole request, too_large."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    try:
        body = await request.body()
    except ClientDisconnect:
        raise RequestError("The body of the request broke off before its end.") from None
    if kind == "multipart/form-data":
        return await _read_multipart(request.headers, body, limits)
    if len(body) < _LARGEST_READ_ON_THE_LOOP_IN_BYTES:
        return _read_json(body, limits)
    return await asyncio.to_thread(_read_json, body, limits)


def _read_json(body: bytes, limits: LimitSettings) -> Asked:
    file_text = _base64_text(body)
    if file_text is not None:
        # What the parser sees is small: a mark in place of the megabytes, which are looked at where they lie.
        mark = secrets.token_hex(8)
        start, end = file_text
        raw = _object(body[:start] + b'"%b"' % mark.encode() + body[end:])
        file = raw.get("file")
        if isinstance(file, dict) and file.get("base64") == mark:
            file["base64"] = memoryview(body)[start:end]
            return _checked(raw, limits, body)
    return _checked(_object(body), limits, body)


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


def _checked(raw: Mapping[str, Any], limits: LimitSettings, body: bytes, upload: bytes | None = None) -> Asked:
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
    if raw.get("webhook_url") is not None:
        faults.append(Fault("webhook_url", "this server answers at once only; leave it out"))
    if faults or source is None or asked is None:
        raise RequestError.of(faults)
    return Asked(source, asked, warnings + asked.warnings, body)


async def _read_multipart(headers: Headers, body: bytes, limits: LimitSettings) -> Asked:
    try:
        form = await MultiPartParser(
            headers, _once(body), max_files=1, max_fields=20, max_part_size=_MULTIPART_TEXT_IN_BYTES
        ).parse()
    except (MultiPartException, KeyError, ValueError) as error:
        reason = str(getattr(error, "message", "it has no boundary")).rstrip(".")
        raise RequestError(f"The multipart body can't be read: {reason}.") from None
    try:
        upload = await _file_in(form, limits)
        raw = {name: value for name, value in form.items() if name != "file"}
        for name in ("operations", "outputs"):
            if name in raw:
                raw[name] = _json_field(name, raw[name])
    finally:
        await form.close()
    asked = await asyncio.to_thread(_checked, raw, limits, body, upload)
    return replace(asked, delimiter=body[: body.find(b"\r\n")])


async def _once(body: bytes) -> AsyncGenerator[bytes, None]:
    yield body


async def _file_in(form: FormData, limits: LimitSettings) -> bytes:
    file = form.get("file")
    if not isinstance(file, UploadFile):
        raise RequestError.of([Fault("file", "expected a part of this name with a filename")])
    data = await file.read()
    if not data:
        raise RequestError.of([Fault("file", "the file is empty")])
    try:
        limits.check_source(len(data))
    except TooLarge as error:
        raise error.at("file") from None
    return data


def _json_field(name: str, text: object) -> Any:
    try:
        return msgspec.json.decode(text if isinstance(text, str) else "")
    except (msgspec.DecodeError, RecursionError):
        raise RequestError.of([Fault(name, "expected JSON in this field, and no file")]) from None
