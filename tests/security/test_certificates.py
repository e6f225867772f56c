"""TLS is verified against the host that was asked for, whatever address it was found at."""

import asyncio
import ssl
from pathlib import Path
from typing import Any

import loopback
import pytest
from loopback import Names, answer, by_path, fetcher, saying, serving

from imageplane.errors import RefusedSource, UnreachableSource

NAMES = {"right.example": [["127.0.0.1"]], "wrong.example": [["127.0.0.1"]]}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("certificates")


@pytest.fixture(scope="module")
def shown(folder: Path) -> ssl.SSLContext:
    """Give what a server needs to show a certificate for right.example."""
    return loopback.make_certificate(folder, "right.example")


@pytest.fixture(scope="module")
def trust(folder: Path, shown: ssl.SSLContext) -> ssl.SSLContext:
    assert shown
    return loopback.trusting(folder, "right.example")


def https_only(**settings: Any) -> Any:
    return fetcher(look_up=Names(NAMES), allow_http=False, **settings)


def test_the_right_name_with_a_trusted_certificate(shown: ssl.SSLContext, trust: ssl.SSLContext) -> None:
    async def body() -> None:
        async with serving(saying(answer()), tls=shown) as server, https_only(trust=trust) as fetching:
            assert await fetching.fetch(server.url(host="right.example", scheme="https")) == b"picture"

    asyncio.run(body())


@pytest.mark.parametrize("host", ["wrong.example", "127.0.0.1"])
def test_the_wrong_name(host: str, shown: ssl.SSLContext, trust: ssl.SSLContext) -> None:
    async def body() -> None:
        async with serving(saying(answer()), tls=shown) as server, https_only(trust=trust) as fetching:
            with pytest.raises(UnreachableSource, match="certificate"):
                await fetching.fetch(server.url("/?token=hush", host=host, scheme="https"))
            assert server.requests == []

    asyncio.run(body())


def test_a_certificate_that_nobody_vouches_for(shown: ssl.SSLContext) -> None:
    async def body() -> None:
        async with serving(saying(answer()), tls=shown) as server, https_only() as fetching:
            with pytest.raises(UnreachableSource, match="certificate") as caught:
                await fetching.fetch(server.url("/?token=hush", host="right.example", scheme="https"))
            assert "self" in str(caught.value.detail)
            assert "hush" not in str(caught.value.detail)
            assert server.requests == []

    asyncio.run(body())


@pytest.mark.parametrize(
    ("greeting", "words"), [(b"220 mail.example ESMTP\r\n" * 9, "secure connection"), (b"", "in time")]
)
def test_a_port_that_speaks_no_tls(greeting: bytes, words: str, trust: ssl.SSLContext) -> None:
    async def body() -> None:
        async with (
            serving(saying(answer()), greeting=greeting) as server,
            https_only(trust=trust, connect_timeout_in_s=0.3) as fetching,
        ):
            with pytest.raises(UnreachableSource, match=words):
                await fetching.fetch(server.url(host="right.example", scheme="https"))

    asyncio.run(body())


def test_https_never_leads_to_http(shown: ssl.SSLContext, trust: ssl.SSLContext) -> None:
    async def body() -> None:
        talks: dict[str, bytes] = {}
        async with serving(saying(answer())) as plain, serving(by_path(talks), tls=shown) as server:
            talks["/file.png"] = answer(b"", "302 Found", location=plain.url().text)
            url = server.url(host="right.example", scheme="https")
            async with https_only(trust=trust) as fetching:
                with pytest.raises(RefusedSource, match="After a redirect: only https"):
                    await fetching.fetch(url)
            assert plain.connections == 0
            async with fetcher(look_up=Names(NAMES), trust=trust) as fetching:
                assert await fetching.fetch(url) == b"picture"

    asyncio.run(body())
