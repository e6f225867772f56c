"""Money: one transform is charged once, a failed one never, and nobody spends what is not there."""

import asyncio
import base64
import io
import json
import threading
import time
from collections.abc import Iterator

import aiohttp
import psutil
import pytest
from banking import balance_of, new_key
from picture_server import PICTURES, PictureServer
from PIL import Image
from server import TRANSFORM, Server

from imageplane.accounts.account import Account
from imageplane.accounts.audit import verify
from imageplane.accounts.books import Books
from imageplane.accounts.prices import MILLICREDITS

PNG = base64.b64encode(PICTURES["photo.png"]).decode()
GOOD = {"file": {"base64": PNG}, "operations": [{"type": "flip"}]}


def seconds_of_work(times: int = 4) -> dict[str, object]:
    """Give a request that keeps an engine busy for about two seconds, so many times."""
    buffer = io.BytesIO()
    Image.new("RGB", (4000, 3000), (10, 200, 30)).save(buffer, "PNG")
    operations = [*([{"type": "denoise", "size": 31}] * times), {"type": "convert", "format": "jpeg"}]
    return {"file": {"base64": base64.b64encode(buffer.getvalue()).decode()}, "operations": operations}


@pytest.fixture(scope="module")
def hasty_books(hasty: Server) -> Iterator[Books]:
    with hasty.books() as books:
        yield books


def account_of(books: Books, key: str) -> Account:
    return books.keys.ask(key).result(30)


def at_once(url: str, keys: list[str]) -> list[int]:
    """Send a good request with every key, all at the same moment, and give the statuses."""

    async def ask(session: aiohttp.ClientSession, key: str) -> int:
        headers = {"Authorization": f"Bearer {key}"}
        async with session.post(url + TRANSFORM, data=json.dumps(GOOD), headers=headers) as answer:
            found = await answer.json()
            assert found["success"] is (answer.status == 200)
            assert found.get("error", "Insufficient credits") == "Insufficient credits"
            return answer.status

    async def all_of_them() -> list[int]:
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
            return list(await asyncio.gather(*(ask(session, key) for key in keys)))

    return asyncio.run(all_of_them())


def test_200_at_once_with_credit_for_100(installation: Server) -> None:
    with installation.books() as books:
        poor, rich = new_key(books, 100), new_key(books, 1000)
        found = at_once(installation.url, [poor] * 200 + [rich] * 50)
        assert (found[:200].count(200), found[:200].count(402)) == (100, 100)
        assert found[200:] == [200] * 50
        assert balance_of(books, account_of(books, poor)) == 0
        assert balance_of(books, account_of(books, rich)) == 950 * MILLICREDITS
        assert installation.get("/v1/me", key=poor).json["data"]["credits"] == 0
        (used,) = installation.get("/v1/usage", key=poor).json["data"]["usage"]
        assert (used["requests"], used["credits"]) == (100, 100)
        assert verify(books.database) == []


FAILURES = {
    "no image": ({"file": {"base64": "AAAA"}, "operations": []}, 400),
    "a bad operation": ({"file": {"base64": PNG}, "operations": [{"type": "blur"}]}, 400),
    "no such file": ({"file": {"url": "${pictures}/nothing.png"}, "operations": []}, 400),
    "a closed port": ({"file": {"url": "http://127.0.0.1:1/photo.png"}, "operations": []}, 400),
    "too many pixels": ({"file": {"url": "${pictures}/vast.png"}, "operations": []}, 413),
    "a damaged image": ({"file": {"url": "${pictures}/broken.png"}, "operations": []}, 422),
    "an impossible crop": (
        {
            "file": {"base64": PNG},
            "operations": [{"type": "crop", "left_in_px": 0, "top_in_px": 0, "width_in_px": 99, "height_in_px": 9}],
        },
        422,
    ),
    "a size out of reach": (
        {"file": {"base64": PNG}, "operations": [{"type": "compress_to_size", "max_file_size_in_bytes": 1}]},
        422,
    ),
    "no time to fetch": ({"file": {"url": "${pictures}/slow/photo.png"}, "operations": []}, 504),
    "no time to work": (seconds_of_work(), 504),
}


@pytest.mark.parametrize("name", FAILURES)
def test_a_failure_costs_nothing(hasty: Server, hasty_books: Books, pictures: PictureServer, name: str) -> None:
    request, status = FAILURES[name]
    key = new_key(hasty_books, 1)
    body = json.dumps(request).replace("${pictures}", pictures.url).encode()
    reply = hasty.post(body, key=key)
    assert reply.status == status, reply.body
    # Who is told of the failure may look at the balance at once, and spend it.
    assert hasty.get("/v1/me", key=key).json["data"]["credits"] == 1
    assert hasty.post(GOOD, key=key).status == 200
    assert hasty.get("/v1/me", key=key).json["data"]["credits"] == 0


def test_a_crash_costs_nothing_unless_the_work_is_done_after_all(server: Server) -> None:
    assert server.process is not None
    with server.books() as books:
        key = new_key(books, 1)
    (engine,) = psutil.Process(server.process.pid).children()
    before, replies = engine.cpu_times().user, []
    asking = threading.Thread(target=lambda: replies.append(server.post(seconds_of_work(1), key=key)))
    asking.start()
    while engine.cpu_times().user < before + 0.5:
        time.sleep(0.02)
    engine.kill()
    asking.join()
    is_done = replies[0].status == 200
    assert is_done or replies[0].json["code"] == "engine_crashed"
    assert server.get("/v1/me", key=key).json["data"]["credits"] == (0 if is_done else 1)
    assert server.post(GOOD, key=key).status == (402 if is_done else 200)


def wait_for_balance(books: Books, key: str, credits_left: int, patience_in_s: float = 10) -> None:
    """Return when an organization has so many credits; what is left when patience ends is compared for the reader."""
    until = time.monotonic() + patience_in_s
    while balance_of(books, account_of(books, key)) != credits_left * MILLICREDITS and time.monotonic() < until:
        time.sleep(0.02)
    assert balance_of(books, account_of(books, key)) == credits_left * MILLICREDITS


@pytest.mark.parametrize("comes_back", [False, True], ids=["for good", "to come back with its idempotency key"])
def test_work_for_who_hangs_up_is_dropped_unless_a_key_says_that_it_is_wanted(
    open_server: Server, comes_back: bool
) -> None:
    slow = PictureServer()
    try:
        with open_server.books() as books:
            key, name = new_key(books, 3), f"hung-up-{comes_back}"
            body = {"file": {"url": f"{slow.url}/slow/photo.png"}, "operations": []}
            headers = {"Authorization": f"Bearer {key}", "X-Request-Id": name}
            if comes_back:
                headers["Idempotency-Key"] = name
            with pytest.raises(TimeoutError):
                open_server.request("POST", TRANSFORM, json.dumps(body).encode(), headers, timeout_in_s=0.5)
            if not comes_back:
                assert open_server.said(f'"request_id": "{name}"')["status"] == 499
                # Nobody waits for the release, so it comes a moment after the line of the log.
                wait_for_balance(books, key, 3)
            else:
                assert balance_of(books, account_of(books, key)) == 2 * MILLICREDITS
            slow.may_go_on.set()
            if comes_back:
                assert open_server.said(f'"request_id": "{name}"')["status"] == 200
                again = open_server.request("POST", TRANSFORM, json.dumps(body).encode(), headers)
                assert (again.status, again.headers["idempotent-replayed"]) == (200, "true")
            assert balance_of(books, account_of(books, key)) == (2 if comes_back else 3) * MILLICREDITS
            assert verify(books.database) == []
    finally:
        slow.close()
