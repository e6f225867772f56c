"""How often an organization may ask: a window that slides, told in the headers of every reply."""

import asyncio
import threading
import time
from collections.abc import Iterator

import pytest
from banking import new_key
from server import TRANSFORM, Server, serving

from imageplane.accounts import keys
from imageplane.accounts.books import Books
from imageplane.http.rates import Rates
from imageplane.settings import LimitSettings

MOST = 8
NAMES = ["x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset", "ratelimit", "ratelimit-policy"]


@pytest.fixture(scope="module")
def strict(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("strict"), LIMITS__REQUESTS_PER_MINUTE=str(MOST)) as server:
        yield server


@pytest.fixture(scope="module")
def strict_books(strict: Server) -> Iterator[Books]:
    with strict.books() as books:
        yield books


def test_every_reply_to_a_known_account_tells(strict: Server, strict_books: Books) -> None:
    key, now = new_key(strict_books), time.time()
    replies = [
        strict.get("/v1/me", key=key),
        strict.get("/v1/usage", key=key),
        strict.get("/v1/usage?since=2000-01-01", key=key),
        strict.post(b"{", key=key),
        strict.post({"file": {"base64": "AAAA"}, "operations": []}, key=key),
        strict.post({"file": {"base64": "AAAA"}, "operations": []}, key=key, headers={"Accept": "image/*"}),
        strict.post({}, key=key, headers={"Content-Type": "multipart/form-data"}),
        strict.post({}, key=key, headers={"Idempotency-Key": ""}),
    ]
    assert [reply.status for reply in replies] == [200, 200, 400, 400, 400, 400, 400, 400]
    replies += [strict.get("/v1/me", key=key), strict.post({}, key=key)]
    for number, reply in enumerate(replies, 1):
        assert all(name in reply.headers for name in NAMES)
        assert reply.headers["x-ratelimit-limit"] == str(MOST)
        assert reply.headers["x-ratelimit-remaining"] == str(max(0, MOST - number))
        assert now < int(reply.headers["x-ratelimit-reset"]) <= time.time() + 61
    for reply in replies[MOST:]:
        assert (reply.status, reply.json["error"]) == (429, "Rate limit exceeded")
        assert 1 <= int(reply.headers["retry-after"]) <= 60
        assert int(reply.headers["x-ratelimit-reset"]) - time.time() <= int(reply.headers["retry-after"]) + 1


def test_who_is_not_known_is_not_counted(strict: Server, strict_books: Books) -> None:
    key = new_key(strict_books)
    for _ in range(MOST + 2):
        assert strict.get("/v1/me", key="wrong").status == 401
    assert strict.get("/v1/me", key=key).headers["x-ratelimit-remaining"] == str(MOST - 1)


def test_a_request_to_nowhere_is_told_and_not_counted(strict: Server, strict_books: Books) -> None:
    key = new_key(strict_books)
    assert strict.get("/v1/me", key=key).headers["x-ratelimit-remaining"] == str(MOST - 1)
    for _ in range(MOST):
        for reply, status in ((strict.get("/nowhere", key=key), 404), (strict.get(TRANSFORM, key=key), 405)):
            assert reply.status == status
            assert all(name in reply.headers for name in NAMES)
            assert reply.headers["x-ratelimit-remaining"] == str(MOST - 1)
    for stranger in ("", "wrong", keys.new_text()):
        reply = strict.get("/nowhere", key=stranger)
        assert reply.status == 404
        assert not any(name in reply.headers for name in NAMES)


def test_all_keys_of_an_organization_count_together(strict: Server, strict_books: Books) -> None:
    first = new_key(strict_books)
    organization_id = strict_books.keys.ask(first).result(10).organization_id
    with strict_books.database.writing() as connection:
        second = keys.create(connection, organization_id, "second")
    assert strict.get("/v1/me", key=first).headers["x-ratelimit-remaining"] == str(MOST - 1)
    assert strict.get("/v1/me", key=second).headers["x-ratelimit-remaining"] == str(MOST - 2)
    assert strict.get("/v1/me", key=new_key(strict_books)).headers["x-ratelimit-remaining"] == str(MOST - 1)


def test_many_at_once_are_counted_one_by_one(strict: Server, strict_books: Books) -> None:
    key = new_key(strict_books)
    found: list[int] = []
    threads = [
        threading.Thread(target=lambda: found.append(strict.get("/v1/me", key=key).status)) for _ in range(MOST * 3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == [200] * MOST + [429] * (2 * MOST)


async def _taken(rates: Rates, count: int) -> list[bool]:
    return [(await rates.take("one"))[1] for _ in range(count)]


def test_the_window_slides(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story() -> None:
        rates = Rates(LimitSettings(requests_per_minute=4))
        assert await _taken(rates, 2) == [True, True]
        clock.now += 30
        assert await _taken(rates, 3) == [True, True, False]
        # The first two have left the window, the two of half a minute ago have not.
        clock.now += 31
        assert await _taken(rates, 3) == [True, True, False]
        clock.now += 30
        assert await _taken(rates, 3) == [True, True, False]
        rate, is_allowed = await rates.take("another")
        assert is_allowed
        assert rate.remaining == 3

    class Clock:
        now = 1_800_000_000.0

    clock = Clock()
    monkeypatch.setattr(time, "time", lambda: clock.now)
    asyncio.run(story())
