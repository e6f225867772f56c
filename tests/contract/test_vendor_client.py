"""What the vendor's own clients see: they must not notice to whom they talk."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

import pytest
from banking import new_key
from pairs import CASES, check, filled
from picture_server import PictureServer
from receivers import Receiver, beside
from server import Reply, Server
from vendor import CURRENT, Vendor

from imageplane.accounts.books import Books
from imageplane.operations import catalog

# The client sends a file and operations, and no header of its own; these pairs have no more than that.
TABLES = ("operations", "formats", "models")
OPERATIONS = [{"type": "flip"}]


@dataclass(frozen=True)
class Asked:
    """One request of a pair, and the reply that it should get."""

    name: str
    picture: str
    operations: list[dict[str, Any]]
    reply: dict[str, Any]


def _asked() -> Iterator[Asked]:
    for name, case in CASES.items():
        if name.partition(":")[0] in TABLES and "server" not in case:
            for number, exchange in enumerate(case["exchanges"]):
                body = exchange["request"].get("json")
                if body is None:
                    continue
                picture = body["file"]["base64"].removeprefix("${base64:").removesuffix("}")
                yield Asked(f"{name} {number}", picture, body["operations"], exchange["reply"])


ASKED = list(_asked())


@pytest.fixture(scope="module")
def open_books(open_server: Server) -> Iterator[Books]:
    with open_server.books() as books:
        yield books


@pytest.mark.parametrize("source", ["base64", "url"])
@pytest.mark.parametrize("asked", ASKED, ids=lambda asked: asked.name)
def test_a_client_gets_what_the_pairs_say(
    vendor: Vendor, source: str, asked: Asked, open_server: Server, pictures: PictureServer
) -> None:
    file = vendor.file(source, asked.picture, pictures.url)
    if asked.reply["status"] == 200:
        found = vendor.transform(open_server, open_server.key, file, asked.operations)
        known = {name: value for name, value in asked.reply["json"].get("data", {}).items() if name in found}
        reply = Reply(200, {"content-type": "application/json"}, json.dumps(found).encode())
        check(reply, {"status": 200, "json": known}, [])
        return
    base64 = filled(f"${{base64:{asked.picture}}}", str)
    plain = open_server.post({"file": {"base64": base64}, "operations": asked.operations})
    with pytest.raises(vendor.error) as caught:
        vendor.transform(open_server, open_server.key, file, asked.operations)
    assert told(caught.value) == (asked.reply["status"], plain.json["error"])


def test_those_pairs_have_every_operation() -> None:
    # Without models, 503 is what is right for some.
    done = {item["type"] for asked in ASKED if asked.reply["status"] in (200, 503) for item in asked.operations}
    assert done >= set(catalog())


def test_the_current_client_is_the_one_that_is_meant() -> None:
    assert version("iterationlayer") == CURRENT


@pytest.mark.parametrize(("cap", "message"), [(None, "Insufficient credits"), (1, "Budget cap exceeded")])
def test_a_key_that_has_spent_all(
    vendor: Vendor, open_server: Server, open_books: Books, cap: int | None, message: str
) -> None:
    key, file = new_key(open_books, 1 if cap is None else 5, cap), vendor.file("base64", "photo.png", "")
    assert vendor.transform(open_server, key, file, OPERATIONS)["mime_type"] == "image/png"
    with pytest.raises(vendor.error) as caught:
        vendor.transform(open_server, key, file, OPERATIONS)
    assert told(caught.value) == (402, message)


@pytest.mark.parametrize("key", ["wrong", "ip_live_" + "0" * 43])
def test_a_wrong_key(vendor: Vendor, open_server: Server, key: str) -> None:
    with pytest.raises(vendor.error) as caught:
        vendor.transform(open_server, key, vendor.file("base64", "photo.png", ""), OPERATIONS)
    assert told(caught.value) == (401, "Invalid API key")


@pytest.mark.parametrize(
    ("name", "status"), [("nothing.png", 400), ("note.txt", 400), ("broken.png", 422), ("vast.png", 413)]
)
def test_a_url_that_leads_to_no_good_image(
    vendor: Vendor, open_server: Server, pictures: PictureServer, name: str, status: int
) -> None:
    file = {"type": "url", "name": "photo.png", "url": f"{pictures.url}/{name}"}
    with pytest.raises(vendor.error) as caught:
        vendor.transform(open_server, open_server.key, file, OPERATIONS)
    plain = open_server.post({"file": file, "operations": OPERATIONS})
    assert told(caught.value) == (status, plain.json["error"])


def test_a_url_that_may_not_be_fetched(vendor: Vendor, server: Server, pictures: PictureServer) -> None:
    with pytest.raises(vendor.error) as caught:
        vendor.transform(server, server.key, vendor.file("url", "photo.png", pictures.url), OPERATIONS)
    assert told(caught.value) == (400, "file.url: Only https URLs can be fetched.")


def test_asking_for_a_webhook_is_accepted(vendor: Vendor, open_server: Server, open_books: Books) -> None:
    key, file = new_key(open_books, 1), vendor.file("base64", "photo.png", "")
    with beside(Receiver()) as receiver:
        found = vendor.start(open_server, key, file, receiver.url())
        assert found["async"] is True
        assert found["message"] == "Request accepted. Results will be delivered to the provided webhook URL."
        (message,) = receiver.waited_for("/hook")
    sent = json.loads(message.body)
    assert (sent["success"], sent["api"]) == (True, "image_transformation")
    assert sent["data"]["mime_type"] == "image/png"
    with pytest.raises(vendor.error) as caught:
        vendor.start(open_server, key, file, "https://app.example.com/hook")
    assert told(caught.value) == (402, "Insufficient credits")


def test_asking_for_a_webhook_that_may_not_be_is_refused(vendor: Vendor, server: Server) -> None:
    with pytest.raises(vendor.error) as caught:
        vendor.start(server, server.key, vendor.file("base64", "photo.png", ""), "http://app.example.com/hook")
    status, message = told(caught.value)
    assert status == 400
    assert "webhook_url" in message


def test_a_service_that_there_is_not(vendor: Vendor, open_server: Server) -> None:
    client = vendor.client(open_server, open_server.key)
    with pytest.raises(vendor.error) as caught:
        client.generate_image(dimensions={"width_in_px": 1, "height_in_px": 1}, layers=[])
    assert told(caught.value)[0] == 404


def told(error: Any) -> tuple[int, str]:
    return error.status_code, error.error_message
