"""The contract, held against running servers by raw HTTP."""

import itertools
from collections.abc import Iterator
from typing import Any

import pytest
from installations import Installations, check_always, filling
from pairs import CASES, check, filled, sent
from picture_server import PictureServer
from server import TRANSFORM, Reply

from imageplane.errors import ImageplaneError
from imageplane.operations import catalog

# These take a crash, an engine or a database that is gone, or two requests at once: tests/http has them.
NOT_AS_A_PAIR = {"busy", "conflict", "engine_crashed", "internal_error", "invalid_settings", "idempotency_in_progress"}
# Nothing raises it yet.
NOT_AT_ALL = {"forbidden"}


@pytest.mark.parametrize("name", CASES)
def test_the_server_keeps_the_contract(name: str, installations: Installations, pictures: PictureServer) -> None:
    case = CASES[name]
    server, books = installations.find(case.get("server", "default"))
    fill = filling(books, pictures.url)
    replies: list[Reply] = []
    for exchange in case["exchanges"]:
        reply = sent(server, exchange["request"], fill)
        check(reply, exchange["reply"], replies)
        check_always(reply)
        replies.append(reply)


def _exchanges() -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    for exchange in itertools.chain.from_iterable(case["exchanges"] for case in CASES.values()):
        yield exchange["request"], exchange["reply"]


def _operations_in(request: dict[str, Any]) -> Iterator[str]:
    if request.get("path", TRANSFORM) == TRANSFORM:
        body = request.get("json", {})
        lists = [body.get("operations", []), *(output["operations"] for output in body.get("outputs", []))]
        yield from (item["type"] for item in itertools.chain.from_iterable(lists))


def test_every_operation_of_the_catalog_has_a_pair_that_succeeds() -> None:
    done = {kind for request, reply in _exchanges() if reply["status"] == 200 for kind in _operations_in(request)}
    assert set(catalog()) <= done, f"write pairs for these: {sorted(set(catalog()) - done)}"


def test_every_error_has_a_pair() -> None:
    def below(kind: type[ImageplaneError]) -> Iterator[type[ImageplaneError]]:
        for child in kind.__subclasses__():
            yield child
            yield from below(child)

    codes = {kind.code for kind in below(ImageplaneError)} - {"unprocessable"}
    told = {reply["json"]["code"] for _, reply in _exchanges() if "code" in reply.get("json", {})}
    assert codes - NOT_AS_A_PAIR - NOT_AT_ALL <= told
    assert not told & NOT_AT_ALL


def test_what_is_filled_in() -> None:
    wanted = {"a": ["x ${key}", 1, {"b": "${base64:note.txt}"}], "c": "${key}${fresh}"}
    found = filled(wanted, {"key": "K", "fresh": "F"}.__getitem__)
    assert found == {"a": ["x K", 1, {"b": "VGhpcyBpcyBubyBpbWFnZSwgaG93ZXZlciBpdCBpcyBjYWxsZWQu"}], "c": "KF"}
