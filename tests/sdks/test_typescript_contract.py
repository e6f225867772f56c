"""The contract, held by the TypeScript client against running servers."""

from collections.abc import Iterator

import pytest
from calls import SAID, UNSAID, call_of, is_call
from installations import Installations, check_always, filling
from pairs import CASES, check, filled, sent
from picture_server import PictureServer
from server import Reply
from typescript import Driver, Package, driving


@pytest.fixture(scope="module")
def driver(typescript_package: Package) -> Iterator[Driver]:
    yield from driving(typescript_package)


@pytest.mark.parametrize("name", SAID)
def test_the_client_keeps_the_contract(
    name: str, driver: Driver, installations: Installations, pictures: PictureServer
) -> None:
    case = CASES[name]
    where = case.get("server", "default")
    server, books = installations.find(where)
    fill = filling(books, pictures.url)
    # Where requests are few and time is short, nobody should wait for more of them.
    max_retries = 0 if where == "tight" else 2
    replies: list[Reply] = []
    for exchange in case["exchanges"]:
        request = exchange["request"]
        if is_call(request):
            reply = driver.make(call_of(filled(request, fill), fill("key")), server.url, max_retries)
        else:
            reply = sent(server, request, fill)
        check(reply, exchange["reply"], replies)
        check_always(reply)
        replies.append(reply)


@pytest.mark.parametrize("reason", UNSAID)
def test_what_no_client_can_say(reason: str) -> None:
    pytest.skip(f"{reason}: {', '.join(UNSAID[reason])}")
