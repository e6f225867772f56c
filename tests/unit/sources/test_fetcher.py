"""Files come from URLs: whole, bounded, once for many, and with the options that were asked for."""

import asyncio
import gzip
import zlib
from collections.abc import Coroutine
from typing import Any

import loopback
import pytest
import uvloop
from loopback import answer, by_path, fetcher, saying, serving

from imageplane.deadline import Deadline
from imageplane.errors import DeadlineExceeded, ImageplaneError, MissingSource, TooLarge, UnreachableSource
from imageplane.sources import FetchOptions, Location

PICTURE = bytes(range(256)) * 400


def options(**fields: Any) -> FetchOptions:
    return FetchOptions.model_validate(fields)


def run(body: Coroutine[Any, Any, None]) -> None:
    asyncio.run(body)


def test_a_file_comes_whole() -> None:
    async def body() -> None:
        async with serving(saying(answer(PICTURE))) as server, fetcher() as fetching:
            assert await fetching.fetch(server.url("/a%2Fb.jpg?x=%7e")) == PICTURE
            request = server.requests[0].decode()
            assert request.startswith("GET /a%2Fb.jpg?x=%7e HTTP/1.1\r\n")
            assert "Accept-Encoding: identity\r\n" in request
            assert "User-Agent: Imageplane\r\n" in request
            assert "cookie" not in request.lower()

    run(body())
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(body())


@pytest.mark.parametrize(
    "said",
    [
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\npic\r\n4\r\nture\r\n0\r\n\r\n",
        b"HTTP/1.0 200 OK\r\n\r\npicture",
        b"HTTP/1.1 203 Fine\r\nContent-Length: 7\r\nContent-Encoding: identity\r\n\r\npicture",
        answer(gzip.compress(b"picture"), content_encoding="gzip"),
        answer(gzip.compress(b"picture"), content_encoding="X-GZIP"),
        answer(zlib.compress(b"picture"), content_encoding="deflate"),
        answer(content_type="text/html", set_cookie="a=b"),
    ],
    ids=["chunked", "until-close", "identity", "gzip", "x-gzip", "deflate", "lying-type"],
)
def test_the_ways_servers_send_a_file(said: bytes) -> None:
    async def body() -> None:
        async with serving(saying(said, then_close=True)) as server, fetcher() as fetching:
            assert await fetching.fetch(server.url()) == b"picture"

    run(body())


def test_a_large_packed_file_is_unpacked_in_full() -> None:
    async def body() -> None:
        data = PICTURE * 20
        async with serving(saying(answer(gzip.compress(data), content_encoding="gzip"))) as server:
            async with fetcher(max_size_in_bytes=len(data)) as fetching:
                assert await fetching.fetch(server.url()) == data
            async with fetcher(max_size_in_bytes=len(data) - 1) as fetching:
                with pytest.raises(TooLarge):
                    await fetching.fetch(server.url())

    run(body())


def test_the_limit_is_exact() -> None:
    async def body() -> None:
        async with serving(saying(answer(PICTURE))) as server:
            async with fetcher(max_size_in_bytes=len(PICTURE)) as fetching:
                assert len(await fetching.fetch(server.url())) == len(PICTURE)
            async with fetcher(max_size_in_bytes=len(PICTURE) - 1) as fetching:
                with pytest.raises(TooLarge, match="102,399") as caught:
                    await fetching.fetch(server.url())
                assert caught.value.status == 413

    run(body())


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (answer(status="404 Not Found"), "status 404"),
        (answer(status="500 Oops"), "status 500"),
        (answer(b"", status="304 Not Modified"), "status 304"),
        (answer(status="302 Found"), "status 302"),
        (answer(status="300 Choices", location="/b"), "status 300"),
        (answer(b""), "empty"),
        (answer(b"", status="204 No Content"), "empty"),
        (answer(content_length="9"), "broke off"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\npic", "broke off"),
        (answer(content_encoding="br"), "content encoding"),
        (answer(content_encoding="gzip, gzip"), "content encoding"),
        (answer(content_encoding="gzip"), "damaged"),
        (answer(gzip.compress(PICTURE)[:-9], content_encoding="gzip"), "end is missing"),
        (answer(gzip.compress(b"a") + gzip.compress(b"b"), content_encoding="gzip"), "follows its end"),
        (b"220 mail.example.com ESMTP\r\n", "no proper HTTP answer"),
        (b"", "no proper HTTP answer"),
    ],
)
def test_no_file_says_why(said: bytes, words: str) -> None:
    async def body() -> None:
        async with serving(saying(said, then_close=True)) as server, fetcher() as fetching:
            with pytest.raises(UnreachableSource) as caught:
                await fetching.fetch(server.url("/?secret=hush"))
            error = caught.value
            assert words in error.message
            assert error.status == 400
            for text in (error.message, str(error.detail), repr(error.__cause__)):
                assert "hush" not in text
                assert "127.0.0.1" not in text
            assert error.at("file.url").faults[0].path == "file.url"

    run(body())


@pytest.mark.parametrize(
    ("status", "is_final"), [("404 Not Found", True), ("410 Gone", True), ("429 Slow", False), ("503 Busy", False)]
)
@pytest.mark.parametrize("hops", [0, 1])
def test_what_is_missing_for_good_is_told_from_what_may_come_back(status: str, is_final: bool, hops: int) -> None:
    async def body() -> None:
        said = {"/0": answer(status=status), "/1": answer(status="302 Found", location="/0")}
        async with serving(by_path(said)) as server, fetcher() as fetching:
            with pytest.raises(UnreachableSource) as caught:
                await fetching.fetch(server.url(f"/{hops}"))
        assert isinstance(caught.value.at("file.url"), MissingSource) == is_final

    run(body())


def test_a_closed_port_and_an_unknown_name_say_so() -> None:
    async def body() -> None:
        async with serving(saying(b"")) as server:
            url = server.url()
        async with fetcher(look_up=loopback.Names()) as fetching:
            with pytest.raises(UnreachableSource, match="did not accept a connection"):
                await fetching.fetch(url)
            with pytest.raises(UnreachableSource, match="could not be found"):
                await fetching.fetch(Location.parse("http://nowhere.example/"))

    run(body())


def test_options_are_sent() -> None:
    async def body() -> None:
        asked = options(
            auth={"type": "bearer", "token": "t"}, headers={"x-tenant": "7"}, locale="de-DE", user_agent="Mine/1"
        )
        async with serving(saying(answer())) as server, fetcher() as fetching:
            await fetching.fetch(server.url(), asked)
            request = server.requests[0].decode()
        for line in ("Authorization: Bearer t", "x-tenant: 7", "Accept-Language: de-DE", "User-Agent: Mine/1"):
            assert f"\r\n{line}\r\n" in request

    run(body())


def test_a_connection_that_carried_credentials_carries_nothing_else() -> None:
    async def body() -> None:
        async with serving(saying(answer())) as server, fetcher() as fetching:
            for _ in range(2):
                await fetching.fetch(server.url())
            assert server.connections == 1, "plain downloads share a connection"
            await fetching.fetch(server.url(), options(headers={"x": "y"}))
            await fetching.fetch(server.url())
            assert server.connections == 2

    run(body())


def test_redirects_are_followed_and_credentials_stay_at_home() -> None:
    async def body() -> None:
        async with serving(saying(answer(PICTURE))) as abroad, fetcher() as fetching:
            talks = {
                "/file.png": answer(b"", "301 Moved", location="/second"),
                "/second": answer(b"", "307 Moved", location=f"http://127.0.0.1:{abroad.port}/third?a=b"),
            }
            async with serving(by_path(talks)) as home:
                asked = options(auth={"type": "bearer", "token": "hush"}, headers={"x-key": "hush"}, locale="de")
                assert await fetching.fetch(home.url(), asked) == PICTURE
                assert home.paths == ["/file.png", "/second"]
                assert all(b"Bearer hush" in request and b"x-key" in request for request in home.requests)
                assert abroad.paths == ["/third?a=b"]
                assert b"hush" not in abroad.requests[0]
                assert b"Accept-Language: de" in abroad.requests[0]

    run(body())


def test_credentials_do_not_come_back_from_abroad() -> None:
    async def body() -> None:
        talks: dict[str, bytes] = {"/back": answer()}
        async with serving(by_path(talks)) as home, fetcher() as fetching:
            back = answer(b"", "302 Found", location=home.url("/back").text)
            async with serving(saying(back)) as abroad:
                talks["/file.png"] = answer(b"", "302 Found", location=abroad.url("/away").text)
                await fetching.fetch(home.url(), options(auth={"type": "bearer", "token": "hush"}))
                assert b"hush" in home.requests[0]
                assert b"hush" not in abroad.requests[0] + home.requests[1]

    run(body())


def test_one_download_serves_fifty_and_survives_those_who_leave() -> None:
    async def body() -> None:
        gate = asyncio.Event()

        async def talk(_request: bytes, writer: asyncio.StreamWriter) -> None:
            await gate.wait()
            writer.write(answer(PICTURE))

        async with serving(talk) as server, fetcher() as fetching:
            waiters = [asyncio.create_task(fetching.fetch(server.url())) for _ in range(50)]
            while not server.requests:
                await asyncio.sleep(0.001)
            for waiter in waiters[::2]:
                waiter.cancel()
            await asyncio.sleep(0)
            gate.set()
            assert await asyncio.gather(*waiters[1::2]) == [PICTURE] * 25
            assert all(waiter.cancelled() for waiter in waiters[::2])
            assert len(server.requests) == 1

    run(body())


def test_kept_connections_that_were_closed_meanwhile_fail_nobody() -> None:
    async def body() -> None:
        asked: set[int] = set()
        all_here = asyncio.Event()

        async def talk(_request: bytes, writer: asyncio.StreamWriter) -> None:
            if id(writer) in asked:
                # It was idle long enough; that somebody asks just now, its server could not know.
                writer.transport.abort()
                return
            asked.add(id(writer))
            if len(asked) == 3:
                all_here.set()
            await all_here.wait()
            writer.write(answer(PICTURE))

        async with serving(talk) as server, fetcher() as fetching:
            await asyncio.gather(*(fetching.fetch(server.url(f"/{number}")) for number in range(3)))
            assert await fetching.fetch(server.url("/again")) == PICTURE
            assert server.connections == 4

    run(body())


def test_when_all_leave_the_download_ends() -> None:
    async def body() -> None:
        hung_up = asyncio.Event()

        async def talk(_request: bytes, writer: asyncio.StreamWriter) -> None:
            writer.write(answer(content_length="1000000"))
            while not writer.transport.is_closing():
                writer.write(b"x")
                await asyncio.sleep(0.002)
            hung_up.set()

        async with serving(talk) as server, fetcher() as fetching:
            waiters = [asyncio.create_task(fetching.fetch(server.url())) for _ in range(3)]
            while not server.requests:
                await asyncio.sleep(0.001)
            waiters[0].cancel()
            await asyncio.sleep(0.05)
            assert not hung_up.is_set()
            for waiter in waiters:
                waiter.cancel()
            async with asyncio.timeout(10):
                await hung_up.wait()

    run(body())


@pytest.mark.parametrize(
    ("first", "second", "requests"),
    [
        (({}, "a"), ({}, "b"), 1),
        (({"auth": {"type": "bearer", "token": "1"}}, "a"), ({"auth": {"type": "bearer", "token": "1"}}, "a"), 1),
        (({"auth": {"type": "bearer", "token": "1"}}, "a"), ({"auth": {"type": "bearer", "token": "1"}}, "b"), 2),
        (({"auth": {"type": "bearer", "token": "1"}}, "a"), ({"auth": {"type": "bearer", "token": "2"}}, "a"), 2),
        (({"auth": {"type": "bearer", "token": "1"}}, "a"), ({}, "a"), 2),
        (({"headers": {"x": "1"}}, "a"), ({"headers": {"x": "1"}}, "b"), 2),
        (({"locale": "de"}, "a"), ({"locale": "fr"}, "a"), 2),
        (({"timeout_ms": 1000}, "a"), ({"timeout_ms": 2000}, "a"), 2),
    ],
)
def test_only_what_is_the_same_for_both_is_shared(first: Any, second: Any, requests: int) -> None:
    async def body() -> None:
        async with serving(saying(answer(PICTURE))) as server, fetcher() as fetching:
            await asyncio.gather(
                *(fetching.fetch(server.url(), options(**asked), scope=scope) for asked, scope in (first, second))
            )
            assert len(server.requests) == requests

    run(body())


def test_the_deadline_of_the_request_ends_its_waiting_but_nobody_elses() -> None:
    async def body() -> None:
        halves = saying(answer(PICTURE)[:100], answer(PICTURE)[100:], gap_in_s=0.5)
        async with serving(halves) as server, fetcher() as fetching:
            patient = asyncio.create_task(fetching.fetch(server.url(), deadline=Deadline.after(60)))
            with pytest.raises(DeadlineExceeded):
                await fetching.fetch(server.url(), deadline=Deadline.after(0.1))
            assert await patient == PICTURE
            assert len(server.requests) == 1
            with pytest.raises(DeadlineExceeded):
                await fetching.fetch(server.url(), deadline=Deadline.after(-1))
            assert len(server.requests) == 1

    run(body())


def test_a_deadline_is_told_as_one_by_every_event_loop() -> None:
    async def body() -> None:
        async with serving(saying(gap_in_s=60)) as server, fetcher() as fetching:
            waits = [fetching.fetch(server.url(f"/{n}"), deadline=Deadline.after(n / 1000)) for n in range(40)]
            results = await asyncio.gather(*waits, return_exceptions=True)
            assert {type(result) for result in results} == {DeadlineExceeded}

    run(body())
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(body())


def test_more_downloads_than_connections_wait_their_turn() -> None:
    async def body() -> None:
        async with serving(saying(answer(), gap_in_s=0.01)) as server, fetcher(max_concurrent=2) as fetching:
            files = await asyncio.gather(*(fetching.fetch(server.url(f"/{n}")) for n in range(10)))
            assert files == [b"picture"] * 10
            assert server.connections <= 2

    run(body())


def test_closing_ends_what_is_under_way() -> None:
    async def body() -> None:
        async with serving(saying(answer(PICTURE)[:100], gap_in_s=60)) as server:
            fetching = fetcher()
            waiter = asyncio.create_task(fetching.fetch(server.url()))
            while not server.requests:
                await asyncio.sleep(0.001)
            await fetching.close()
            (ended,) = await asyncio.gather(waiter, return_exceptions=True)
            assert isinstance(ended, asyncio.CancelledError | ImageplaneError)

    run(body())
