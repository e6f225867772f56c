"""Redirects that must not be followed: every step is judged as strictly as the first."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from loopback import Names, answer, by_path, fetcher, saying, serving

from imageplane.errors import RefusedSource
from imageplane.sources import addresses, guard

ROWS = json.loads(Path(__file__).with_name("hostile_redirects.json").read_text("utf-8"))
NAMES = {
    "start.example": [["127.0.0.1"]],
    "private.example": [["10.0.0.1"]],
    "mixed.example": [["127.0.0.1", "127.0.0.2"]],
}


@pytest.fixture(autouse=True)
def public(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take 127.0.0.1 for a public address, and nothing else that isn't one."""

    def refusal_of(address: Any, *, allow_private: bool = False) -> str | None:
        if str(address) == "127.0.0.1":
            return None
        return addresses.refusal_of(address, allow_private=allow_private)

    monkeypatch.setattr(guard, "refusal_of", refusal_of)


@pytest.mark.parametrize("row", ROWS, ids=[row["location"] for row in ROWS])
def test_a_redirect_astray_is_not_followed(row: dict[str, str], dialed: list[Any]) -> None:
    async def body() -> None:
        talks: dict[str, bytes] = {}
        async with (
            serving(by_path(talks)) as server,
            serving(saying(answer()), host="127.0.0.2", port=server.port) as trap,
        ):
            place = row["location"].replace("{port}", str(server.port))
            talks["/file.png"] = answer(b"", "302 Found", location=place)
            settings = {
                "allow_private_networks": False,
                "allowed_ports": [80, 443, server.port],
                "total_timeout_in_s": 5,
            }
            async with fetcher(look_up=Names(NAMES), **settings) as fetching:
                with pytest.raises(RefusedSource) as caught:
                    await fetching.fetch(server.url(host="start.example"))
            assert trap.connections == 0
            assert set(dialed) <= {("127.0.0.1", server.port)}
            assert row["says"] in caught.value.message
            assert caught.value.message.startswith("After a redirect: ")
            assert "secret" not in caught.value.message
            assert "127.0.0.2" not in caught.value.message

    asyncio.run(body())
