"""What a URL says, with one reading only."""

from urllib.parse import urlsplit

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from imageplane.errors import RefusedSource
from imageplane.sources.location import MAX_LENGTH, Location


@pytest.mark.parametrize(
    ("text", "understood"),
    [
        ("https://example.com/a.png", "https://example.com/a.png"),
        ("HTTPS://EXAMPLE.COM/A.PNG", "https://example.com/A.PNG"),
        ("https://example.com", "https://example.com/"),
        ("https://example.com?x=1", "https://example.com/?x=1"),
        ("https://example.com:443/a", "https://example.com/a"),
        ("http://example.com:80/a", "http://example.com/a"),
        ("https://example.com:8443/a", "https://example.com:8443/a"),
        ("https://example.com/a#part", "https://example.com/a"),
        ("https://my_bucket.s3.example.com/a", "https://my_bucket.s3.example.com/a"),
        ("https://bücher.example/ü.png", "https://xn--bcher-kva.example/%C3%BC.png"),
        ("https://xn--bcher-kva.example/", "https://xn--bcher-kva.example/"),
        ("https://1.1.1.1/a", "https://1.1.1.1/a"),
        ("https://[2606:4700:0:0::1111]/a", "https://[2606:4700::1111]/a"),
        # What is signed must arrive as it was signed.
        ("https://h.example/a%2Fb%7e?X-Sig=a%2fb+c&y=/?'()", "https://h.example/a%2Fb%7e?X-Sig=a%2fb+c&y=/?'()"),
        ("https://h.example/a/../b/./c", "https://h.example/a/../b/./c"),
        ("https://h.example/{a}|b^`", "https://h.example/{a}|b^`"),
    ],
)
def test_a_url_is_understood(text: str, understood: str) -> None:
    location = Location.parse(text)
    assert location.text == understood
    assert str(location.url) == understood
    assert Location.parse(understood) == location


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no absolute URL"),
        ("example.com/a.png", "no absolute URL"),
        ("//example.com/a.png", "no absolute URL"),
        ("https:example.com", "no absolute URL"),
        ("https:/example.com", "no absolute URL"),
        ("ftp://example.com/a", "Only https"),
        ("https://", "names no host"),
        ("https:///a.png", "names no host"),
        ("https://:443/", "can't be read"),
        ("https://a b.example/", "space"),
        ("https://user:secret@example.com/", "fetch_options.auth"),
        ("https://example.com:0/", "1 to 65535"),
        ("https://example.com:65536/", "1 to 65535"),
        ("https://example.com:4_43/", "can't be read"),
        ("https://example.com:/", "can't be read"),
        ("https://example.com./", "ends with a dot"),
        ("https://exa%6dple.com/", "can't be read"),
        ("https://-.-..example/", "no name"),
        ("https://" + "a" * 64 + ".example/", "no name"),
        ("https://" + "a." * 127 + "example/", "no name"),
        ("https://" + "ü" * 80 + ".example/", "no name"),
        ("https://[::1/", "can't be read"),
        ("https://[::zz]/", "can't be read"),
        ("https://[fe80::1%25eth0]/", "can't be read"),
        ("https://127.1/", "four numbers"),
        ("https://1.2.3.4.5/", "four numbers"),
        ("https://example.0x7f/", "four numbers"),
        ("https://example.com/" + "a" * MAX_LENGTH, "longer than"),
        ("https://example.com/\ud800", "control character"),
    ],
)
def test_what_has_two_readings_is_refused(text: str, words: str) -> None:
    with pytest.raises(RefusedSource) as caught:
        Location.parse(text)
    assert words in caught.value.message
    assert "secret" not in caught.value.message


@pytest.mark.parametrize(
    ("reference", "understood"),
    [
        ("/b.png", "https://example.com:8443/b.png"),
        ("b.png", "https://example.com:8443/a/b.png"),
        ("../b.png", "https://example.com:8443/b.png"),
        ("?y=2", "https://example.com:8443/a/x.png?y=2"),
        ("//other.example/b", "https://other.example/b"),
        ("https://other.example/b c.png", "https://other.example/b%20c.png"),
        ("http://other.example/", "http://other.example/"),
        (" /b.png ", "https://example.com:8443/b.png"),
        ("", "https://example.com:8443/a/x.png?x=1"),
    ],
)
def test_a_redirect_is_read_from_where_it_stands(reference: str, understood: str) -> None:
    assert Location.parse("https://example.com:8443/a/x.png?x=1").joined(reference).text == understood


@pytest.mark.parametrize(
    "reference", ["\\\\evil.example/", "/\tb", "/b\r\nX: y", "https:\\evil.example", "java\x00script:"]
)
def test_a_redirect_with_two_readings_is_refused(reference: str) -> None:
    with pytest.raises(RefusedSource):
        Location.parse("https://example.com/").joined(reference)


def test_neither_repr_nor_faults_show_a_query() -> None:
    assert "secret" not in repr(Location.parse("https://example.com/a?token=secret"))


URLS = st.builds(
    lambda scheme, authority, rest: f"{scheme}://{authority}{rest}",
    st.sampled_from(["http", "https", "HTTPS", "ftp"]),
    st.text(alphabet="aä1.:@[]%\\-_/0x\uff17。é", max_size=20),
    st.text(alphabet="/ab?#@\\:[]%ü ", max_size=10),
)


@given(URLS | st.text(max_size=60))
@example("https://a.example/\x85")
@example("https://ﬀ。example/")
@example("https://a.example?")
def test_all_readers_agree_on_what_is_left(text: str) -> None:
    try:
        location = Location.parse(text)
    except RefusedSource:
        return
    assert location.text.isascii()
    assert Location.parse(location.text) == location
    split, carried = urlsplit(location.text), location.url
    assert split.hostname == location.host == carried.raw_host
    assert (split.port or {"http": 80, "https": 443}[split.scheme]) == location.port == carried.port
    assert split.username is None is carried.user
    # aiohttp leaves an empty query out.
    assert carried.raw_path_qs in (location.target, location.target.removesuffix("?"))
    assert split.scheme == location.scheme == carried.scheme
