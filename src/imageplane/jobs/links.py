"""Signed links: whoever has one may fetch what it names until its time is over, without a key. All of it is pure."""

import base64
import hashlib
import hmac
import re
from collections.abc import Mapping
from typing import Final

from imageplane.errors import InvalidLink

_EXPIRES: Final = "expires"
_SIGNATURE: Final = "signature"
_MOMENT: Final = re.compile(r"[1-9][0-9]{0,11}", re.ASCII)


def sign(path: str, expires_at_in_s: int, key: bytes) -> str:
    """Give the query that makes a path a signed link, without its question mark.

    Takes: the path as it will be asked for, such as `/v1/jobs/01KB…/result`; the Unix second after which it opens
    nothing any more.
    """
    return f"{_EXPIRES}={expires_at_in_s}&{_SIGNATURE}={_signature_of(path, expires_at_in_s, key)}"


def verify(path: str, query: Mapping[str, str], key: bytes, now_in_s: float) -> None:
    """Raise unless a query was made by `sign` for this path, and its time is not over. Errors: invalid_link."""
    moment, signature = query.get(_EXPIRES, ""), query.get(_SIGNATURE, "")
    if not _MOMENT.fullmatch(moment) or not signature:
        raise InvalidLink("The link is not signed; take it whole, with all that follows the question mark.")
    expected = _signature_of(path, int(moment), key)
    if not hmac.compare_digest(expected.encode(), signature.encode("utf-8", "replace")):
        raise InvalidLink("The signature of the link is wrong; take it whole, with all that follows the question mark.")
    # Looked at last: of a link that is not ours nothing is said.
    if now_in_s > int(moment):
        raise InvalidLink("The time of the link is over; ask for the result with an API key.")


def _signature_of(path: str, expires_at_in_s: int, key: bytes) -> str:
    digest = hmac.digest(key, f"{expires_at_in_s}\n{path}".encode("utf-8", "surrogateescape"), hashlib.sha256)
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode("ascii")
