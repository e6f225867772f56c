"""Base64 in a request becomes bytes, or a sentence that says what is wrong with it."""

import base64 as standard
import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from imageplane.errors import RequestError, TooLarge
from imageplane.sources.base64 import decode

BYTES = bytes(range(256)) * 3 + b"\xff\xfb\xef"
TEXT = standard.b64encode(BYTES).decode()
assert "/" in TEXT
assert "+" in TEXT


def literal(text: str) -> bytes:
    return json.dumps(text).encode()


@pytest.mark.parametrize(
    "text",
    [
        TEXT,
        f"data:image/png;base64,{TEXT}",
        f"data:;base64,{TEXT}",
        f"DATA:image/svg+xml;charset=utf-8;name=a.svg;BASE64,{TEXT}",
        standard.encodebytes(BYTES).decode(),
        standard.encodebytes(BYTES).decode().replace("\n", "\r\n"),
        f"\n  {TEXT[:30]} \t{TEXT[30:]} \r\n",
    ],
    ids=["plain", "data", "data-bare", "data-parameters", "lines", "crlf", "spaces"],
)
def test_the_ways_people_write_base64(text: str) -> None:
    assert decode(text, 1000) == BYTES
    for written in (literal(text), memoryview(literal(text)), literal(text).replace(b"/", rb"\/")):
        assert decode(written, 1000) == BYTES
    every_character_escaped = b'"' + b"".join(b"\\u%04x" % ord(letter) for letter in text) + b'"'
    assert decode(every_character_escaped, 10_000) == BYTES


@given(st.binary(min_size=1, max_size=100), st.booleans())
def test_padded_or_not(data: bytes, is_padded: bool) -> None:
    text = standard.b64encode(data).decode()
    text = text if is_padded else text.rstrip("=")
    assert decode(text, 100) == decode(literal(text), 100) == data


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("-_-_", "URL-safe"),
        ("QUJ_", "URL-safe"),
        ("QUJD!", "'!'"),
        ("QUI=QUI=", "goes on after its end"),
        ("Q", "its end is missing"),
        ("QUJDR", "its end is missing"),
        ("QQ=", "padded wrongly"),
        ("QUJD=", "padded wrongly"),
        ("QUJDRA===", "padded wrongly"),
        ("QUJ😀", "beyond ASCII"),
        ("QUJé", "beyond ASCII"),
        ("", "empty"),
        ("====", "padded wrongly"),
        ("data:image/png;base64,", "empty"),
        ("data:image/png,QUJD", "':'"),
        ("QUJ\\", "'\\\\'"),
        ("QUJ\x00", "'\\x00'"),
        ("https://example.com/a.png", "':'"),
    ],
)
def test_what_is_no_base64_says_why(text: str, words: str) -> None:
    for written in (text, literal(text)):
        with pytest.raises(RequestError) as caught:
            decode(written, 1000)
        assert words in caught.value.message


@given(st.text(max_size=30) | st.text(alphabet="QU=-_/+ \n\\", max_size=12))
def test_the_standard_library_agrees_on_what_is_base64(text: str) -> None:
    try:
        data = decode(text, 1000)
    except RequestError:
        return
    bare = "".join(text.split()).rstrip("=")
    assert data == standard.b64decode(bare + "=" * (-len(bare) % 4), validate=True) or text.lower().startswith("data:")


@pytest.mark.parametrize("size", [*range(995, 1006), 2_000, 100_000])
@pytest.mark.parametrize("form", ["plain", "bare", "lines", "data", "escaped"])
def test_the_limit_is_exact_in_every_form(size: int, form: str) -> None:
    data = (BYTES * 200)[:size]
    text = standard.b64encode(data).decode()
    written: str | bytes = {
        "plain": text,
        "bare": text.rstrip("="),
        "lines": standard.encodebytes(data).decode(),
        "data": f"data:image/png;base64,{text}",
        "escaped": literal(text).replace(b"/", rb"\/"),
    }[form]
    if size <= 1000:
        assert decode(written, 1000) == data
        return
    with pytest.raises(TooLarge, match=r"1,000 bytes"):
        decode(written, 1000)


def test_a_raw_message_is_decoded_where_it_lies() -> None:
    class File(msgspec.Struct):
        base64: msgspec.Raw

    raw = msgspec.json.decode(json.dumps({"base64": TEXT}), type=File).base64
    assert decode(memoryview(raw), 1000) == BYTES
