"""URLs that must lead nowhere: each is refused for the right reason, and no connection is made."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from loopback import Names, answer, fetcher, saying, serving

from imageplane.errors import RefusedSource
from imageplane.settings import SourcesSettings
from imageplane.sources import Location
from imageplane.sources.url import Fetcher

ROWS = json.loads(Path(__file__).with_name("hostile_urls.json").read_text("utf-8"))


def test_the_table_is_long_enough() -> None:
    assert len(ROWS) >= 80
    assert len({row["url"] for row in ROWS}) == len(ROWS)


@pytest.mark.parametrize("row", ROWS, ids=[f"{row['url']!r}-{row['says']}" for row in ROWS])
def test_a_hostile_url_is_refused(row: dict[str, Any], dialed: list[Any]) -> None:
    look_up = Names({_host(row["url"]): [row["answers"]]})

    async def body() -> None:
        async with Fetcher(SourcesSettings(), 1000, look_up=look_up) as fetching:
            await fetching.fetch(Location.parse(row["url"]))

    with pytest.raises(RefusedSource) as caught:
        asyncio.run(body())
    assert row["says"] in caught.value.message
    assert caught.value.status == 400
    assert not any(address in caught.value.message for address in row["answers"])
    assert dialed == []
    assert len(look_up.asked) == bool(row["answers"])


def _host(url: str) -> str:
    return url.removeprefix("https://").removesuffix("/").lower().replace("bücher", "xn--bcher-kva")


def test_the_same_ear_hears_a_connection_that_is_allowed(dialed: list[Any]) -> None:
    async def body() -> None:
        async with serving(saying(answer())) as server, fetcher() as fetching:
            await fetching.fetch(server.url())
            assert dialed == [("127.0.0.1", server.port)]

    asyncio.run(body())


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "trap.example", "[::1]"])
def test_a_trap_on_this_machine_is_never_reached(host: str, dialed: list[Any]) -> None:
    names = Names({"localhost": [["127.0.0.1"]], "trap.example": [["127.0.0.1"]]})

    async def body() -> None:
        async with serving(saying(answer())) as trap:
            settings = {"allow_private_networks": False, "allowed_ports": [trap.port]}
            async with fetcher(look_up=names, **settings) as fetching:
                with pytest.raises(RefusedSource):
                    await fetching.fetch(trap.url(host=host))
            assert trap.connections == 0

    asyncio.run(body())
    assert dialed == []
