"""The contract, held against running servers by raw HTTP."""

import contextlib
import itertools
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from absent import NO_WEIGHTS, WEIGHTS
from banking import new_key
from pairs import CASES, SERVERS, check, filled, sent
from picture_server import PictureServer
from server import TRANSFORM, Reply, Server, serving

from imageplane.accounts import keys
from imageplane.accounts.books import Books
from imageplane.errors import ImageplaneError
from imageplane.operations import catalog

CREDIT = 10
# These take a crash, an engine or a database that is gone, or two requests at once: tests/http has them.
NOT_AS_A_PAIR = {"busy", "conflict", "engine_crashed", "internal_error", "invalid_settings", "idempotency_in_progress"}
# Nothing raises it yet.
NOT_AT_ALL = {"forbidden"}


class Installations:
    """The servers of servers.json, each started when the first case needs it, with the books of each."""

    def __init__(self, request: pytest.FixtureRequest, stack: contextlib.ExitStack) -> None:
        self._request = request
        self._stack = stack
        self._found: dict[str, tuple[Server, Books]] = {}

    def find(self, name: str) -> tuple[Server, Books]:
        if name not in self._found:
            server = self._server(name)
            self._found[name] = server, self._stack.enter_context(server.books())
        return self._found[name]

    def _server(self, name: str) -> Server:
        if name in ("default", "open"):
            shared: Server = self._request.getfixturevalue("server" if name == "default" else "open_server")
            assert dict(shared.settings) == SERVERS[name]
            return shared
        folder = self._request.getfixturevalue("tmp_path_factory").mktemp(name)
        return self._stack.enter_context(serving(folder, **SERVERS[name], **_models(name)))


def _models(server_name: str) -> dict[str, str]:
    if server_name != "models":
        return {}
    if WEIGHTS is None:
        pytest.skip(NO_WEIGHTS)
    return {"MODELS_DIR": str(WEIGHTS)}


@pytest.fixture(scope="module")
def installations(request: pytest.FixtureRequest) -> Iterator[Installations]:
    with contextlib.ExitStack() as stack:
        yield Installations(request, stack)


@pytest.mark.parametrize("name", CASES)
def test_the_server_keeps_the_contract(name: str, installations: Installations, pictures: PictureServer) -> None:
    case = CASES[name]
    server, books = installations.find(case.get("server", "default"))
    fill = filling(books, pictures.url)
    replies: list[Reply] = []
    for exchange in case["exchanges"]:
        reply = sent(server, exchange["request"], fill)
        check(reply, exchange["reply"], replies)
        _check_always(reply)
        replies.append(reply)


def _check_always(reply: Reply) -> None:
    assert reply.headers["x-request-id"]
    if reply.status >= 400:
        said = reply.json
        assert said["success"] is False
        assert isinstance(said["error"], str)
        # What is replayed tells of the request that was first.
        if "idempotent-replayed" not in reply.headers:
            assert said["request_id"] == reply.headers["x-request-id"]


def filling(books: Books, pictures_url: str) -> Callable[[str], str]:
    """Give what takes the place of a placeholder, the same each time within one case."""
    makers: dict[str, Callable[[], str]] = {
        "key": lambda: new_key(books, CREDIT),
        "poor_key": lambda: new_key(books, 0),
        "capped_key": lambda: new_key(books, CREDIT, cap=0),
        "revoked_key": lambda: _revoked(books),
        "expired_key": lambda: new_key(books, CREDIT, expires_at_in_ms=1),
        "fresh": lambda: uuid.uuid4().hex,
        "pictures": lambda: pictures_url,
    }
    made: dict[str, str] = {}

    def fill(name: str) -> str:
        if name not in made:
            made[name] = makers[name]()
        return made[name]

    return fill


def _revoked(books: Books) -> str:
    key = new_key(books, CREDIT)
    with books.database.writing() as connection:
        keys.revoke(connection, key)
    return key


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
