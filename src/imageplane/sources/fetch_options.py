"""How a request wants its URL fetched: `file.fetch_options`, as it stands on the wire."""

import math
import re
from typing import Annotated, Any, Final, Literal

import pybase64
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    model_validator,
)
from pydantic_core import ErrorDetails

from imageplane.errors import Fault, RequestError
from imageplane.unknown_fields import warnings_of

MAX_HEADERS: Final = 32
_MAX_VALUE_LENGTH: Final = 8_000

# What belongs to the connection, to cookies or to the browser: the forbidden request headers of the Fetch standard,
# and the hop-by-hop fields of RFC 9110.
# fmt: off
_FORBIDDEN: Final = frozenset(
    [
        "accept-charset", "accept-encoding", "connection", "content-length", "cookie", "cookie2", "date", "dnt",
        "expect", "host", "http2-settings", "keep-alive", "origin", "referer", "set-cookie", "te", "trailer",
        "transfer-encoding", "upgrade", "via", "x-http-method", "x-http-method-override", "x-method-override",
    ]
)
# fmt: on
_FORBIDDEN_STARTS: Final = ("proxy-", "sec-", "access-control-request-")

_TOKEN: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,256}")
_VISIBLE: Final = re.compile(r"[\x20-\x7e\t]*")
_LANGUAGE_TAG: Final = re.compile(r"[A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8}){0,8}")
_USER_NAME: Final = re.compile(r"[^:\x00-\x1f\x7f]*")


def _allowed_name(name: str) -> str:
    if not _TOKEN.fullmatch(name):
        raise ValueError("that is no name of a header")
    if name.lower() in _FORBIDDEN or name.lower().startswith(_FORBIDDEN_STARTS):
        raise ValueError("this header can't be set by a request")
    return name


def _plain(value: str) -> str:
    if not _VISIBLE.fullmatch(value):
        raise ValueError("only printable ASCII characters can be sent in a header")
    return value


def _plain_secret(secret: SecretStr) -> SecretStr:
    _plain(secret.get_secret_value())
    return secret


def _language_tag(value: str) -> str:
    if not _LANGUAGE_TAG.fullmatch(value):
        raise ValueError("expected a language tag such as de-DE")
    return value


def _user_name(value: str) -> str:
    if not _USER_NAME.fullmatch(value):
        raise ValueError("a user name can't have a colon or a control character in it")
    return value


def _not_too_many(headers: Any) -> Any:
    # Counted before they are read: pydantic would find fault with each of a million.
    if isinstance(headers, dict) and len(headers) > MAX_HEADERS:
        raise ValueError(f"at most {MAX_HEADERS} headers are allowed, but there are {len(headers):,}")
    return headers


def _told(pattern: re.Pattern[str]) -> Any:
    return Field(json_schema_extra={"pattern": f"^{pattern.pattern}$"})


_HeaderName = Annotated[str, AfterValidator(_allowed_name), _told(_TOKEN)]
_HeaderValue = Annotated[str, Field(max_length=_MAX_VALUE_LENGTH), AfterValidator(_plain), _told(_VISIBLE)]
_Secret = Annotated[
    SecretStr, Field(min_length=1, max_length=_MAX_VALUE_LENGTH), AfterValidator(_plain_secret), _told(_VISIBLE)
]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", strict=True, allow_inf_nan=False)

    @model_validator(mode="before")
    @classmethod
    def _as_json_means_it(cls, raw: Any) -> Any:
        """Take null for absent, and 5000.0 for 5000: JSON has one kind of number."""
        if not isinstance(raw, dict):
            return raw
        return {name: _whole(value) for name, value in raw.items() if value is not None and _is_given(name, value)}


def _is_given(name: str, value: Any) -> bool:
    # Clients in typed languages send an empty object for credentials that were not set.
    return name != "auth" or value != {}


def _whole(value: Any) -> Any:
    return int(value) if isinstance(value, float) and value.is_integer() else value


class BearerAuth(_Part):
    """A token for the server of the file."""

    type: Literal["bearer"]
    token: Annotated[_Secret, Field(description="Sent as `Authorization: Bearer`.")]

    @property
    def header(self) -> tuple[str, str]:
        return "Authorization", f"Bearer {self.token.get_secret_value()}"


class BasicAuth(_Part):
    """A user name and a password for the server of the file."""

    type: Literal["basic"]
    username: Annotated[
        str, Field(max_length=1_000, description="Without a colon."), AfterValidator(_user_name), _told(_USER_NAME)
    ]
    password: Annotated[SecretStr, Field(max_length=1_000)] = SecretStr("")

    @property
    def header(self) -> tuple[str, str]:
        pair = f"{self.username}:{self.password.get_secret_value()}"
        return "Authorization", f"Basic {pybase64.b64encode_as_string(pair.encode())}"


class CustomHeaderAuth(_Part):
    """A header that opens the server of the file."""

    type: Literal["custom_header"]
    name: Annotated[_HeaderName, Field(description="Such as `X-Api-Key`.")]
    value: _Secret

    @property
    def header(self) -> tuple[str, str]:
        return self.name, self.value.get_secret_value()


class FetchOptions(_Part):
    """How a file is fetched from its URL."""

    auth: Annotated[
        BearerAuth | BasicAuth | CustomHeaderAuth | None,
        Field(discriminator="type", description="Sent to the origin of the URL only, never along with a redirect."),
    ] = None
    headers: Annotated[
        dict[_HeaderName, _HeaderValue],
        Field(max_length=MAX_HEADERS, description="More request headers, sent to the origin of the URL only."),
        BeforeValidator(_not_too_many),
    ] = Field(default_factory=dict, repr=False)
    locale: Annotated[
        Annotated[str, AfterValidator(_language_tag), _told(_LANGUAGE_TAG)] | None,
        Field(description="A language tag such as `de-DE` (BCP 47), sent as `Accept-Language`."),
    ] = None
    timeout_ms: Annotated[
        int | None, Field(ge=1_000, le=60_000, description="The longest that the download may take.")
    ] = None
    user_agent: Annotated[
        Annotated[str, Field(min_length=1, max_length=500), AfterValidator(_plain), _told(_VISIBLE)] | None,
        Field(description="Sent as `User-Agent`."),
    ] = None
    should_render_javascript: Annotated[bool, Field(description="Has no meaning for images.")] = False

    @property
    def timeout_in_s(self) -> float:
        return math.inf if self.timeout_ms is None else self.timeout_ms / 1000

    @property
    def is_personal(self) -> bool:
        """Whether the answer may be for this caller's eyes only."""
        return self.auth is not None or bool(self.headers)

    @property
    def open_headers(self) -> dict[str, str]:
        """What every server is told, also after a redirect."""
        named = {"Accept-Language": self.locale, "User-Agent": self.user_agent}
        return {name: value for name, value in named.items() if value is not None}

    @property
    def personal_headers(self) -> dict[str, str]:
        """What only the origin of the URL is told; a field of its own goes before a header of the same name."""
        own = dict([*self.open_headers.items(), *([self.auth.header] if self.auth else [])])
        taken = {name.lower() for name in own}
        return {**{name: value for name, value in self.headers.items() if name.lower() not in taken}, **own}

    @property
    def identity(self) -> tuple[object, ...]:
        """What must be equal for two requests to be the same; it holds secrets."""
        sent = {**self.open_headers, **self.personal_headers}
        return self.timeout_ms, *sorted((name.lower(), value) for name, value in sent.items())


def read(raw: object, path: str = "fetch_options") -> tuple[FetchOptions, tuple[str, ...]]:
    """Read fetch options from decoded JSON; null and {} are none.

    Gives: the options, and warnings of fields without a meaning.
    Errors: invalid_request, with every fault at once.
    """
    try:
        options = FetchOptions.model_validate({} if raw is None else raw)
    except ValidationError as error:
        raise RequestError.of([_fault(path, detail) for detail in error.errors(include_url=False)]) from None
    warnings: list[str] = []
    if isinstance(raw, dict):
        warnings += warnings_of(raw, FetchOptions.model_fields, path)
        if options.auth is not None:
            warnings += warnings_of(raw["auth"], type(options.auth).model_fields, f"{path}.auth")
    if options.should_render_javascript:
        warnings.append(f"{path}.should_render_javascript: has no meaning for images, ignored")
    return options, tuple(warnings)


def _fault(path: str, detail: ErrorDetails) -> Fault:
    place = [str(part)[:60] for part in detail["loc"] if part != "[key]"]
    if place[:1] == ["auth"] and len(place) > 1:
        # The tag that chose the model; the caller never wrote it.
        del place[1]
    if detail["type"].startswith("union_tag"):
        return Fault(f"{path}.auth.type", "expected bearer, basic or custom_header")
    if detail["type"] in ("model_type", "model_attributes_type", "dict_type"):
        return Fault(".".join([path, *place]), "expected an object")
    message = detail["msg"].removeprefix("Value error, ")
    return Fault(".".join([path, *place]), message[0].lower() + message[1:])
