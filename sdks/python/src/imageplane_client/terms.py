"""Where a client asks, in whose name, and how patiently."""

import os
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from typing import Final
from urllib.parse import urlsplit

TIMEOUT_IN_S: Final = 120.0
MAX_RETRIES: Final = 2
LONGEST_JOB_IN_S: Final = 300.0
_HERE: Final = "http://127.0.0.1:8000"


def _version() -> str:
    try:
        return version("imageplane-client")
    except PackageNotFoundError:
        # Used from a checkout.
        return "0"


@dataclass(frozen=True, slots=True)
class Terms:
    """What all calls of a client have in common.

    Takes: `timeout_in_s`, for one call with all its attempts; `max_retries`, how often a request is sent again.
    """

    base_url: str
    api_key: str = field(repr=False)
    timeout_in_s: float
    max_retries: int

    @classmethod
    def of(cls, api_key: str | None, base_url: str | None, timeout_in_s: float, max_retries: int) -> "Terms":
        """Fill in what is not given from the environment. Errors: ValueError."""
        key = (api_key or os.environ.get("IMAGEPLANE_KEY", "")).strip()
        if not key:
            raise ValueError("There is no API key: give api_key, or set IMAGEPLANE_KEY.")
        if not (key.isascii() and key.isprintable()):
            raise ValueError("The API key has characters that no API key has.")
        url = (base_url or os.environ.get("IMAGEPLANE_BASE_URL") or _HERE).strip().rstrip("/")
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.query:
            raise ValueError("The base URL is to be such as https://images.example.com, without user and query.")
        if timeout_in_s <= 0 or max_retries < 0:
            raise ValueError("timeout_in_s is more than 0, and max_retries is not less than 0.")
        return cls(url, key, timeout_in_s, max_retries)

    @property
    def headers(self) -> dict[str, str]:
        return {
            "Authorization": f"Bearer {self.api_key}",
            "User-Agent": f"imageplane-client-python/{_version()}",
            "Accept": "application/json",
        }
