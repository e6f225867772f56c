"""Outputs are named after their sources, wherever these come from, and no two sources share a name."""

import pytest

from imageplane.jobs.bulk.names import fitted, name_of_url
from imageplane.sources import Location


@pytest.mark.parametrize(
    "name",
    ["photo.jpg", "a/b c/ä, ö & 100%.jpg", "a#b?.png", "日本/写真.webp", "no suffix", ".hidden/x.jpg", "x" * 160],
)
def test_an_ordinary_name_stays(name: str) -> None:
    assert fitted(name) == name


@pytest.mark.parametrize(
    "name",
    [
        "", "/", "a//b.jpg", "a/./b.jpg", "../b.jpg", "a/../../b.jpg", "a\nb.jpg", "a\\b.jpg", "a\0.jpg", "\udc80.jpg",
        "x" * 161, "ä" * 100, "/".join(["x" * 150] * 9), ".imageplane/bulk/lock", ".ImagePlane/x.jpg",
    ],
)  # fmt: skip
def test_a_name_that_no_store_takes_gets_a_digest(name: str) -> None:
    fit = fitted(name)
    assert fit != name
    fit.encode()
    parts = fit.split("/")
    assert all(part not in ("", ".", "..") and len(part.encode()) <= 160 for part in parts)
    assert parts[0].casefold() != ".imageplane"
    assert len(fit.encode()) <= 1000
    assert fitted(name) == fit


def test_names_that_are_changed_alike_stay_apart() -> None:
    names = ["a\nb", "a\rb", "a\\b", "x" * 300, "x" * 301, "a//b", "a/./b", "a/../b", "/".join(["x" * 150] * 9)]
    names += ["/".join(["x" * 150] * 10)]
    assert len({fitted(name) for name in names}) == len(names)


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://cdn.example.com/u/1.jpg", "cdn.example.com/u/1.jpg"),
        ("https://CDN.example.com/u/a%20b.jpg#top", "cdn.example.com/u/a%20b.jpg"),
    ],
)
def test_a_plain_url_is_a_name(url: str, name: str) -> None:
    assert name_of_url(Location.parse(url)) == name


def test_urls_that_differ_have_names_that_differ() -> None:
    urls = [
        "https://a.com/1.jpg", "http://a.com/1.jpg", "https://a.com:8443/1.jpg", "https://a.com/1.jpg?v=1",
        "https://a.com/1.jpg?v=2", "https://a.com", "https://a.com/x", "https://a.com/x/", "https://a.com//x",
        "https://[::1]/x", "https://a.com/../x",
    ]  # fmt: skip
    names = [name_of_url(Location.parse(url)) for url in urls]
    assert len(set(names)) == len(names)
    assert all(fitted(name) == name for name in names)


def test_a_query_is_in_no_name() -> None:
    assert "secret" not in name_of_url(Location.parse("https://a.com/1.jpg?token=secret"))
