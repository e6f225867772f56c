"""`file.fetch_options`: what is sent, what is refused, and what nobody gets to see."""

import pytest

from imageplane.errors import RequestError
from imageplane.sources.fetch_options import MAX_HEADERS, FetchOptions, read

PATH = "file.fetch_options"


@pytest.mark.parametrize("nothing", [None, {}, {"auth": None, "headers": None}, {"auth": {}, "headers": {}}])
def test_nothing_is_asked_for(nothing: object) -> None:
    options, warnings = read(nothing, PATH)
    assert options == FetchOptions()
    assert not warnings
    assert not options.is_personal
    assert not options.open_headers
    assert not options.personal_headers


@pytest.mark.parametrize(
    ("auth", "header"),
    [
        ({"type": "bearer", "token": "se.cr-et"}, ("Authorization", "Bearer se.cr-et")),
        (
            {"type": "basic", "username": "Aladdin", "password": "open sesame"},
            ("Authorization", "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="),
        ),
        ({"type": "basic", "username": "ü", "password": "é:"}, ("Authorization", "Basic w7w6w6k6")),
        ({"type": "basic", "username": "key"}, ("Authorization", "Basic a2V5Og==")),
        ({"type": "custom_header", "name": "x-api-key", "value": "secret-key"}, ("x-api-key", "secret-key")),
    ],
)
def test_credentials_become_one_header(auth: dict[str, str], header: tuple[str, str]) -> None:
    options, _ = read({"auth": auth}, PATH)
    assert options.is_personal
    assert options.personal_headers == dict([header])
    assert not options.open_headers


def test_everything_at_once() -> None:
    raw = {
        "auth": {"type": "bearer", "token": "secret"},
        "headers": {"x-tenant-id": "tenant-123", "accept-language": "fr", "AUTHORIZATION": "another"},
        "locale": "de-DE",
        "timeout_ms": 5000.0,
        "user_agent": "Mine/1.0",
        "should_render_javascript": True,
        "wait_for": "#picture",
    }
    options, warnings = read(raw, PATH)
    assert options.open_headers == {"Accept-Language": "de-DE", "User-Agent": "Mine/1.0"}
    assert options.personal_headers == {
        "x-tenant-id": "tenant-123",
        "Authorization": "Bearer secret",
        **options.open_headers,
    }
    assert options.timeout_in_s == 5.0
    assert warnings == (
        f"{PATH}.wait_for: unknown field, ignored",
        f"{PATH}.should_render_javascript: has no meaning for images, ignored",
    )


@pytest.mark.parametrize(
    ("raw", "place", "words"),
    [
        ([], "", "object"),
        ("fast", "", "object"),
        ({"timeout_ms": 999}, ".timeout_ms", "greater than or equal to 1000"),
        ({"timeout_ms": 60_001}, ".timeout_ms", "less than or equal to 60000"),
        ({"timeout_ms": "5000"}, ".timeout_ms", "integer"),
        ({"timeout_ms": 5000.5}, ".timeout_ms", "integer"),
        ({"user_agent": ""}, ".user_agent", "at least 1"),
        ({"user_agent": "x" * 501}, ".user_agent", "at most 500"),
        ({"user_agent": "a\r\nX: y"}, ".user_agent", "printable"),
        ({"locale": "de_DE"}, ".locale", "language tag"),
        ({"locale": "de\r\nX: y"}, ".locale", "language tag"),
        ({"locale": "de\n"}, ".locale", "language tag"),
        ({"should_render_javascript": "yes"}, ".should_render_javascript", "boolean"),
        ({"headers": ["a"]}, ".headers", "object"),
        ({"headers": {"x-a": 1}}, ".headers.x-a", "string"),
        ({"headers": {"x-a": "b\nc"}}, ".headers.x-a", "printable"),
        ({"headers": {"x-a": "b\x00"}}, ".headers.x-a", "printable"),
        ({"headers": {"x-a": "naïve"}}, ".headers.x-a", "printable"),
        ({"headers": {"x a": "b"}}, ".headers.x a", "no name of a header"),
        ({"headers": {"": "b"}}, ".headers.", "no name of a header"),
        ({"headers": {"x-a\r\n": "b"}}, ".headers.x-a\r\n", "no name of a header"),
        ({"headers": {f"x-{n}": "" for n in range(33)}}, ".headers", "at most 32"),
        ({"auth": "token"}, ".auth", "object"),
        ({"auth": {"token": "a"}}, ".auth.type", "bearer, basic or custom_header"),
        ({"auth": {"type": "digest"}}, ".auth.type", "bearer, basic or custom_header"),
        ({"auth": {"type": "bearer"}}, ".auth.token", "required"),
        ({"auth": {"type": "bearer", "token": ""}}, ".auth.token", "at least 1"),
        ({"auth": {"type": "bearer", "token": "hush\r\n"}}, ".auth.token", "printable"),
        ({"auth": {"type": "basic", "username": "a:b", "password": "hush"}}, ".auth.username", "colon"),
        ({"auth": {"type": "custom_header", "name": "Cookie", "value": "hush"}}, ".auth.name", "can't be set"),
        ({"auth": {"type": "custom_header", "name": "x-key"}}, ".auth.value", "required"),
    ],
)
def test_a_bad_value_is_told_with_its_place(raw: object, place: str, words: str) -> None:
    with pytest.raises(RequestError) as caught:
        read(raw, PATH)
    (fault,) = caught.value.faults
    assert fault.path == PATH + place
    assert words in fault.message
    assert "hush" not in caught.value.message
    assert caught.value.status == 400


@pytest.mark.parametrize(
    "name",
    ["Host", "connection", "Content-Length", "Transfer-Encoding", "TE", "Trailer", "Upgrade", "Keep-Alive", "Expect",
     "Cookie", "Cookie2", "Set-Cookie", "Proxy-Authorization", "Proxy-Connection", "Sec-Fetch-Site", "sec-ch-ua",
     "Origin", "Referer", "Accept-Encoding", "Date", "DNT", "Via", "HTTP2-Settings", "Access-Control-Request-Method"],
)  # fmt: skip
def test_headers_of_the_connection_of_cookies_and_of_browsers_are_refused(name: str) -> None:
    with pytest.raises(RequestError, match="can't be set"):
        read({"headers": {name: "x"}}, PATH)


def test_all_faults_are_told_at_once() -> None:
    with pytest.raises(RequestError) as caught:
        read({"timeout_ms": 1, "headers": {"Host": "a", "X": "\n"}, "auth": {"type": "bearer"}}, PATH)
    assert {fault.path for fault in caught.value.faults} == {
        f"{PATH}.timeout_ms", f"{PATH}.headers.Host", f"{PATH}.headers.X", f"{PATH}.auth.token"
    }  # fmt: skip


@pytest.mark.parametrize("name", ["x-{}", "Host {}"])
def test_too_many_headers_are_one_fault(name: str) -> None:
    with pytest.raises(RequestError) as caught:
        read({"headers": {name.format(number): "a" for number in range(MAX_HEADERS + 1)}}, PATH)
    (fault,) = caught.value.faults
    assert (fault.path, str(MAX_HEADERS) in fault.message) == (f"{PATH}.headers", True)


def test_an_unknown_field_of_auth_is_a_warning() -> None:
    assert read({"auth": {"type": "bearer", "token": "a", "realm": "b"}}, PATH)[1] == (
        f"{PATH}.auth.realm: unknown field, ignored",
    )


def test_no_secret_is_shown() -> None:
    for auth in (
        {"type": "bearer", "token": "hush"},
        {"type": "basic", "username": "me", "password": "hush"},
        {"type": "custom_header", "name": "x-key", "value": "hush"},
    ):
        options, _ = read({"auth": auth, "headers": {"x-more": "hush"}}, PATH)
        assert "hush" not in f"{options!r} {options} {options.auth!r}"


def test_only_equal_requests_are_the_same() -> None:
    raws = [
        {}, {"auth": {"type": "bearer", "token": "a"}}, {"auth": {"type": "bearer", "token": "b"}},
        {"headers": {"x": "a"}}, {"headers": {"x": "b"}}, {"locale": "de"}, {"user_agent": "me"}, {"timeout_ms": 1000},
    ]  # fmt: skip
    identities = [read(raw, PATH)[0].identity for raw in raws]
    assert len(set(identities)) == len(raws)
    assert identities == [read(raw, PATH)[0].identity for raw in raws]
    assert read({"headers": {"X": "1", "y": "2"}})[0].identity == read({"headers": {"y": "2", "x": "1"}})[0].identity
