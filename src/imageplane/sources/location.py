"""What a URL says, read once and so strictly that no two programs can read it differently.

Most ways around an address check live on a URL that whoever checks and whoever connects understand differently. Here
everything with two readings is refused: credentials, backslashes, control characters, escaped hosts, hosts that end
with a dot, and the old ways of writing an IPv4 address (0x7f.1, 2130706433, 0177.0.0.1). What is left is put together
anew.
"""

import re
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from typing import Final, Self
from urllib.parse import quote, urljoin

import idna
from yarl import URL

from imageplane.errors import RefusedSource

MAX_LENGTH: Final = 8_000
_DEFAULT_PORTS: Final = {"http": 80, "https": 443}

_AMBIGUOUS: Final = re.compile(r"[\x00-\x20\x7f-\xa0\\\ud800-\udfff]")
_PARTS: Final = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://(?P<authority>[^/?#]*)(?P<rest>[^#]*)(?:#.*)?")
_SCHEME: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_AUTHORITY: Final = re.compile(r"(?:\[(?P<ipv6>[0-9A-Fa-f:.]+)\]|(?P<name>[^:\[\]@%]+))(?::(?P<port>[0-9]{1,5}))?")
_NAME: Final = re.compile(r"(?!.{254})[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*")
_LIKE_A_NUMBER: Final = re.compile(r"(?:.*\.)?(?:[0-9]+|0x[0-9a-f]*)")
# All that RFC 3986 lets stand, and what browsers leave alone; only bytes beyond ASCII are escaped.
_LEFT_ALONE: Final = "".join(map(chr, range(0x21, 0x7F)))


@dataclass(frozen=True, slots=True, repr=False)
class Location:
    """Where a URL leads.

    Takes: `scheme`, http or https; `host`, a name in ASCII or an IP address without brackets, in lower case; `target`,
    path and query as they are sent.
    """

    scheme: str
    host: str
    port: int
    target: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read an absolute URL; a fragment is dropped. Errors: refused_source."""
        if len(text) > MAX_LENGTH:
            raise RefusedSource(f"The URL is longer than {MAX_LENGTH:,} characters.")
        if _AMBIGUOUS.search(text):
            raise RefusedSource("The URL has a space, a backslash or a control character in it; escape it as %20.")
        parts = _PARTS.fullmatch(text)
        if parts is None:
            raise RefusedSource("That is no absolute URL; it should look like https://example.com/picture.jpg.")
        scheme = parts["scheme"].lower()
        if scheme not in _DEFAULT_PORTS:
            raise RefusedSource("Only https URLs can be fetched.")
        host, port = _host_and_port(parts["authority"])
        path = parts["rest"] if parts["rest"].startswith("/") else "/" + parts["rest"]
        return cls(scheme, host, port or _DEFAULT_PORTS[scheme], quote(path, safe=_LEFT_ALONE))

    def joined(self, reference: str) -> "Location":
        """Give where a redirect from here leads, by its Location header. Errors: refused_source."""
        # Browsers escape a space in a redirect, and enough servers count on it.
        reference = reference.strip(" ").replace(" ", "%20")
        if _AMBIGUOUS.search(reference):
            raise RefusedSource("The URL has a backslash or a control character in it.")
        # `urljoin` takes http:path and http:// for relative; here a scheme makes an absolute URL.
        return Location.parse(reference if _SCHEME.match(reference) else urljoin(self.text, reference))

    @property
    def address(self) -> IPv4Address | IPv6Address | None:
        """The IP address that the URL names in place of a host, or None."""
        if ":" in self.host:
            return IPv6Address(self.host)
        return IPv4Address(self.host) if _LIKE_A_NUMBER.fullmatch(self.host) else None

    @property
    def origin(self) -> tuple[str, str, int]:
        """What must stay the same for credentials to be sent along (RFC 6454)."""
        return self.scheme, self.host, self.port

    @property
    def text(self) -> str:
        """The URL as it is understood; its query can hold secrets, so it is for no log and no message."""
        return f"{self.scheme}://{self._authority}{self.target}"

    @property
    def url(self) -> URL:
        """The same as aiohttp takes it, with nothing escaped or unescaped any more."""
        return URL(self.text, encoded=True)

    def __repr__(self) -> str:
        return f"Location({self.scheme}://{self._authority}/…)"

    @property
    def _authority(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _DEFAULT_PORTS[self.scheme] else f"{host}:{self.port}"


def _host_and_port(authority: str) -> tuple[str, int | None]:
    if "@" in authority:
        raise RefusedSource("The URL has credentials in it; put them into fetch_options.auth.")
    parts = _AUTHORITY.fullmatch(authority)
    if parts is None:
        raise RefusedSource("The URL names no host." if not authority else "The host of the URL can't be read.")
    port = int(parts["port"]) if parts["port"] else None
    if port is not None and not 1 <= port <= 65_535:
        raise RefusedSource("The port of the URL is none; ports go from 1 to 65535.")
    return _ipv6(parts["ipv6"]) if parts["ipv6"] else _name(parts["name"]), port


def _ipv6(text: str) -> str:
    try:
        return str(IPv6Address(text))
    except AddressValueError:
        raise RefusedSource("The IPv6 address of the URL can't be read.") from None


def _name(text: str) -> str:
    name = text.lower()
    if not name.isascii():
        try:
            name = idna.encode(text, uts46=True, std3_rules=True).decode("ascii").lower()
        except UnicodeError:
            raise RefusedSource("The host of the URL is no name that can be looked up.") from None
    if name.endswith("."):
        raise RefusedSource("The host of the URL ends with a dot; leave it out.")
    if not _NAME.fullmatch(name):
        raise RefusedSource("The host of the URL is no name that can be looked up.")
    if _LIKE_A_NUMBER.fullmatch(name):
        try:
            return str(IPv4Address(name))
        except AddressValueError:
            raise RefusedSource("An IPv4 address is written as four numbers, such as 192.0.2.1.") from None
    return name
