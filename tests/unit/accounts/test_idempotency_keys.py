"""The same key and body get the same reply, once worked for; anything else is told apart."""

import asyncio
import hashlib
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import pytest
from banking import new_account, open_books

from imageplane.accounts.books import Books
from imageplane.accounts.claims import Claim, Reply
from imageplane.accounts.idempotency import KEPT_FOR_IN_S, LARGEST_ROW_IN_BYTES, Idempotency
from imageplane.blobs import Blobs
from imageplane.database import Writer
from imageplane.database.stamps import now_in_ms
from imageplane.errors import Busy, IdempotencyInProgress, IdempotencyMismatch, RequestError

DIGEST = hashlib.sha256(b"body").digest()
SMALL = Reply(200, (("content-type", "image/webp"), ("x-request-id", "1")), b"\x00\xffpicture")
LARGE = Reply(200, (), bytes(range(256)) * (LARGEST_ROW_IN_BYTES // 256) + b"!")


class Desk:
    """The idempotency keys of one organization, at a time that can be set."""

    def __init__(self, books: Books) -> None:
        self.books = books
        self.later_in_ms = 0
        self.writer = Writer(books.database)
        self.keys = Idempotency(books.database, self.writer, books.blobs, lambda: now_in_ms() + self.later_in_ms)
        self.organization_id = new_account(books).organization_id

    async def begin(self, key: str = "key", digest: bytes = DIGEST) -> Claim | Reply:
        return await self.keys.begin(self.organization_id, key, digest, runs_for_in_s=60)

    async def claimed(self, key: str = "key") -> Claim:
        claim = await self.begin(key)
        assert isinstance(claim, Claim)
        return claim

    def rows(self) -> list[tuple[Any, ...]]:
        return self.books.database.rows("SELECT key, status, blob FROM idempotency_keys")


def run(books: Books, scenario: Any) -> None:
    desk = Desk(books)
    work: Coroutine[Any, Any, None] = scenario(desk)
    asyncio.run(work)
    desk.writer.close()


@pytest.mark.parametrize("reply", [SMALL, LARGE, Reply(422, (), b'{"success":false}'), Reply(200, (), b"")])
def test_a_finished_reply_is_repeated_as_it_was(books: Books, reply: Reply) -> None:
    async def scenario(desk: Desk) -> None:
        await desk.keys.finish(await desk.claimed(), reply)
        for _ in range(2):
            assert await desk.begin() == reply
        assert [bool(blob) for *_, blob in desk.rows()] == [reply is LARGE]

    run(books, scenario)


@pytest.mark.parametrize("status", [400, 402, 404, 413, 429, 500, 503, 504])
def test_a_failure_that_may_pass_is_forgotten(sqlite_books: Books, status: int) -> None:
    async def scenario(desk: Desk) -> None:
        await desk.keys.finish(await desk.claimed(), Reply(status, (), b"no"))
        assert desk.rows() == []
        await desk.claimed()

    run(sqlite_books, scenario)


def test_a_running_request_is_told_apart_from_another_body(books: Books) -> None:
    async def scenario(desk: Desk) -> None:
        claim = await desk.claimed()
        with pytest.raises(IdempotencyInProgress) as caught:
            await desk.begin()
        assert (caught.value.status, caught.value.code) == (409, "idempotency_in_progress")
        with pytest.raises(IdempotencyMismatch) as mismatch:
            await desk.begin(digest=bytes(32))
        assert (mismatch.value.status, mismatch.value.code) == (422, "idempotency_mismatch")
        await desk.keys.finish(claim, SMALL)
        with pytest.raises(IdempotencyMismatch):
            await desk.begin(digest=bytes(32))

    run(books, scenario)


def test_organizations_do_not_share_keys(books: Books) -> None:
    async def scenario(desk: Desk) -> None:
        other = new_account(books).organization_id
        await desk.keys.finish(await desk.claimed(), SMALL)
        assert isinstance(await desk.keys.begin(other, "key", DIGEST, runs_for_in_s=60), Claim)

    run(books, scenario)


def test_what_was_given_up_can_begin_again(books: Books) -> None:
    async def scenario(desk: Desk) -> None:
        first = await desk.claimed()
        await asyncio.wrap_future(desk.keys.abandon(first))
        second = await desk.claimed()
        # Who gave up has no say any more.
        await asyncio.wrap_future(desk.keys.abandon(first))
        with pytest.raises(IdempotencyInProgress):
            await desk.begin()
        await desk.keys.finish(second, SMALL)

    run(books, scenario)


def test_the_claim_of_a_dead_process_is_taken_over(books: Books) -> None:
    async def scenario(desk: Desk) -> None:
        dead = await desk.claimed()
        desk.later_in_ms = 61_000
        alive = await desk.claimed()
        # It was not dead, only slow: it is told, and what it made is forgotten.
        with pytest.raises(IdempotencyInProgress):
            await desk.keys.finish(dead, LARGE)
        await desk.keys.finish(alive, SMALL)
        assert await desk.begin() == SMALL
        folders = await books.blobs.folders("replies")
        assert folders == []

    run(books, scenario)


def test_replies_are_kept_for_a_day(books: Books) -> None:
    async def scenario(desk: Desk) -> None:
        await desk.keys.finish(await desk.claimed("large"), LARGE)
        desk.later_in_ms = (KEPT_FOR_IN_S - 60) * 1000
        await desk.keys.finish(await desk.claimed("young"), LARGE)
        await desk.keys.sweep()
        assert await desk.begin("large") == LARGE
        desk.later_in_ms = (KEPT_FOR_IN_S + 2 * 3600) * 1000
        await desk.keys.sweep()
        assert [key for key, *_ in desk.rows()] == ["young"]
        assert len(await books.blobs.folders("replies")) == 1
        assert await desk.begin("young") == LARGE
        await desk.claimed("large")

    run(books, scenario)


def test_a_reply_whose_bytes_are_lost_is_worked_for_again(books: Books) -> None:
    async def scenario(desk: Desk) -> None:
        await desk.keys.finish(await desk.claimed(), LARGE)
        await books.blobs.delete(desk.rows()[0][2])
        await desk.claimed()

    run(books, scenario)


def test_a_store_that_is_gone_forgets_the_claim(sqlite_books: Books, monkeypatch: pytest.MonkeyPatch) -> None:
    async def gone(*_: object) -> None:
        raise Busy("gone")

    async def scenario(desk: Desk) -> None:
        claim = await desk.claimed()
        with monkeypatch.context() as patch:
            patch.setattr(Blobs, "put", gone)
            with pytest.raises(Busy):
                await desk.keys.finish(claim, LARGE)
        await desk.claimed()

    run(sqlite_books, scenario)


@pytest.mark.parametrize("key", ["", "a" * 256, "tab\t", "ключ", "\x00"])
def test_a_key_is_a_short_line_of_ascii(sqlite_books: Books, key: str) -> None:
    async def scenario(desk: Desk) -> None:
        with pytest.raises(RequestError, match="255 printable"):
            await desk.begin(key)

    run(sqlite_books, scenario)


def test_who_gives_up_while_claiming_leaves_nothing(sqlite_books: Books) -> None:
    async def scenario(desk: Desk) -> None:
        with sqlite_books.database.writing():
            task = asyncio.create_task(desk.begin())
            await asyncio.sleep(0.05)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
        await desk.claimed("another")
        await desk.claimed()

    run(sqlite_books, scenario)


def test_of_fifty_requests_at_once_on_five_servers_one_works(books: Books, database_url: str, tmp_path: Path) -> None:
    organization_id = new_account(books).organization_id
    servers = [open_books(database_url, tmp_path) for _ in range(5)]

    async def begin(server: Books) -> str:
        try:
            return type(await server.idempotency.begin(organization_id, "key", DIGEST, runs_for_in_s=60)).__name__
        except IdempotencyInProgress:
            return "in progress"

    async def scenario() -> list[str]:
        return await asyncio.gather(*(begin(server) for _ in range(10) for server in servers))

    outcomes = asyncio.run(scenario())
    for server in servers:
        server.close()
    assert sorted(outcomes) == ["Claim", *["in progress"] * 49]
