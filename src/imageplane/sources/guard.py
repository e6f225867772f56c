"""What may be connected to, and connections that go nowhere else.

A name is looked up once for a connection. All its addresses are judged, one bad one refuses the host, and the
connection is made to the judged addresses: no second look-up can answer differently. The sockets judge once more what
they are told to connect to, and what they are connected to before a request is sent.
"""

import asyncio
import io
import socket
import ssl
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final, Self

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

from imageplane.errors import RefusedSource
from imageplane.settings import SourcesSettings
from imageplane.sources.addresses import refusal_of
from imageplane.sources.location import Location

LookUp = Callable[[str], Awaitable[Sequence[str]]]
"""A name to its IP addresses; raises OSError when there are none."""

# Names that lead somewhere else on every network, or nowhere (RFC 6761, RFC 6762, RFC 8375, and habit).
_LOCAL_NAMES: Final = frozenset(
    ["localhost", "localdomain", "local", "internal", "intranet", "private", "corp", "home", "lan", "onion", "invalid"]
)
# A name that nobody answers for keeps a thread busy for some seconds.
_LOOK_UPS_AT_ONCE: Final = 64
_KEPT_LOOK_UP_IN_S: Final = 10


@dataclass(frozen=True, slots=True)
class Guard:
    """What may be connected to.

    Takes: `allowed_ports`, None for the usual ones of the schemes, or any when private networks are open.
    """

    allow_http: bool = False
    allow_private_networks: bool = False
    allowed_ports: frozenset[int] | None = None

    @classmethod
    def of(cls, settings: SourcesSettings) -> Self:
        """Give the guard that an installation asks for."""
        return cls(settings.allow_http, settings.allow_private_networks, settings.allowed_ports)

    def check(self, location: Location) -> None:
        """Judge what can be judged without the network. Errors: refused_source."""
        if location.scheme != "https" and not self.allow_http:
            raise RefusedSource("Only https URLs can be fetched.")
        if not self._allows_port(location.port):
            raise RefusedSource(f"Port {location.port} can't be used; leave it out.")
        if location.address is not None:
            reason = self.refusal_of(str(location.address))
            if reason is not None:
                raise RefusedSource(f"The address in the URL is not public: it is {reason}.")
        elif not self.allow_private_networks and _is_local(location.host):
            raise RefusedSource("The host of the URL is no public name.")

    def check_addresses(self, host: str, addresses: Sequence[str]) -> None:
        """Judge all addresses that a name leads to. Errors: refused_source, without the address in the message."""
        for address in addresses:
            reason = self.refusal_of(address)
            if reason is not None:
                raise RefusedSource(
                    "The host of the URL leads to an address that is not public.", detail=f"{host} is {reason}"
                )

    def refusal_of(self, address: str) -> str | None:
        """Say what is wrong with connecting to an address, or give None."""
        return refusal_of(address, allow_private=self.allow_private_networks)

    def _allows_port(self, port: int) -> bool:
        if self.allowed_ports is not None:
            return port in self.allowed_ports
        return self.allow_private_networks or port == 443 or (port == 80 and self.allow_http)


class GuardedSession:
    """An aiohttp session that connects only where its guard lets it; it must be closed.

    It keeps no cookies, follows no redirects by itself, knows no proxies and undoes no content encodings. A refusal is
    raised as refused_source; everything else as aiohttp raises it.

    Takes: `look_up` and `trust` in place of the system's name resolution and certificates; `options` for
    `aiohttp.ClientSession`. Made in the event loop that uses it.
    """

    def __init__(  # noqa: PLR0913 - what the connections of a session are given
        self,
        guard: Guard,
        *,
        max_connections: int,
        look_up_timeout_in_s: float,
        keepalive_in_s: float = 15.0,
        look_up: LookUp | None = None,
        trust: ssl.SSLContext | None = None,
        **options: Any,
    ) -> None:
        self._guard = guard
        self._resolver = _Resolver(guard, look_up, look_up_timeout_in_s)
        connector = aiohttp.TCPConnector(
            limit=max_connections,
            keepalive_timeout=keepalive_in_s,
            resolver=self._resolver,
            socket_factory=self._socket,
            ssl=trust or True,
            # Only judged addresses are kept.
            ttl_dns_cache=_KEPT_LOOK_UP_IN_S,
        )
        self._session = aiohttp.ClientSession(
            connector=connector,
            request_class=_request_class(guard),
            cookie_jar=aiohttp.DummyCookieJar(),
            trust_env=False,
            auto_decompress=False,
            **options,
        )

    async def request(
        self, method: str, location: Location, headers: Mapping[str, str], body: bytes | None = None
    ) -> aiohttp.ClientResponse:
        """Send a request; the response is an async context manager, and its body is not read yet."""
        self._guard.check(location)
        # As a file it is sent in pieces; of bytes the whole would be copied for the socket.
        data = None if body is None else io.BytesIO(body)
        return await self._session.request(method, location.url, headers=headers, data=data, allow_redirects=False)

    async def close(self) -> None:
        """Close all connections."""
        await self._session.close()
        await self._resolver.close()

    def _socket(self, info: tuple[int, int, int, str, Any]) -> socket.socket:
        family, kind, protocol, _, address = info
        reason = self._guard.refusal_of(address[0])
        if reason is not None:
            # aiohttp expects an OSError here; the resolver has told the caller better before.
            raise PermissionError(f"the address is {reason}")
        return socket.socket(family, kind, protocol)


def _request_class(guard: Guard) -> type[aiohttp.ClientRequest]:
    class GuardedRequest(aiohttp.ClientRequest):
        async def send(self, conn: Any) -> aiohttp.ClientResponse:
            peer = conn.transport.get_extra_info("peername") if conn.transport is not None else None
            guard.check_addresses(self.host, [peer[0] if peer else ""])
            if self.headers.get("Connection") == "close" and conn.protocol is not None:
                # Whatever the server says to it: nobody else is sent over this connection.
                conn.protocol.force_close()
            return await super().send(conn)

    return GuardedRequest


class _Resolver(AbstractResolver):
    def __init__(self, guard: Guard, look_up: LookUp | None, timeout_in_s: float) -> None:
        self._guard = guard
        self._timeout_in_s = timeout_in_s
        self._look_up = look_up or self._ask_the_system
        # Threads of its own, so that names that nobody answers for hold up nothing else.
        self._threads = ThreadPoolExecutor(_LOOK_UPS_AT_ONCE, thread_name_prefix="look-up")

    async def resolve(
        self,
        host: str,
        port: int = 0,
        family: socket.AddressFamily = socket.AF_UNSPEC,  # noqa: ARG002 - aiohttp asks for all families
    ) -> list[ResolveResult]:
        async with asyncio.timeout(self._timeout_in_s):
            addresses = await self._look_up(host)
        if not addresses:
            raise OSError("the name has no address")
        self._guard.check_addresses(host, addresses)
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=socket.AF_INET6 if ":" in address else socket.AF_INET,
                proto=socket.IPPROTO_TCP,
                flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
            )
            for address in addresses
        ]

    async def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _ask_the_system(self, host: str) -> Sequence[str]:
        answers = await asyncio.get_running_loop().run_in_executor(self._threads, _addresses_of, host)
        return tuple(answers)


def _addresses_of(host: str) -> dict[str, None]:
    answers = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG)
    return dict.fromkeys(str(answer[4][0]) for answer in answers)


def _is_local(host: str) -> bool:
    return "." not in host or host.rsplit(".", 1)[1] in _LOCAL_NAMES or host.endswith(".home.arpa")
