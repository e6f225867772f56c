"""Where bytes come from: a file inside the request, or a URL to fetch it from.

This reads the `file` of a request; `url.Fetcher` then goes and gets what is behind a URL.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from imageplane.errors import Fault, RefusedSource, RequestError, TooLarge
from imageplane.sources import base64, fetch_options
from imageplane.sources.fetch_options import FetchOptions
from imageplane.sources.location import Location
from imageplane.unknown_fields import warnings_of

_KNOWN: Final = ("type", "name", "url", "base64", "fetch_options")
_MAX_NAME_LENGTH: Final = 1_024


@dataclass(frozen=True, slots=True)
class UrlSource:
    """A file that must be fetched; `name` is a hint only."""

    url: Location
    name: str | None
    fetch_options: FetchOptions


@dataclass(frozen=True, slots=True)
class Base64Source:
    """A file that came with the request; `name` is a hint only."""

    data: bytes = field(repr=False)
    name: str | None


Source = UrlSource | Base64Source


def read(raw: object, max_size_in_bytes: int, path: str = "file") -> tuple[Source, tuple[str, ...]]:
    """Read the file of a request from decoded JSON.

    Takes: an object whose `base64` is a `str`, or a `memoryview` of the JSON text of one with its quotes, which is
    decoded without being copied.
    Gives: the source, and warnings of fields without a meaning.
    Errors: invalid_request, with every fault at once; too_large.
    """
    if not isinstance(raw, Mapping):
        raise RequestError.of([Fault(path, 'expected an object such as {"type": "url", "url": "https://…"}')])
    reading = _Reading(raw, max_size_in_bytes, path)
    source = reading.source()
    if source is None or reading.faults:
        raise RequestError.of(reading.faults)
    return source, tuple(reading.warnings)


class _Reading:
    def __init__(self, raw: Mapping[str, object], max_size_in_bytes: int, path: str) -> None:
        self._raw = raw
        self._max_size_in_bytes = max_size_in_bytes
        self._path = path
        self.faults: list[Fault] = []
        self.warnings = warnings_of(raw, _KNOWN, path)

    def source(self) -> Source | None:
        name, options, kind = self._name(), self._options(), self._kind()
        if kind == "url":
            url = self._url()
            return UrlSource(url, name, options) if url else None
        data = self._data() if kind else None
        return Base64Source(data, name) if data else None

    def _kind(self) -> str | None:
        given = [kind for kind in ("url", "base64") if self._raw.get(kind) is not None]
        kind = self._raw.get("type")
        if len(given) == 2:
            self._blame("", "give either url or base64, not both")
        elif kind is None and not given:
            self._blame("", "give a url or base64")
        elif kind is None:
            return given[0]
        elif kind not in ("url", "base64"):
            self._blame("type", "expected url or base64")
        elif given != [kind]:
            self._blame(str(kind), f"missing, but the type says {kind}")
        else:
            return str(kind)
        return None

    def _url(self) -> Location | None:
        url = self._raw["url"]
        if not isinstance(url, str):
            self._blame("url", "expected a string")
            return None
        try:
            return Location.parse(url)
        except RefusedSource as error:
            self._blame("url", error.message)
            return None

    def _data(self) -> bytes | None:
        text = self._raw["base64"]
        if not isinstance(text, str | memoryview):
            self._blame("base64", "expected a string")
            return None
        try:
            return base64.decode(text, self._max_size_in_bytes)
        except TooLarge as error:
            raise error.at(f"{self._path}.base64") from None
        except RequestError as error:
            self._blame("base64", error.message)
            return None

    def _name(self) -> str | None:
        name = self._raw.get("name")
        if name is None or (isinstance(name, str) and len(name) <= _MAX_NAME_LENGTH):
            return name
        self._blame("name", f"expected a string of at most {_MAX_NAME_LENGTH:,} characters")
        return None

    def _options(self) -> FetchOptions:
        try:
            options, warnings = fetch_options.read(self._raw.get("fetch_options"), f"{self._path}.fetch_options")
        except RequestError as error:
            self.faults.extend(error.faults)
            return FetchOptions()
        self.warnings.extend(warnings)
        return options

    def _blame(self, field_name: str, message: str) -> None:
        self.faults.append(Fault(f"{self._path}.{field_name}" if field_name else self._path, message))


__all__ = ["Base64Source", "FetchOptions", "Location", "Source", "UrlSource", "read"]
