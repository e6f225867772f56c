"""Idempotency keys through HTTP: however often and however at once, the work is done and charged once."""

import base64
import threading
import time
import uuid
from collections.abc import Iterator

import numpy as np
import pytest
from banking import new_key
from encoded import saved
from picture_server import PICTURES, PictureServer
from server import Reply, Server

from imageplane.accounts.books import Books
from imageplane.accounts.ledger import grant

GOOD = {"file": {"base64": base64.b64encode(PICTURES["photo.png"]).decode()}, "operations": [{"type": "flip"}]}
NOISE = saved(np.random.default_rng(7).integers(0, 255, (300, 400, 3), np.uint8), "PNG")


@pytest.fixture(scope="module")
def books(open_server: Server) -> Iterator[Books]:
    with open_server.books() as books:
        yield books


@pytest.fixture
def key(books: Books) -> str:
    return new_key(books, 10)


@pytest.fixture
def word() -> dict[str, str]:
    return {"Idempotency-Key": uuid.uuid4().hex}


def credits_of(server: Server, key: str) -> float:
    found: float = server.get("/v1/me", key=key).json["data"]["credits"]
    return found


def test_fifty_at_once_with_one_key(open_server: Server, key: str, word: dict[str, str]) -> None:
    replies: list[Reply] = []
    threads = [
        threading.Thread(target=lambda: replies.append(open_server.post(GOOD, key=key, headers=word)))
        for _ in range(50)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {reply.status for reply in replies} <= {200, 409}
    done = [reply for reply in replies if reply.status == 200]
    assert len({reply.body for reply in done}) == 1
    assert sum("idempotent-replayed" not in reply.headers for reply in done) == 1
    for reply in replies:
        if reply.status == 409:
            assert reply.json["code"] == "idempotency_in_progress"
            assert int(reply.headers["retry-after"]) >= 1
    assert open_server.post(GOOD, key=key, headers=word).body == done[0].body
    assert credits_of(open_server, key) == 9


def test_a_second_one_while_the_first_runs(open_server: Server, key: str, word: dict[str, str]) -> None:
    slow, replies = PictureServer(), []
    try:
        request = {"file": {"url": f"{slow.url}/slow/photo.png"}, "operations": []}
        first = threading.Thread(target=lambda: replies.append(open_server.post(request, key=key, headers=word)))
        first.start()
        while not slow.paths:
            time.sleep(0.01)
        second = open_server.post(request, key=key, headers=word)
        assert (second.status, second.json["code"]) == (409, "idempotency_in_progress")
        assert second.headers["retry-after"] == "1"
        other = open_server.post(GOOD, key=key, headers=word)
        assert (other.status, other.json["code"]) == (422, "idempotency_mismatch")
        slow.may_go_on.set()
        first.join()
        third = open_server.post(request, key=key, headers=word)
        assert (replies[0].status, third.body) == (200, replies[0].body)
        assert len(slow.paths) == 1
        assert credits_of(open_server, key) == 9
    finally:
        slow.close()


def test_a_large_reply_is_repeated_too(open_server: Server, key: str, word: dict[str, str]) -> None:
    request = {"file": {"base64": base64.b64encode(NOISE).decode()}, "operations": [{"type": "flop"}]}
    first, second = (open_server.post(request, key=key, headers=word) for _ in range(2))
    assert len(first.body) > 300_000
    assert second.headers["idempotent-replayed"] == "true"
    assert first.body == second.body
    assert credits_of(open_server, key) == 9


def test_an_image_is_repeated_with_its_headers(open_server: Server, key: str, word: dict[str, str]) -> None:
    first, second = (
        open_server.post(GOOD, key=key, headers={**word, "Accept": "image/*", "X-Request-Id": f"call-{number}"})
        for number in (1, 2)
    )
    assert first.body == second.body
    for name in ("content-type", "etag", "x-credits-charged", "content-length"):
        assert first.headers[name] == second.headers[name]
    assert second.headers["x-request-id"] == "call-2"
    assert second.headers["idempotent-replayed"] == "true"
    assert int(second.headers["x-ratelimit-remaining"]) < int(first.headers["x-ratelimit-remaining"])


def test_the_kind_of_reply_belongs_to_the_request(open_server: Server, key: str, word: dict[str, str]) -> None:
    assert open_server.post(GOOD, key=key, headers=word).status == 200
    reply = open_server.post(GOOD, key=key, headers={**word, "Accept": "image/*"})
    assert (reply.status, reply.json["code"]) == (422, "idempotency_mismatch")
    assert credits_of(open_server, key) == 9


def upload(server: Server, key: str, headers: dict[str, str], boundary: str, picture: str = "photo.png") -> Reply:
    parts = (
        f'--{boundary}\r\nContent-Disposition: form-data; name="operations"\r\n\r\n[]\r\n'
        f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'
    )
    body = parts.encode() + PICTURES[picture] + f"\r\n--{boundary}--\r\n".encode()
    kind = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
    return server.post(body, key=key, headers={**headers, **kind})


def test_an_upload_that_is_sent_again_has_another_boundary(open_server: Server, key: str, word: dict[str, str]) -> None:
    first, second = (upload(open_server, key, word, uuid.uuid4().hex) for _ in range(2))
    assert (first.status, second.status) == (200, 200)
    assert first.body == second.body
    assert upload(open_server, key, word, uuid.uuid4().hex, "alpha.png").status == 422
    assert credits_of(open_server, key) == 9


def test_what_can_not_be_done_is_told_again_and_what_may_pass_is_tried_again(
    open_server: Server, books: Books, word: dict[str, str]
) -> None:
    poor = new_key(books, 0)
    assert open_server.post(GOOD, key=poor, headers=word).status == 402
    account = books.keys.ask(poor).result(30)
    with books.database.writing() as connection:
        grant(connection, account.organization_id, 5000, "test")
    assert open_server.post(GOOD, key=poor, headers=word).status == 200
    broken = {"file": {"base64": base64.b64encode(PICTURES["broken.png"]).decode()}, "operations": []}
    other = {"Idempotency-Key": uuid.uuid4().hex}
    first, second = (open_server.post(broken, key=poor, headers=other) for _ in range(2))
    assert (first.status, second.status) == (422, 422)
    assert first.body == second.body
    assert second.headers["idempotent-replayed"] == "true"
    assert credits_of(open_server, poor) == 4


@pytest.mark.parametrize("text", ["", "a" * 256, "\xe4"])
def test_what_is_no_key(open_server: Server, key: str, text: str) -> None:
    reply = open_server.post(GOOD, key=key, headers={"Idempotency-Key": text})
    assert (reply.status, reply.json["code"]) == (400, "invalid_request")


def test_a_body_that_is_wrong_takes_no_key(open_server: Server, key: str, word: dict[str, str]) -> None:
    assert open_server.post(b"{", key=key, headers=word).status == 400
    assert open_server.post(GOOD, key=key, headers=word).status == 200


def test_without_a_key_everything_is_done_again(open_server: Server, key: str) -> None:
    replies = [open_server.post(GOOD, key=key) for _ in range(2)]
    assert replies[0].json["data"] == replies[1].json["data"]
    assert replies[0].body != replies[1].body
    assert credits_of(open_server, key) == 8
