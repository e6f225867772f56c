"""The servers that pairs are sent to, and what is filled in for them: the same for raw HTTP and for every client."""

import contextlib
import uuid
from collections.abc import Callable, Iterator
from typing import Final

import pytest
from absent import NO_WEIGHTS, WEIGHTS
from banking import new_key
from pairs import SERVERS
from server import Reply, Server, serving

from imageplane.accounts import keys
from imageplane.accounts.books import Books

CREDIT: Final = 10


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


@pytest.fixture(scope="session")
def installations(request: pytest.FixtureRequest) -> Iterator[Installations]:
    """Give the servers that all tests of the contract share."""
    with contextlib.ExitStack() as stack:
        yield Installations(request, stack)


def check_always(reply: Reply) -> None:
    """Raise AssertionError unless a reply has what all of them have."""
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
