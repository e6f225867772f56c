"""Which addresses may be connected to: the public internet, and nothing that a server can reach but a caller can't.

The list is of what is allowed, not of what is forbidden: in IPv6 only global unicast (2000::/3), from which the ranges
with a meaning of their own are taken out. Addresses that carry an IPv4 address inside are refused whatever they carry.

Sources: the IANA special-purpose address registries (RFC 6890) with 6to4 (RFC 3056), Teredo (RFC 4380), ISATAP
(RFC 5214), NAT64 (RFC 6052, RFC 8215) and SIIT (RFC 2765), and where clouds keep their metadata.
"""

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final


@dataclass(frozen=True, slots=True)
class _Range:
    network: IPv4Network | IPv6Network
    reason: str
    is_private: bool = False


def _range(network: str, reason: str, *, is_private: bool = False) -> _Range:
    return _Range(ip_network(network), reason, is_private)


# The first range that fits decides, so the narrow ones stand first. Those marked private are what a development setup
# may open; metadata services hold the keys of the whole machine and stay closed.
_IPV4: Final = (
    _range("169.254.0.0/16", "link-local, where clouds keep their metadata"),
    _range("100.100.100.200/32", "the metadata service of a cloud"),
    _range("168.63.129.16/32", "the metadata service of a cloud"),
    _range("192.0.0.0/24", "reserved for protocols, and the metadata service of a cloud"),
    _range("127.0.0.0/8", "loopback", is_private=True),
    _range("10.0.0.0/8", "a private network", is_private=True),
    _range("172.16.0.0/12", "a private network", is_private=True),
    _range("192.168.0.0/16", "a private network", is_private=True),
    _range("100.64.0.0/10", "a carrier-grade NAT network", is_private=True),
    _range("0.0.0.0/8", "unspecified"),
    _range("192.0.2.0/24", "reserved for documentation"),
    _range("198.51.100.0/24", "reserved for documentation"),
    _range("203.0.113.0/24", "reserved for documentation"),
    _range("192.31.196.0/24", "reserved for name servers"),
    _range("192.175.48.0/24", "reserved for name servers"),
    _range("192.52.193.0/24", "reserved for multicast relays"),
    _range("192.88.99.0/24", "reserved for 6to4 relays"),
    _range("198.18.0.0/15", "reserved for benchmarks"),
    _range("224.0.0.0/4", "multicast"),
    _range("255.255.255.255/32", "broadcast"),
    _range("240.0.0.0/4", "reserved"),
)

_GLOBAL_UNICAST: Final = IPv6Network("2000::/3")

_IPV6: Final = (
    _range("fd00:ec2::/32", "the metadata service of a cloud"),
    _range("fd20:ce::/32", "the metadata service of a cloud"),
    _range("fd00:42::42/128", "the metadata service of a cloud"),
    _range("::1/128", "loopback", is_private=True),
    _range("fc00::/7", "a private network", is_private=True),
    _range("::/128", "unspecified"),
    _range("::ffff:0:0/96", "an IPv4 address inside IPv6"),
    _range("::ffff:0:0:0/96", "an IPv4 address inside IPv6 (SIIT)"),
    _range("::/96", "an IPv4 address inside IPv6"),
    _range("64:ff9b::/96", "an IPv4 address inside IPv6 (NAT64)"),
    _range("64:ff9b:1::/48", "an IPv4 address inside IPv6 (NAT64)"),
    _range("100::/64", "reserved for discarding"),
    _range("100:0:0:1::/64", "reserved as a dummy"),
    _range("5f00::/16", "reserved for segment routing"),
    _range("fe80::/10", "link-local"),
    _range("fec0::/10", "site-local"),
    _range("ff00::/8", "multicast"),
    _range("2001::/32", "an IPv4 address inside IPv6 (Teredo)"),
    _range("2001:2::/48", "reserved for benchmarks"),
    _range("2001::/23", "reserved for protocols"),
    _range("2001:db8::/32", "reserved for documentation"),
    _range("2002::/16", "an IPv4 address inside IPv6 (6to4)"),
    _range("2620:4f:8000::/48", "reserved for name servers"),
    _range("3ffe::/16", "retired"),
    _range("3fff::/20", "reserved for documentation"),
)

# The middle of an ISATAP interface identifier; two bits before it say only whether it is unique and a group.
_ISATAP: Final = 0x00005EFE
_ISATAP_BITS: Final = 0xFCFFFFFF


def refusal_of(address: str | IPv4Address | IPv6Address, *, allow_private: bool = False) -> str | None:
    """Say in a few words what is wrong with connecting to an address, or give None when it may be connected to.

    Takes: an address as `socket` gives it; `allow_private` opens loopback, private and carrier-grade networks, but
    never metadata services and never an address inside another.
    """
    try:
        parsed = ip_address(address)
    except ValueError:
        return "no IP address"
    if isinstance(parsed, IPv4Address):
        known = next((known for known in _IPV4 if parsed in known.network), None)
    elif parsed.scope_id is not None:
        return "an address of one network link"
    elif (int(parsed) >> 32) & _ISATAP_BITS == _ISATAP:
        return "an IPv4 address inside IPv6 (ISATAP)"
    else:
        known = next((known for known in _IPV6 if parsed in known.network), None)
        if known is None and parsed not in _GLOBAL_UNICAST:
            return "not a public address"
    return None if known is None or (known.is_private and allow_private) else known.reason
