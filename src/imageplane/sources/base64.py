"""Files inside the request: base64 to bytes, strictly and quickly."""

import re
from typing import Final

import msgspec
import pybase64

from imageplane.errors import RequestError, TooLarge

_DATA_URL: Final = re.compile(r"data:[^,\"]{0,200};base64,", re.IGNORECASE)
_WHITESPACE: Final = b" \t\r\n"
# Line breaks every 76 characters, and those and every slash escaped in JSON, make a text up to a fifth longer.
_MOST_PADDED_OUT: Final = 1.25
_MOST_PREFIX: Final = 256
_STRANGE: Final = re.compile(rb"[^A-Za-z0-9+/]")


def decode(text: str | bytes | memoryview, max_size_in_bytes: int) -> bytes:
    """Give the bytes that a base64 text stands for.

    Takes: a `str`; or the text as it stands in JSON, with its quotes and escapes, which is not copied. The standard
    alphabet (RFC 4648 §4), padded or not, with a `data:image/…;base64,` prefix or not; spaces and line breaks are
    passed over.
    Errors: invalid_request; too_large, told from the length, before anything is decoded.
    """
    body = text if isinstance(text, str) else memoryview(text)[1:-1]
    if len(body) > (max_size_in_bytes * 4 / 3 + 4) * _MOST_PADDED_OUT + _MOST_PREFIX:
        raise _too_large(max_size_in_bytes)
    if _size_of(len(body)) <= max_size_in_bytes:
        try:
            # Almost every text is this plain; what is not costs some milliseconds more.
            return _not_empty(pybase64.b64decode(body, validate=True))
        except ValueError:
            pass
    return _decode_patiently(text if isinstance(text, str) else _unescaped(text), max_size_in_bytes)


def _decode_patiently(text: str, max_size_in_bytes: int) -> bytes:
    prefix = _DATA_URL.match(text)
    try:
        digits = text[prefix.end() if prefix else 0 :].encode("ascii").translate(None, _WHITESPACE)
    except UnicodeEncodeError:
        raise _no_base64("it has characters beyond ASCII in it") from None
    bare = digits.rstrip(b"=")
    if _size_of(len(bare)) > max_size_in_bytes:
        raise _too_large(max_size_in_bytes)
    padding = -len(bare) % 4
    if padding != 3 and len(digits) - len(bare) in (0, padding):
        try:
            return _not_empty(pybase64.b64decode(bare + b"=" * padding, validate=True))
        except ValueError:
            pass
    raise _no_base64(_what_is_wrong_with(bare))


def _what_is_wrong_with(bare: bytes) -> str:
    strange = _STRANGE.search(bare)
    if strange is None:
        return "its end is missing, or it is padded wrongly"
    if strange[0] in b"-_":
        return "it is in the URL-safe alphabet; use + and / in place of - and _"
    if strange[0] == b"=":
        return "it goes on after its end"
    return f"it has {strange[0].decode()!r} in it"


def _size_of(digits: int) -> int:
    return digits * 3 // 4


def _unescaped(literal: bytes | memoryview) -> str:
    try:
        return msgspec.json.decode(literal, type=str)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise _no_base64("it is no text") from None


def _not_empty(data: bytes) -> bytes:
    if not data:
        raise RequestError("The file is empty.")
    return data


def _no_base64(reason: str) -> RequestError:
    return RequestError(f"That is no base64: {reason}.")


def _too_large(max_size_in_bytes: int) -> TooLarge:
    return TooLarge(f"The file is larger than the limit of {max_size_in_bytes:,} bytes.")
