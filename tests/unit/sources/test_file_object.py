"""The `file` of a request becomes a source, or every fault of it."""

import base64 as standard
import json
from typing import Any

import pytest

from imageplane.errors import RequestError, TooLarge
from imageplane.sources import Base64Source, FetchOptions, Location, UrlSource, read

DATA = b"\x89PNG\r\n\x1a\n and so on"
TEXT = standard.b64encode(DATA).decode()
URL = "https://cdn.example.com/u/1.jpg"


@pytest.mark.parametrize("kind", [{"type": "url"}, {}, {"type": None}])
def test_a_url(kind: dict[str, Any]) -> None:
    source, warnings = read({**kind, "url": URL, "name": "upload.jpg", "base64": None, "fetch_options": {}}, 1000)
    assert source == UrlSource(Location.parse(URL), "upload.jpg", FetchOptions())
    assert not warnings


@pytest.mark.parametrize("kind", [{"type": "base64"}, {}, {"type": None}])
@pytest.mark.parametrize("wrap", [json.loads, memoryview], ids=["text", "view"])
def test_base64(kind: dict[str, Any], wrap: Any) -> None:
    source, warnings = read(
        {**kind, "base64": wrap(json.dumps(TEXT).encode()), "name": None, "url": None, "fetch_options": None}, 1000
    )
    assert source == Base64Source(DATA, None)
    assert not warnings


def test_what_is_unknown_is_a_warning() -> None:
    raw = {"url": URL, "colour": 1, "fetch_options": {"should_render_javascript": True, "speed": 2}}
    assert read(raw, 1000)[1] == (
        "file.colour: unknown field, ignored",
        "file.fetch_options.speed: unknown field, ignored",
        "file.fetch_options.should_render_javascript: has no meaning for images, ignored",
    )


@pytest.mark.parametrize(
    ("raw", "paths"),
    [
        (None, ["file"]),
        ("https://example.com", ["file"]),
        ({}, ["file"]),
        ({"type": "url"}, ["file.url"]),
        ({"type": "base64"}, ["file.base64"]),
        ({"type": "base64", "base64": None}, ["file.base64"]),
        ({"type": "url", "base64": TEXT}, ["file.url"]),
        ({"type": "base64", "url": URL}, ["file.base64"]),
        ({"type": "path", "url": URL}, ["file.type"]),
        ({"type": ["url"], "url": URL}, ["file.type"]),
        ({"url": URL, "base64": TEXT}, ["file"]),
        ({"type": "url", "url": URL, "base64": TEXT}, ["file"]),
        ({"url": 5}, ["file.url"]),
        ({"url": ""}, ["file.url"]),
        ({"url": "ftp://example.com/"}, ["file.url"]),
        ({"base64": 5}, ["file.base64"]),
        ({"base64": memoryview(b"[1]")}, ["file.base64"]),
        ({"base64": [1]}, ["file.base64"]),
        ({"base64": ""}, ["file.base64"]),
        ({"base64": "?"}, ["file.base64"]),
        ({"url": URL, "name": 5}, ["file.name"]),
        ({"url": URL, "name": "x" * 1025}, ["file.name"]),
        ({"base64": TEXT, "fetch_options": {"timeout_ms": 1}}, ["file.fetch_options.timeout_ms"]),
        (
            {"url": "nowhere", "name": [], "fetch_options": {"timeout_ms": 1}},
            ["file.name", "file.fetch_options.timeout_ms", "file.url"],
        ),
    ],
)
def test_every_fault_has_its_place(raw: object, paths: list[str]) -> None:
    with pytest.raises(RequestError) as caught:
        read(raw, 1000)
    assert [fault.path for fault in caught.value.faults] == paths
    assert caught.value.status == 400


def test_a_large_file_is_413_and_says_where() -> None:
    with pytest.raises(TooLarge) as caught:
        read({"base64": TEXT}, len(DATA) - 1)
    assert caught.value.status == 413
    assert caught.value.faults[0].path == "file.base64"
    assert read({"base64": TEXT}, len(DATA))[0] == Base64Source(DATA, None)


def test_neither_bytes_nor_queries_are_shown() -> None:
    assert "PNG" not in repr(read({"base64": TEXT}, 1000)[0])
    assert "secret" not in repr(read({"url": URL + "?key=secret"}, 1000)[0])
