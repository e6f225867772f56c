"""Which URL may be a receiver, judged when the request is accepted."""

import pytest

from imageplane.errors import RefusedSource
from imageplane.jobs.receiver import receiver_at, shown
from imageplane.sources.guard import Guard

STRICT, OPEN = Guard(), Guard(allow_http=True, allow_private_networks=True)


@pytest.mark.parametrize(
    "url", ["https://app.example.com/hook", "https://app.example.com", "https://app.example.com:443/a?b=c&d=%2F#e"]
)
def test_an_https_url_on_the_public_internet(url: str) -> None:
    receiver = receiver_at(url, STRICT)
    assert (receiver.scheme, receiver.host, receiver.port) == ("https", "app.example.com", 443)
    assert receiver_at(receiver.text, STRICT) == receiver


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://app.example.com/hook", "expected an https URL"),
        ("ftp://app.example.com/hook", "https"),
        ("app.example.com/hook", "no absolute URL"),
        ("", "no absolute URL"),
        (None, "expected a string"),
        (7, "expected a string"),
        (["https://app.example.com"], "expected a string"),
        ("https://user:s3cret@app.example.com/hook", "without credentials"),
        ("https://user@app.example.com/hook", "without credentials"),
        ("https://@app.example.com/hook", "without credentials"),
        ("https://localhost/hook", "no public name"),
        ("https://hook.internal/", "no public name"),
        ("https://127.0.0.1/hook", "not public"),
        ("https://10.0.0.8/hook", "not public"),
        ("https://[::1]/hook", "not public"),
        ("https://[::ffff:10.0.0.8]/hook", "not public"),
        ("https://169.254.169.254/latest", "not public"),
        ("https://2130706433/hook", "four numbers"),
        ("https://app.example.com:8443/hook", "Port 8443"),
        ("https://app.example.com:22/hook", "Port 22"),
        ("https://app.example.com /hook", "space"),
        ("https://app.example.com\\@10.0.0.8/hook", "without credentials"),
        ("https://app.example.com\\hook", "backslash"),
        ("https://" + "a" * 9000, "longer"),
    ],
)
def test_anything_else_is_refused_with_its_place(url: object, words: str) -> None:
    with pytest.raises(RefusedSource) as caught:
        receiver_at(url, STRICT)
    assert caught.value.status == 400
    (fault,) = caught.value.faults
    assert fault.path == "webhook_url"
    assert words in fault.message
    assert caught.value.message == f"webhook_url: {fault.message}"
    assert "s3cret" not in caught.value.message
    assert "fetched" not in caught.value.message or url == "ftp://app.example.com/hook"


@pytest.mark.parametrize("url", ["http://127.0.0.1:8000/hook", "http://app.example.com/", "https://10.0.0.8:8443/"])
def test_a_development_setup_may_have_more(url: str) -> None:
    assert receiver_at(url, OPEN).text == url


def test_metadata_services_stay_closed_in_a_development_setup() -> None:
    with pytest.raises(RefusedSource):
        receiver_at("http://169.254.169.254/latest", OPEN)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://a.example/hook", "https://a.example/hook"),
        ("https://a.example/hook?token=s3cret", "https://a.example/hook?…"),
        ("https://a.example/?", "https://a.example/?…"),
    ],
)
def test_a_query_is_not_shown(url: str, expected: str) -> None:
    assert shown(url) == expected
