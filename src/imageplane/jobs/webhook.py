"""Webhooks are signed, so that whoever receives one knows that it is ours, whole and fresh.

Method: Standard Webhooks 1.0: HMAC-SHA256 of id, moment and body, once with every secret that signs. All of it is pure.
"""

import base64
import binascii
import hashlib
import hmac
import re
import secrets
from collections.abc import Mapping, Sequence
from typing import Final

from imageplane.errors import RequestError

ID_HEADER: Final = "webhook-id"
TIMESTAMP_HEADER: Final = "webhook-timestamp"
SIGNATURE_HEADER: Final = "webhook-signature"
TOLERANCE_IN_S: Final = 300
PREFIX: Final = "whsec_"
_BYTES: Final = 32
_FEWEST_BYTES: Final = 24
_MOST_BYTES: Final = 64
_VERSION: Final = "v1"
_TIMESTAMP: Final = re.compile(r"[0-9]{1,12}", re.ASCII)


def new_secret() -> str:
    """Give a new secret of 32 random bytes, as it is shown: `whsec_` and base64."""
    return PREFIX + base64.b64encode(secrets.token_bytes(_BYTES)).decode("ascii")


def key_of(secret: str) -> bytes:
    """Give the bytes of a secret, with or without its `whsec_`. Errors: invalid_request."""
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not _FEWEST_BYTES <= len(key) <= _MOST_BYTES:
        # The secret itself is for no message.
        raise RequestError(
            f"A webhook secret is {PREFIX} and the base64 of {_FEWEST_BYTES} to {_MOST_BYTES} bytes; this one is not."
        )
    return key


def signature_of(message_id: str, timestamp_in_s: int, body: bytes, secret: str) -> str:
    """Give the signature of a message with one secret, such as `v1,g0hM9SsE…`. Errors: invalid_request."""
    digest = hmac.new(key_of(secret), f"{message_id}.{timestamp_in_s}.".encode(), hashlib.sha256)
    # Bodies can be large; this one is not copied for the sake of a few characters before it.
    digest.update(body)
    return f"{_VERSION},{base64.b64encode(digest.digest()).decode('ascii')}"


def headers_of(message_id: str, timestamp_in_s: int, body: bytes, secrets_that_sign: Sequence[str]) -> dict[str, str]:
    """Give the three headers of a message.

    Takes: an id that stays the same however often the message is sent; the moment of this sending; at least one
    secret, the current one first, and those that are being rotated out behind it.
    """
    signatures = [signature_of(message_id, timestamp_in_s, body, secret) for secret in secrets_that_sign]
    return {
        ID_HEADER: message_id,
        TIMESTAMP_HEADER: str(timestamp_in_s),
        SIGNATURE_HEADER: " ".join(signatures),
    }


def refusal_of(headers: Mapping[str, str], body: bytes, secrets_known: Sequence[str], now_in_s: float) -> str | None:
    """Say in a sentence why a message should not be believed, or give None when it is genuine and fresh.

    Takes: headers under names in any letters, the body exactly as it came, and every secret that may have signed it.
    """
    named = {name.lower(): value for name, value in headers.items()}
    missing = [name for name in (ID_HEADER, TIMESTAMP_HEADER, SIGNATURE_HEADER) if not named.get(name)]
    if missing:
        return f"The message has no header {missing[0]}."
    if not _TIMESTAMP.fullmatch(named[TIMESTAMP_HEADER]):
        return f"The header {TIMESTAMP_HEADER} is no number of seconds."
    timestamp_in_s = int(named[TIMESTAMP_HEADER])
    if abs(now_in_s - timestamp_in_s) > TOLERANCE_IN_S:
        age = "old" if timestamp_in_s < now_in_s else "far in the future"
        return f"The message is too {age}: more than {TOLERANCE_IN_S} seconds."
    given = [part.encode() for part in named[SIGNATURE_HEADER].split(" ") if part.startswith(f"{_VERSION},")]
    expected = [signature_of(named[ID_HEADER], timestamp_in_s, body, secret).encode() for secret in secrets_known]
    # Every pair is compared to its end, so that the time it takes tells nothing.
    matches = [hmac.compare_digest(one, other) for one in given for other in expected]
    return None if any(matches) else "No signature of the message is right."
