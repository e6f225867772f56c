"""Behind a proxy: whose word the server takes for the address that callers used."""

import base64
from collections.abc import Iterator

import pytest
from picture_server import PICTURES
from server import Server, serving

ASKED = {"file": {"base64": base64.b64encode(PICTURES["photo.png"]).decode()}, "operations": []}
TOLD = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "203.0.113.7", "Host": "images.example.com"}


def link(server: Server) -> str:
    """Give a link that the server writes for a caller."""
    reply = server.post(ASKED, headers={**TOLD, "Prefer": "respond-async"})
    assert reply.status == 201
    return str(reply.json["status_url"])


@pytest.fixture(scope="module")
def suspicious(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Give a server that believes another proxy than the one that asks."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FORWARDED_ALLOW_IPS", "192.0.2.0/24")
        with serving(tmp_path_factory.mktemp("suspicious"), HTTP__PUBLIC_URL="") as server:
            yield server


def test_a_proxy_on_the_same_machine_is_believed(server: Server) -> None:
    assert link(server).startswith("https://images.example.com/v1/jobs/")


def test_another_is_not_believed_unless_it_is_named(suspicious: Server) -> None:
    assert link(suspicious).startswith("http://images.example.com/v1/jobs/")
