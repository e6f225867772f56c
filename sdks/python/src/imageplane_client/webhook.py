"""Webhooks, believed only when they are signed as Standard Webhooks 1.0 says."""

import base64
import binascii
import hashlib
import hmac
import json
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NotRequired, TypedDict

from imageplane_client.errors import WebhookVerificationError
from imageplane_client.types import TransformMetadata

TOLERANCE_IN_S: Final = 300.0
_PREFIX: Final = "whsec_"
_TIMESTAMP: Final = re.compile(r"[0-9]{1,12}", re.ASCII)


class WebhookFailure(TypedDict):
    """Why there is no picture."""

    message: str


class Webhook(TypedDict):
    """What is sent to a webhook: what `transform` would have given, with `api`; or `error`."""

    success: bool
    api: str
    data: NotRequired[dict[str, Any]]
    """With `delivery` set to `link`, each picture has a `url` in place of its `buffer`."""
    metadata: NotRequired[TransformMetadata]
    error: NotRequired[WebhookFailure]


def verify_webhook(
    body: bytes, headers: Mapping[str, str], secret: str | Sequence[str], *, tolerance_in_s: float = TOLERANCE_IN_S
) -> Webhook:
    """Give a webhook as an object, once it is certain who sent it, and that it is whole and fresh.

    Takes: `body` exactly as it came, before anything has parsed it; `headers`, under names in any letters; one secret,
    or all that may sign now, as while one takes the place of another.
    Errors: WebhookVerificationError; ValueError for what is no secret.
    Method: HMAC-SHA256 of the id, the moment and the body, compared in constant time with each signature of version 1.
    """
    keys = [_key_of(each) for each in ([secret] if isinstance(secret, str) else secret)]
    named = {name.lower(): value for name, value in headers.items()}
    message_id, timestamp, signatures = (_needed(named, f"webhook-{part}") for part in ("id", "timestamp", "signature"))
    if not _TIMESTAMP.fullmatch(timestamp):
        raise WebhookVerificationError("The header webhook-timestamp is no number of seconds.")
    if not abs(time.time() - int(timestamp)) <= tolerance_in_s:
        raise WebhookVerificationError(f"The webhook was not signed within {tolerance_in_s:g} s of now.")
    signed = f"{message_id}.{timestamp}.".encode()
    # All pairs are compared, so that the time tells nothing.
    found = [hmac.compare_digest(given, _signature(signed, body, key)) for given in _of(signatures) for key in keys]
    if not any(found):
        raise WebhookVerificationError("No signature of the webhook is right.")
    return _parsed(body)


def _needed(headers: Mapping[str, str], name: str) -> str:
    if not headers.get(name):
        raise WebhookVerificationError(f"The webhook has no header {name}.")
    return headers[name]


def _of(signatures: str) -> Iterator[bytes]:
    for each in signatures.split(" "):
        version, _, digest = each.partition(",")
        if version == "v1":
            yield digest.encode()


def _signature(signed: bytes, body: bytes, key: bytes) -> bytes:
    digest = hmac.new(key, signed, hashlib.sha256)
    digest.update(body)
    return base64.b64encode(digest.digest())


def _key_of(secret: str) -> bytes:
    try:
        key = base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not key:
        # The secret itself is for no message.
        raise ValueError(f"A webhook secret is {_PREFIX} and base64; this one is not.")
    return key


def _parsed(body: bytes) -> Webhook:
    try:
        found: Webhook = json.loads(body)
    except ValueError:
        raise WebhookVerificationError("The webhook is signed, but is no JSON.") from None
    return found
