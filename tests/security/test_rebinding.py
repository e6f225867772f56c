"""Names that answer one thing when they are checked and another when they are connected to.

Here 127.0.0.1 plays a public address, and on 127.0.0.2 a trap is listening.
"""

import asyncio
from collections.abc import Callable, Iterable
from typing import Any

import pytest
from loopback import Names, answer, by_path, fetcher, saying, serving

from imageplane.errors import RefusedSource, UnreachableSource
from imageplane.sources import guard

GOOD, TRAP = "127.0.0.1", "127.0.0.2"
Judge = Callable[[Callable[[str], str | None]], None]


@pytest.fixture
def judge(monkeypatch: pytest.MonkeyPatch) -> Judge:
    """Give a way to say which addresses are refused."""

    def set_judge(verdict: Callable[[str], str | None]) -> None:
        monkeypatch.setattr(guard, "refusal_of", lambda address, **_: verdict(str(address)))

    return set_judge


def only_good(address: str) -> str | None:
    return None if address == GOOD else "a trap"


def closed(port: int) -> dict[str, Any]:
    return {"allow_private_networks": False, "allowed_ports": [port]}


def test_a_name_is_looked_up_once_and_the_answer_is_what_is_connected_to(judge: Judge, dialed: list[Any]) -> None:
    judge(only_good)
    names = Names({"rebinding.example": [[GOOD], [TRAP]]})

    async def body() -> None:
        async with (
            serving(saying(answer(), then_close=True)) as server,
            serving(saying(answer()), host=TRAP, port=server.port) as trap,
            fetcher(look_up=names, **closed(server.port)) as fetching,
        ):
            for _ in range(3):
                assert await fetching.fetch(server.url(host="rebinding.example")) == b"picture"
            assert trap.connections == 0
            assert names.asked == ["rebinding.example"]
            assert set(dialed) == {(GOOD, server.port)}

    asyncio.run(body())


def test_when_the_answer_is_looked_up_again_it_is_judged_again(
    judge: Judge, dialed: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    judge(only_good)
    monkeypatch.setattr(guard, "_KEPT_LOOK_UP_IN_S", 0)
    names = Names({"rebinding.example": [[GOOD], [TRAP]]})

    async def body() -> None:
        async with (
            serving(saying(answer(), then_close=True)) as server,
            serving(saying(answer()), host=TRAP, port=server.port) as trap,
            fetcher(look_up=names, **closed(server.port)) as fetching,
        ):
            assert await fetching.fetch(server.url(host="rebinding.example")) == b"picture"
            await asyncio.sleep(0.02)
            with pytest.raises(RefusedSource, match="not public"):
                await fetching.fetch(server.url(host="rebinding.example"))
            assert trap.connections == 0
            assert names.asked == ["rebinding.example"] * 2
            assert set(dialed) == {(GOOD, server.port)}

    asyncio.run(body())


@pytest.mark.parametrize("answers", [[GOOD, TRAP], [TRAP, GOOD], [GOOD, GOOD, "::1"], [TRAP]])
def test_one_bad_address_refuses_the_name(answers: list[str], judge: Judge, dialed: list[Any]) -> None:
    judge(only_good)

    async def body() -> None:
        async with serving(saying(answer())) as server, serving(saying(answer()), host=TRAP, port=server.port) as trap:
            names = Names({"mixed.example": [answers]})
            async with fetcher(look_up=names, **closed(server.port)) as fetching:
                with pytest.raises(RefusedSource, match="not public") as caught:
                    await fetching.fetch(server.url(host="mixed.example"))
            assert server.connections == trap.connections == 0
            assert caught.value.detail == "mixed.example is a trap"

    asyncio.run(body())
    assert dialed == []


def test_a_redirect_to_the_same_name_at_another_port_is_judged_again(judge: Judge) -> None:
    judge(only_good)
    names = Names({"rebinding.example": [[GOOD], [TRAP]]})

    async def body() -> None:
        talks: dict[str, bytes] = {}
        async with serving(by_path(talks)) as server, serving(saying(answer()), host=TRAP) as trap:
            talks["/file.png"] = answer(b"", "302 Found", location=trap.url(host="rebinding.example").text)
            settings = {"allow_private_networks": False, "allowed_ports": [server.port, trap.port]}
            async with fetcher(look_up=names, **settings) as fetching:
                with pytest.raises(RefusedSource, match="After a redirect"):
                    await fetching.fetch(server.url(host="rebinding.example"))
            assert trap.connections == 0

    asyncio.run(body())


def test_fifty_callers_of_a_bad_name_are_all_refused(judge: Judge, dialed: list[Any]) -> None:
    judge(only_good)

    async def body() -> None:
        async with serving(saying(answer()), host=TRAP) as trap:
            names = Names({"trap.example": [[TRAP]]})
            async with fetcher(look_up=names, **closed(trap.port)) as fetching:
                urls = [trap.url(f"/{number}", host="trap.example") for number in range(50)]
                results = await asyncio.gather(*map(fetching.fetch, urls), return_exceptions=True)
            assert {type(result) for result in results} == {RefusedSource}

    asyncio.run(body())
    assert dialed == []


@pytest.mark.parametrize("addresses", [[TRAP], [TRAP, "127.0.0.3"]])
def test_the_socket_judges_for_itself(
    addresses: list[str], judge: Judge, dialed: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    judge(only_good)
    monkeypatch.setattr(guard.Guard, "check_addresses", lambda *_: None)

    async def body() -> None:
        async with serving(saying(answer()), host=TRAP) as trap:
            names = Names({"trap.example": [addresses]})
            async with fetcher(look_up=names, **closed(trap.port)) as fetching:
                with pytest.raises(UnreachableSource):
                    await fetching.fetch(trap.url(host="trap.example"))

    asyncio.run(body())
    assert dialed == []


def test_an_address_in_the_url_is_judged_by_the_socket_too(
    judge: Judge, dialed: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    judge(only_good)
    monkeypatch.setattr(guard.Guard, "check", lambda *_: None)

    async def body() -> None:
        async with serving(saying(answer()), host=TRAP) as trap, fetcher() as fetching:
            with pytest.raises(UnreachableSource):
                await fetching.fetch(trap.url(host=TRAP))

    asyncio.run(body())
    assert dialed == []


def test_what_a_socket_is_connected_to_is_judged_before_a_request_is_sent(judge: Judge) -> None:
    verdicts: Iterable[str | None] = iter([None, None, "elsewhere"])
    judge(lambda _: next(verdicts))  # type: ignore[call-overload]

    async def body() -> None:
        async with serving(saying(answer())) as server:
            names = Names({"some.example": [[GOOD]]})
            async with fetcher(look_up=names) as fetching:
                with pytest.raises(RefusedSource, match="not public"):
                    await fetching.fetch(server.url(host="some.example"))
            await asyncio.sleep(0.02)
            assert server.connections == 1
            assert server.requests == []

    asyncio.run(body())
