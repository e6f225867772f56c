"""Servers that stall, flood and lie: each is cut in time, within bounds, and with a plain sentence.

No test here asserts a speed; the seconds are wide bounds on what would otherwise never end.
"""

import asyncio
import gzip
import tracemalloc
import zlib
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from loopback import Names, Talk, answer, by_path, fetcher, saying, serving

from imageplane.errors import ImageplaneError, TooLarge, UnreachableSource
from imageplane.sources import FetchOptions

LIMIT = 100_000
PATIENCE_IN_S = 20
SOON = {"read_timeout_in_s": 0.2, "total_timeout_in_s": 0.4}
HEAD = b"HTTP/1.1 200 OK\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"


def endless(start: bytes, piece: bytes, gap_in_s: float = 0.0) -> Talk:
    async def talk(_request: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(start)
        while not writer.transport.is_closing():
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(gap_in_s)

    return talk


def outcome(talk: Talk, path: str = "/file.png", **asked: Any) -> ImageplaneError | bytes:
    """Give what comes of a fetch from a server, within patience."""

    async def body() -> ImageplaneError | bytes:
        async with (
            serving(talk) as server,
            fetcher(max_size_in_bytes=LIMIT, **asked) as fetching,
            asyncio.timeout(PATIENCE_IN_S),
        ):
            try:
                return await fetching.fetch(server.url(path))
            except ImageplaneError as error:
                return error

    return asyncio.run(body())


@pytest.mark.parametrize(
    ("talk", "words"),
    [
        (saying(gap_in_s=60), "fell silent"),
        (saying(b"H", gap_in_s=60), "fell silent"),
        (saying(HEAD, gap_in_s=60), "fell silent"),
        (saying(answer(content_length="1000"), gap_in_s=60), "fell silent"),
        (saying(CHUNKED + b"5\r\nab", gap_in_s=60), "fell silent"),
        (endless(b"HTTP/1.1 200 O", b"K", 0.05), "within 0.4 seconds"),
        (endless(HEAD + b"X: ", b"a", 0.05), "within 0.4 seconds"),
        (endless(HEAD, b"X: y\r\n", 0.05), "within 0.4 seconds"),
        (endless(answer(b"", content_length="90000"), b"a", 0.05), "within 0.4 seconds"),
        (endless(CHUNKED, b"1\r\na\r\n", 0.05), "within 0.4 seconds"),
        (endless(CHUNKED + b"0\r\n", b"X: y\r\n", 0.05), "within 0.4 seconds"),
        (endless(b"", b"HTTP/1.1 100 Continue\r\n\r\n", 0.01), "within 0.4 seconds"),
        (endless(b"", b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n", 0.01), "within 0.4 seconds"),
    ],
    ids=["mute", "one-byte", "mute-in-headers", "mute-in-body", "mute-in-chunk", "slow-status", "slow-header",
         "slow-headers", "slow-body", "slow-chunks", "slow-trailers", "slow-continue", "slow-hints"],
)  # fmt: skip
def test_a_slow_server_is_cut(talk: Talk, words: str) -> None:
    error = outcome(talk, **SOON)
    assert isinstance(error, UnreachableSource)
    assert words in error.message


def test_a_request_can_ask_for_less_time_but_not_for_more() -> None:
    async def body() -> None:
        slow = endless(answer(b"", content_length="90000"), b"a", 0.05)
        async with serving(slow) as server, asyncio.timeout(PATIENCE_IN_S):
            async with fetcher(total_timeout_in_s=60) as fetching:
                with pytest.raises(UnreachableSource, match="within 1 seconds"):
                    await fetching.fetch(server.url(), FetchOptions(timeout_ms=1000))
            async with fetcher(total_timeout_in_s=0.5) as fetching:
                with pytest.raises(UnreachableSource, match=r"within 0\.5 seconds"):
                    await fetching.fetch(server.url(), FetchOptions(timeout_ms=60_000))

    asyncio.run(body())


@pytest.mark.parametrize(
    "talk",
    [
        endless(HEAD + b"\r\n", b"a" * 10_000),
        endless(answer(b"", content_length="99999999999"), b"a" * 10_000),
        endless(CHUNKED, b"2710\r\n" + b"a" * 10_000 + b"\r\n"),
        endless(CHUNKED, b"1\r\na\r\n" * 1000),
        saying(answer(b"", content_length=str(LIMIT + 1)), gap_in_s=60),
        saying(answer(b"a" * (LIMIT + 1))),
    ],
    ids=["no-length", "long-length", "chunks", "small-chunks", "declared", "one-too-many"],
)
def test_a_flood_is_cut_at_the_limit(talk: Talk) -> None:
    error = outcome(talk)
    assert isinstance(error, TooLarge)
    assert "100,000" in error.message


def test_an_endless_body_is_cut_after_the_limit_and_not_much_later() -> None:
    sent_in_bytes = 0

    async def talk(_request: bytes, writer: asyncio.StreamWriter) -> None:
        nonlocal sent_in_bytes
        writer.write(HEAD + b"\r\n")
        while not writer.transport.is_closing():
            writer.write(b"a" * 10_000)
            sent_in_bytes += 10_000
            await writer.drain()

    assert isinstance(outcome(talk), TooLarge)
    # What lies in the buffers of two sockets comes on top of the limit.
    assert sent_in_bytes < LIMIT + 30_000_000


@pytest.mark.parametrize(
    "talk",
    [
        endless(HEAD, b"X: " + b"a" * 60 + b"\r\n"),
        endless(HEAD + b"X: ", b"a" * 1000),
        endless(HEAD, b"a" * 1000),
        endless(b"HTTP/1.1 200 ", b"O" * 1000),
        endless(b"", b"a" * 1000),
        endless(CHUNKED + b"1;x=", b"a" * 1000),
        endless(CHUNKED + b"0\r\nX: ", b"a" * 1000),
        endless(CHUNKED + b"0\r\n", b"X: y\r\n" * 100),
        endless(CHUNKED, b"0" * 1000),
        endless(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 100),
    ],
    ids=["many-headers", "long-header", "long-name", "long-status", "no-http", "chunk-extension", "long-trailer",
         "many-trailers", "zeros", "continue"],
)  # fmt: skip
def test_a_flood_of_anything_but_the_body_is_cut(talk: Talk) -> None:
    tracemalloc.start()
    try:
        error = outcome(talk, **SOON)
        _, peak_in_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert isinstance(error, UnreachableSource)
    assert peak_in_bytes < 30_000_000


@pytest.mark.parametrize(
    "said",
    [
        HEAD + b"Content-Length: -1\r\n\r\npicture",
        HEAD + b"Content-Length: 7, 8\r\n\r\npicture",
        HEAD + b"Content-Length: 7\r\nContent-Length: 3\r\n\r\npicture",
        HEAD + b"Content-Length: 0x7\r\n\r\npicture",
        HEAD + b"Content-Length: 7\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
        HEAD + b"Transfer-Encoding: chunked, identity\r\n\r\npicture",
        CHUNKED + b"fffffffffffffffff\r\npicture",
        CHUNKED + b"-1\r\npicture",
        CHUNKED + b"7\r\npictureXX0\r\n\r\n",
        CHUNKED + b"zz\r\npicture",
        b"HTTP/9.9 200 OK\r\n\r\npicture",
        b"HTTP/1.1 2000 OK\r\n\r\npicture",
        b"HTTP/1.1 -20 OK\r\n\r\npicture",
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
        HEAD + b"X\x00Y: z\r\n\r\npicture",
        HEAD + b"X: a\x00b\r\n\r\npicture",
        HEAD + b" folded\r\n\r\npicture",
        HEAD + b": nameless\r\n\r\npicture",
        HEAD + b"Content-Encoding: \xff\xfe\r\n\r\npicture",
        b"HTTP/1.1 302 Found\r\nLocation: \xff\xfe\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 302 Found\r\nLocation: /a\r\nLocation: http://10.0.0.1/\r\nContent-Length: 0\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"\x00" * 100,
    ],
)
def test_nonsense_gives_the_file_or_a_plain_sentence(said: bytes) -> None:
    result = outcome(saying(said, then_close=True), **SOON)
    assert isinstance(result, UnreachableSource | TooLarge) or result in (b"picture", b"abc") or _is_refusal(result)


def _is_refusal(result: ImageplaneError | bytes) -> bool:
    return isinstance(result, ImageplaneError) and result.status == 400


STATUS = st.sampled_from([b"HTTP/1.1 200 OK", b"HTTP/1.1 302 Found", b"HTTP/1.1 100 Continue", b"HTTP/1.1 200"])
FIELDS = st.sampled_from(
    [b"Content-Length: 5", b"Content-Length: 99999999999999999999", b"Transfer-Encoding: chunked", b"Location: /",
     b"Location: http://[", b"Content-Encoding: gzip", b"Connection: keep-alive", b"Set-Cookie: a=b", b"X: \xff"]
)  # fmt: skip
ANSWERS = st.builds(
    lambda status, fields, body: b"\r\n".join([status, *fields, b"", body]),
    STATUS | st.binary(max_size=12),
    st.lists(FIELDS | st.binary(max_size=12), max_size=3),
    st.binary(max_size=30) | st.sampled_from([b"5\r\nabcde\r\n0\r\n\r\n", gzip.compress(b"abc")]),
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(ANSWERS)
def test_no_answer_whatsoever_is_an_error_of_ours(said: bytes) -> None:
    result = outcome(saying(said, then_close=True), max_redirects=1, **SOON)
    assert isinstance(result, bytes) or result.status in (400, 413)


def packed(size_in_bytes: int, encoding: str) -> bytes:
    stream = zlib.compressobj(9, wbits=31 if encoding == "gzip" else 15)
    zeros = b"\0" * 1_000_000
    return b"".join([*(stream.compress(zeros) for _ in range(size_in_bytes // len(zeros))), stream.flush()])


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
def test_a_bomb_is_cut_by_what_it_unpacks_to(encoding: str) -> None:
    bomb = packed(90_000_000, encoding)
    assert len(bomb) < LIMIT, "the bomb is allowed in as far as its own size goes"
    tracemalloc.start()
    try:
        error = outcome(saying(answer(bomb, content_encoding=encoding)))
        _, peak_in_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert isinstance(error, TooLarge)
    assert peak_in_bytes < 5_000_000


def test_a_bomb_in_a_bomb_is_unpacked_once() -> None:
    inner = gzip.compress(packed(90_000_000, "gzip"))
    assert outcome(saying(answer(inner, content_encoding="gzip"))) == gzip.decompress(inner)


def test_a_packed_stream_without_end_is_cut() -> None:
    stream = zlib.compressobj(0, wbits=31)
    start = stream.compress(b"a" * 1000) + stream.flush(zlib.Z_SYNC_FLUSH)
    nothing = zlib.compressobj(0, wbits=-15).flush(zlib.Z_SYNC_FLUSH)
    # Empty blocks: endless bytes that unpack to nothing.
    talk = endless(HEAD + b"Content-Encoding: gzip\r\n\r\n" + start, nothing * 1000)
    assert isinstance(outcome(talk), TooLarge)


def test_what_follows_an_answer_is_nobodys_answer() -> None:
    async def body() -> None:
        smuggled = answer(b"evil!!!")

        async def talk(request: bytes, writer: asyncio.StreamWriter) -> None:
            path = request.split(b" ")[1]
            writer.write(answer(path) + (smuggled if path == b"/1" else b""))

        async with serving(talk) as server, fetcher() as fetching:
            first = await fetching.fetch(server.url("/1"))
            await asyncio.sleep(0.02)
            assert (first, await fetching.fetch(server.url("/2"))) == (b"/1", b"/2")

    asyncio.run(body())


def chain(length: int) -> dict[str, bytes]:
    steps = {f"/{n}": answer(b"", "302 Found", location=f"/{n + 1}") for n in range(length)}
    return {**steps, f"/{length}": answer()}


@pytest.mark.parametrize("length", [1, 5])
def test_five_redirects_are_followed(length: int) -> None:
    assert outcome(by_path(chain(length)), "/0") == b"picture"


@pytest.mark.parametrize(
    "talks",
    [chain(6), {"/0": answer(b"", "302 Found", location="/0")},
     {"/0": answer(b"", "301 Moved", location="/1"), "/1": answer(b"", "308 Moved", location="/0")}],
    ids=["six", "itself", "circle"],
)  # fmt: skip
def test_six_are_not(talks: dict[str, bytes]) -> None:
    async def body() -> None:
        async with serving(by_path(talks)) as server, fetcher() as fetching:
            with pytest.raises(UnreachableSource, match="more than 5 times"):
                await fetching.fetch(server.url("/0"))
            assert len(server.requests) == 6

    asyncio.run(body())


def test_the_number_of_redirects_is_a_setting() -> None:
    error = outcome(by_path(chain(1)), "/0", max_redirects=0)
    assert isinstance(error, UnreachableSource)
    assert "more than 0 times" in error.message


def test_the_body_of_a_redirect_is_not_waited_for() -> None:
    async def talk(request: bytes, writer: asyncio.StreamWriter) -> None:
        if request.startswith(b"GET /file.png"):
            writer.write(answer(b"", "302 Found", location="/next", content_length="1000000000"))
        else:
            writer.write(answer())

    assert outcome(talk) == b"picture"


def test_names_that_nobody_answers_for_are_cut() -> None:
    async def never(_host: str) -> list[str]:
        await asyncio.sleep(60)
        return []

    async def body() -> None:
        limits = {"connect_timeout_in_s": 0.2, "total_timeout_in_s": 30}
        async with serving(saying(answer())) as server, fetcher(look_up=never, **limits) as fetching:
            async with asyncio.timeout(PATIENCE_IN_S):
                with pytest.raises(UnreachableSource, match="in time"):
                    await fetching.fetch(server.url(host="slow.example"))

    asyncio.run(body())


def test_the_environment_names_no_proxy_and_no_password(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login me password hush")
    monkeypatch.setenv("NETRC", str(netrc))
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    seen: list[bytes] = []

    async def talk(request: bytes, writer: asyncio.StreamWriter) -> None:
        seen.append(request)
        writer.write(answer())

    assert outcome(talk) == b"picture"
    assert b"uthorization" not in seen[0]


def test_cookies_are_not_kept() -> None:
    async def body() -> None:
        names = Names({"cookies.example": [["127.0.0.1"]]})
        async with serving(saying(answer(set_cookie="id=1"))) as server, fetcher(look_up=names) as fetching:
            for path in ("/1", "/2"):
                await fetching.fetch(server.url(path, host="cookies.example"))
            assert not any(b"Cookie:" in request for request in server.requests)

    asyncio.run(body())
