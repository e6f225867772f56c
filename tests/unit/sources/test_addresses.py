"""Which addresses may be connected to."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imageplane.sources.addresses import refusal_of

PUBLIC = [
    "1.1.1.1", "8.8.8.8", "9.255.255.255", "11.0.0.0", "93.184.216.34", "100.63.255.255", "100.128.0.0",
    "126.255.255.255", "128.0.0.0", "169.253.255.255", "169.255.0.0", "172.15.255.255", "172.32.0.0", "192.0.1.0",
    "192.167.255.255", "192.169.0.0", "198.17.255.255", "198.20.0.0", "223.255.255.255", "168.63.129.15",
    "2001:200::1", "2001:4860:4860::8888", "2400:cb00::1", "2606:4700:4700::1111", "2a00:1450:4001::200e",
    "2a00::5efe:808:808:1", "3ff0::1",
]  # fmt: skip


@pytest.mark.parametrize("address", PUBLIC)
def test_the_public_internet_is_open(address: str) -> None:
    assert refusal_of(address) is None
    assert refusal_of(ipaddress.ip_address(address)) is None


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("127.0.0.1", "loopback"),
        ("10.255.255.255", "private"),
        ("172.16.0.0", "private"),
        ("172.31.255.255", "private"),
        ("192.168.0.0", "private"),
        ("100.64.0.0", "carrier-grade"),
        ("100.127.255.255", "carrier-grade"),
        ("169.254.169.254", "metadata"),
        ("100.100.100.200", "metadata"),
        ("168.63.129.16", "metadata"),
        ("192.0.0.192", "metadata"),
        ("fd00:ec2::254", "metadata"),
        ("0.0.0.1", "unspecified"),
        ("255.255.255.255", "broadcast"),
        ("255.255.255.254", "reserved"),
        ("::1", "loopback"),
        ("::", "unspecified"),
        ("fd12:3456:789a::1", "private"),
        ("fe80::1", "link-local"),
        ("fec0::1", "site-local"),
        ("ff02::1", "multicast"),
        ("::ffff:8.8.8.8", "IPv4 address inside"),
        ("::8.8.8.8", "IPv4 address inside"),
        ("::ffff:0:8.8.8.8", "SIIT"),
        ("64:ff9b::8.8.8.8", "NAT64"),
        ("64:ff9b:1::8.8.8.8", "NAT64"),
        ("2002:808:808::1", "6to4"),
        ("2001:0:808:808::1", "Teredo"),
        ("2a00:1450::5efe:8.8.8.8", "ISATAP"),
        ("2a00:1450::200:5efe:8.8.8.8", "ISATAP"),
        ("2a00:1450::300:5efe:8.8.8.8", "ISATAP"),
        ("4000::1", "not a public"),
        ("fe80::1%eth0", "one network link"),
        ("2606:4700::1%1", "one network link"),
        ("127.1", "no IP address"),
        ("0177.0.0.1", "no IP address"),
        ("1.1.1.1/32", "no IP address"),
        ("", "no IP address"),
    ],
)
def test_everything_else_is_closed_and_says_why(address: str, reason: str) -> None:
    assert reason in (refusal_of(address) or "")


@pytest.mark.parametrize(
    "address", ["127.0.0.1", "10.1.2.3", "172.17.0.2", "192.168.1.1", "100.64.0.1", "::1", "fd12::1"]
)
def test_development_opens_private_networks(address: str) -> None:
    assert refusal_of(address) is not None
    assert refusal_of(address, allow_private=True) is None


@pytest.mark.parametrize(
    "address",
    ["169.254.169.254", "100.100.100.200", "192.0.0.192", "168.63.129.16", "fd00:ec2::254", "fd20:ce::254", "fe80::1",
     "::ffff:127.0.0.1", "::127.0.0.1", "64:ff9b::10.0.0.1", "2002:7f00:1::", "fd12::5efe:10.0.0.1", "fd12::1%eth0",
     "0.0.0.1", "::", "224.0.0.1", "255.255.255.255", "240.0.0.1"],
)  # fmt: skip
def test_development_opens_no_metadata_and_no_disguise(address: str) -> None:
    assert refusal_of(address, allow_private=True) is not None


@given(st.ip_addresses())
def test_what_is_open_is_global_in_the_eyes_of_the_standard_library_too(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> None:
    if refusal_of(address) is None:
        assert address.is_global
        assert not address.is_multicast


@given(st.ip_addresses(v=4))
def test_an_address_inside_another_is_closed_whatever_it_is(address: ipaddress.IPv4Address) -> None:
    number = int(address)
    forms = [number, 0xFFFF << 32 | number, 0xFFFF << 48 | number, 0x64FF9B << 96 | number]
    forms += [0x2002 << 112 | number << 80 | 1, 0x20010000 << 96 | number << 64 | 1, 0x64FF9B0001 << 80 | number]
    forms += [0x2A001450 << 96 | middle << 32 | number for middle in (0x5EFE, 0x02005EFE)]
    for form in forms:
        assert refusal_of(ipaddress.IPv6Address(form)) is not None


@given(st.text(max_size=40))
def test_any_text_is_judged(text: str) -> None:
    assert refusal_of(text) is None or isinstance(refusal_of(text), str)
