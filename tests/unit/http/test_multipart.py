"""Large parts are cut out before the parser sees them, and nobody can tell."""

import random

import pytest

from imageplane.errors import RequestError
from imageplane.http import multipart
from imageplane.http.multipart import parts_of

CONTENT_TYPE = "multipart/form-data; boundary=abc"
# What a body is made of, and what could be taken for it.
SHREDS = (
    b"--abc",
    b"\r\n--abc",
    b"\r\n--abc\r\n",
    b"\r\n--abc--",
    b"\r\n--abc--\r\n",
    b"\r\n--abcd\r\n",
    b"\r\n--abc \r\n",
    b"\r\n",
    b"\r\n\r\n",
    b"\r",
    b"\n",
    b"--",
    b"x",
    b"x" * 20,
    b"Content-Type: a/b",
    b'Content-Disposition: form-data; name="f"',
    b'Content-Disposition: form-data; name="f"; filename="a"',
)
PART = b'--abc\r\nContent-Disposition: form-data; name="%d"; filename="a"\r\n\r\n'


def outcome(body: bytes) -> object:
    try:
        found = parts_of(body, CONTENT_TYPE)
    except RequestError as error:
        return error.message
    return [(part.name, part.filename, part.content) for part in found]


def random_body(chance: random.Random) -> bytes:
    if chance.random() < 0.3:
        return b"".join(chance.choices(SHREDS, k=chance.randrange(12)))
    body = b""
    for number in range(chance.randrange(1, 4)):
        content = b"".join(chance.choices(SHREDS[6:], k=chance.randrange(5)))
        body += PART % number + content + b"\r\n"
    body += b"--abc--" + chance.choice([b"", b"\r\n", b"\r\n\r\nepilogue"])
    place = chance.randrange(len(body))
    return body if chance.random() < 0.5 else body[:place] + chance.choice(SHREDS) + body[place:]


@pytest.mark.parametrize("has_memmem", [True, False])
def test_it_makes_no_difference(has_memmem: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    chance, hidden = random.Random(7), 0  # noqa: S311
    if not has_memmem:
        monkeypatch.setattr(multipart, "_MEMMEM", None)
    for _ in range(4_000):
        body = random_body(chance)
        monkeypatch.setattr(multipart, "_LARGE_IN_BYTES", 10**9)
        expected = outcome(body)
        monkeypatch.setattr(multipart, "_LARGE_IN_BYTES", 1)
        assert outcome(body) == expected, body
        hidden += bool(multipart._hide_large(body, b"\r\n--abc")[1])
    assert hidden > 1_000


def test_large_files_arrive_whole() -> None:
    files = [random.Random(size).randbytes(size) for size in (65_535, 65_536, 3_000_001, 0, 70_000)]  # noqa: S311
    body = b"".join(PART % number + file + b"\r\n" for number, file in enumerate(files)) + b"--abc--\r\n"
    assert outcome(body) == [(str(number), "a", file) for number, file in enumerate(files)]
