"""A signed link opens the one path that it was made for, until its time is over."""

from urllib.parse import parse_qsl

import pytest

from imageplane.errors import InvalidLink
from imageplane.jobs import links

KEY, PATH, EXPIRES = b"k" * 32, "/v1/jobs/01KB/result", 1_764_000_000
QUERY = dict(parse_qsl(links.sign(PATH, EXPIRES, KEY)))


@pytest.mark.parametrize("now", [0, EXPIRES - 0.5, EXPIRES])
def test_a_link_opens_until_it_expires(now: float) -> None:
    links.verify(PATH, QUERY, KEY, now)
    links.verify(PATH, {**QUERY, "utm_source": "mail"}, KEY, now)


def test_a_link_ends() -> None:
    with pytest.raises(InvalidLink, match="time of the link is over") as caught:
        links.verify(PATH, QUERY, KEY, EXPIRES + 1)
    assert (caught.value.status, caught.value.code) == (403, "invalid_link")


@pytest.mark.parametrize(
    ("path", "change"),
    [
        ("/v1/jobs/01KC/result", {}),
        (f"{PATH}/", {}),
        ("", {}),
        (PATH, {"expires": str(EXPIRES + 1)}),
        (PATH, {"expires": f"0{EXPIRES}"}),
        (PATH, {"expires": f"+{EXPIRES}"}),
        (PATH, {"expires": f"{EXPIRES}\n"}),
        (PATH, {"expires": "\u0661\u0667"}),
        (PATH, {"expires": "9" * 5000}),
        (PATH, {"expires": ""}),
        (PATH, {"signature": ""}),
        (PATH, {"signature": QUERY["signature"][:-1]}),
        (PATH, {"signature": QUERY["signature"] + "="}),
        (PATH, {"signature": "\ud800größer"}),
        ("/\udcff", {}),
    ],
    ids=str,
)
def test_what_was_changed_opens_nothing(path: str, change: dict[str, str]) -> None:
    with pytest.raises(InvalidLink) as caught:
        links.verify(path, {**QUERY, **change}, KEY, 0)
    assert "over" not in caught.value.message
    assert caught.value.message.isascii()


def test_another_key_makes_another_link() -> None:
    assert links.sign(PATH, EXPIRES, KEY) != links.sign(PATH, EXPIRES, b"l" * 32)
    with pytest.raises(InvalidLink):
        links.verify(PATH, QUERY, b"l" * 32, 0)


def test_moment_and_path_can_not_be_told_otherwise() -> None:
    # The same characters, cut elsewhere.
    one, other = links.sign("7/path", 17, KEY), links.sign("/path", 177, KEY)
    assert one.partition("signature")[2] != other.partition("signature")[2]


def test_nothing_in_a_link_has_to_be_escaped() -> None:
    for moment in range(1, 200):
        assert dict(parse_qsl(links.sign(PATH, moment, KEY)))["signature"] in links.sign(PATH, moment, KEY)
        assert not set("+/%= ") & set(links.sign(PATH, moment, KEY).partition("signature=")[2])
