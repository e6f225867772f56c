"""What is due is sent, signed and guarded; what fails goes on later; nobody who stalls holds up anybody else."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web
from banking import new_account
from job_rows import insert_job
from loopback import Names
from receivers import Receiver, never, one_after_the_other
from sqlalchemy import text
from structlog.testing import capture_logs

from imageplane.accounts.books import Books
from imageplane.database.stamps import now_in_ms
from imageplane.errors import Busy
from imageplane.jobs import courier as courier_module
from imageplane.jobs import deliveries, delivery_log, secrets
from imageplane.jobs.courier import BodyOf, Courier
from imageplane.jobs.deliveries import Delivery, Wish
from imageplane.jobs.delivery_log import LoggedDelivery
from imageplane.jobs.delivery_schedule import TRIES
from imageplane.jobs.receiver import Mail
from imageplane.jobs.webhook import refusal_of
from imageplane.settings import SourcesSettings, WebhookSettings
from imageplane.sources.location import Location

PATIENCE_IN_S = 30
BODY = b'{"success":true,"api":"image_transformation"}'
OPEN = SourcesSettings(allow_http=True, allow_private_networks=True)


def run(test: Callable[[], Coroutine[Any, Any, None]]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(PATIENCE_IN_S):
            await test()

    asyncio.run(bounded())


async def until(is_so: Callable[[], object]) -> None:
    while not is_so():
        await asyncio.sleep(0.01)


def always(body: bytes | None) -> BodyOf:
    async def body_of(_job_id: str, *, link: bool = False) -> bytes | None:  # noqa: ARG001
        return body

    return body_of


@asynccontextmanager
async def couriers(
    books: Books,
    body_of: BodyOf | None = None,
    *,
    count: int = 1,
    sources: SourcesSettings = OPEN,
    names: Names | None = None,
    **settings: Any,
) -> AsyncIterator[list[Courier]]:
    """Run couriers on the same books."""
    wanted = WebhookSettings(**settings)
    made = [
        Courier(books.database, wanted, Mail(wanted, sources, look_up=names), body_of or always(BODY))
        for _ in range(count)
    ]
    for courier in made:
        await courier.__aenter__()
    try:
        yield made
    finally:
        for courier in made:
            await courier.__aexit__(None, None, None)


class Post:
    """Sends for one organization, and looks what became of it."""

    def __init__(self, books: Books) -> None:
        self.books = books
        self.organization_id = new_account(books).organization_id

    def send(self, url: str, job_id: str = "", delivery: Delivery = "bytes", size_in_bytes: int = 0) -> str:
        with self.books.database.writing() as connection:
            job_id = insert_job(connection, self.organization_id, job_id)
            wish = Wish(self.organization_id, job_id, Location.parse(url), delivery, size_in_bytes)
            (delivery_id,) = deliveries.insert(connection, [wish], now_in_ms())
        return delivery_id

    def look(self, delivery_id: str) -> LoggedDelivery:
        with self.books.database.reading() as connection:
            (job_id,) = connection.execute(
                text("SELECT job_id FROM deliveries WHERE id = :id"), {"id": delivery_id}
            ).one()
            found = delivery_log.of_job(connection, self.organization_id, job_id)
        (wanted,) = [each for each in found if each.id == delivery_id]
        return wanted

    def hurry(self, courier: Courier) -> None:
        """Have what waits for its next try sent now."""
        with self.books.database.writing() as connection:
            connection.execute(text("UPDATE deliveries SET due_at_in_ms = 0 WHERE status = 'pending'"))
        courier.nudge()

    def secrets(self) -> list[str]:
        with self.books.database.writing() as connection:
            found = secrets.that_sign(connection, [self.organization_id], now_in_ms())
        return [secret.text for secret in found[self.organization_id]]

    async def ended(self, delivery_id: str) -> LoggedDelivery:
        await until(lambda: self.look(delivery_id).status != "pending")
        return self.look(delivery_id)

    async def tried(self, delivery_id: str, times: int = 1) -> LoggedDelivery:
        await until(lambda: len(self.look(delivery_id).attempts) >= times)
        return self.look(delivery_id)


@pytest.mark.parametrize("body", [BODY, b'{"buffer":"' + b"A" * 3_000_000 + b'"}'], ids=["small", "large"])
def test_a_message_comes_whole_signed_and_once(books: Books, body: bytes) -> None:
    async def test() -> None:
        post = Post(books)
        async with Receiver().running() as receiver, couriers(books, always(body)) as (courier,):
            name = post.send(receiver.url("/hook?token=a%2Fb"), size_in_bytes=len(body))
            courier.nudge()
            found = await post.ended(name)
            (message,) = receiver.messages
        assert (message.path, message.id, message.body) == ("/hook?token=a%2Fb", name, body)
        assert message.headers["content-type"] == "application/json"
        assert message.headers["content-length"] == str(len(body))
        assert message.headers["user-agent"] == "Imageplane"
        assert refusal_of(message.headers, message.body, post.secrets(), time.time()) is None
        assert (found.status, found.due_at_in_ms) == ("delivered", None)
        (attempt,) = found.attempts
        assert (attempt.number, attempt.status_code, attempt.error) == (1, 200, None)

    run(test)


def test_nobody_needs_to_nudge(sqlite_books: Books) -> None:
    async def test() -> None:
        post = Post(sqlite_books)
        async with Receiver().running() as receiver, couriers(sqlite_books):
            assert (await post.ended(post.send(receiver.url()))).status == "delivered"

    run(test)


def test_a_failure_is_sent_again_under_the_same_name(books: Books) -> None:
    async def test() -> None:
        post = Post(books)
        answer = one_after_the_other(web.Response(status=500), web.Response(status=204))
        async with Receiver(answer).running() as receiver, couriers(books) as (courier,):
            name = post.send(receiver.url())
            waiting = await post.tried(name)
            assert waiting.status == "pending"
            assert (waiting.due_at_in_ms or 0) >= waiting.attempts[0].at_in_ms + 5_000
            assert waiting.attempts[0].error == "The receiver answered with status 500."
            post.hurry(courier)
            found = await post.ended(name)
            assert receiver.ids == [name, name]
            for message in receiver.messages:
                assert refusal_of(message.headers, message.body, post.secrets(), time.time()) is None
        assert [(each.number, each.status_code) for each in found.attempts] == [(1, 500), (2, 204)]
        assert found.status == "delivered"

    run(test)


def test_after_all_tries_a_delivery_has_failed_and_can_be_sent_again(sqlite_books: Books) -> None:
    async def test() -> None:
        post = Post(sqlite_books)
        answers = [web.Response(status=500)] * TRIES + [web.Response()]
        receiver = Receiver(one_after_the_other(*answers))
        async with receiver.running(), couriers(sqlite_books) as (courier,):
            name = post.send(receiver.url())
            for number in range(1, TRIES + 1):
                found = await post.tried(name, number)
                assert found.status == ("failed" if number == TRIES else "pending")
                post.hurry(courier)
            with sqlite_books.database.writing() as connection:
                delivery_log.redeliver(connection, post.organization_id, name, now_in_ms())
            courier.nudge()
            assert (await post.ended(name)).status == "delivered"
            assert receiver.ids == [name] * (TRIES + 1)

    run(test)


def test_410_is_the_end(sqlite_books: Books) -> None:
    async def test() -> None:
        post = Post(sqlite_books)
        gone = Receiver(one_after_the_other(web.Response(status=410)))
        async with gone.running() as receiver, couriers(sqlite_books):
            found = await post.ended(post.send(receiver.url()))
        assert (found.status, len(found.attempts), len(receiver.messages)) == ("failed", 1, 1)

    run(test)


def test_a_redirect_is_a_failure_and_never_followed(sqlite_books: Books) -> None:
    async def test() -> None:
        post = Post(sqlite_books)
        async with Receiver().running() as elsewhere:
            moved = web.Response(status=307, headers={"Location": elsewhere.url()})
            async with Receiver(one_after_the_other(moved)).running() as receiver, couriers(sqlite_books):
                found = await post.tried(post.send(receiver.url()))
            assert (len(receiver.messages), elsewhere.messages) == (1, [])
        assert (found.status, found.attempts[0].status_code) == ("pending", 307)
        assert "not followed" in (found.attempts[0].error or "")

    run(test)


def test_who_does_not_answer_in_time_is_tried_again(sqlite_books: Books) -> None:
    async def test() -> None:
        post, event = Post(sqlite_books), asyncio.Event()
        async with Receiver(never(event)).running() as receiver, couriers(sqlite_books, timeout_in_s=0.2) as (courier,):
            name = post.send(receiver.url())
            found = await post.tried(name)
            assert (found.status, found.attempts[0].status_code) == ("pending", None)
            assert found.attempts[0].error == "The receiver did not answer within 0.2 seconds."
            event.set()
            post.hurry(courier)
            assert (await post.ended(name)).status == "delivered"

    run(test)


@pytest.mark.parametrize("status", [429, 503, 404])
def test_who_asks_for_time_is_given_it(sqlite_books: Books, status: int) -> None:
    async def test() -> None:
        post = Post(sqlite_books)
        later = web.Response(status=status, headers={"Retry-After": "3600"})
        async with Receiver(one_after_the_other(later)).running() as receiver, couriers(sqlite_books):
            found = await post.tried(post.send(receiver.url()))
        assert (found.due_at_in_ms or 0) - found.attempts[0].at_in_ms >= 3_600_000

    run(test)


def test_a_stalling_receiver_holds_up_nobody_else(sqlite_books: Books) -> None:
    async def test() -> None:
        slow, quick, event = Post(sqlite_books), Post(sqlite_books), asyncio.Event()
        stalling = Receiver(never(event))
        async with stalling.running(), Receiver().running() as receiver:
            # All of them are due before any other.
            stalled = [slow.send(stalling.url()) for _ in range(300)]
            async with couriers(sqlite_books, max_concurrent=8, max_concurrent_per_organization=6) as (courier,):
                await until(lambda: len(stalling.messages) == 3)
                found = quick.send(receiver.url())
                courier.nudge()
                assert (await quick.ended(found)).status == "delivered"
                # Another receiver of the same organization is not held up either.
                other = slow.send(receiver.url())
                courier.nudge()
                assert (await slow.ended(other)).status == "delivered"
                assert not event.is_set()
                assert stalling.most_at_once == 3
                event.set()
                await until(lambda: len(stalling.messages) == 300)
        assert sorted(stalling.ids) == sorted(stalled)
        assert stalling.most_at_once <= 3

    run(test)


def test_what_waits_for_memory_is_sent_when_there_is_some(sqlite_books: Books) -> None:
    async def test() -> None:
        post = Post(sqlite_books)
        async with Receiver().running() as receiver, couriers(sqlite_books, memory_in_bytes=1_000_000) as (courier,):
            names = [post.send(receiver.url(), size_in_bytes=700_000) for _ in range(5)]
            courier.nudge()
            await until(lambda: len(receiver.messages) == 5)
            assert [(await post.ended(name)).status for name in names] == ["delivered"] * 5
        assert receiver.most_at_once == 1

    run(test)


@pytest.mark.parametrize(
    ("url", "sources", "words"),
    [
        ("http://169.254.169.254/latest", OPEN, "not public"),
        ("http://metadata.example/", OPEN, "leads to an address that is not public"),
        ("https://127.0.0.1/", SourcesSettings(), "it is loopback"),
        ("https://10.0.0.8/", SourcesSettings(), "a private network"),
        ("https://inside.example/", SourcesSettings(), "leads to an address that is not public"),
        ("https://receiver.internal/", SourcesSettings(), "no public name"),
        ("https://example.com:8443/", SourcesSettings(), "Port 8443"),
        ("http://example.com/", SourcesSettings(), "https"),
    ],
)
def test_the_guard_of_sources_stands_before_receivers_too(
    sqlite_books: Books, url: str, sources: SourcesSettings, words: str
) -> None:
    async def test() -> None:
        post = Post(sqlite_books)
        names = Names({"metadata.example": [["169.254.169.254"]], "inside.example": [["93.184.215.14", "10.0.0.8"]]})
        async with couriers(sqlite_books, sources=sources, names=names):
            found = await post.tried(post.send(url))
        assert (found.status, found.attempts[0].status_code) == ("pending", None)
        assert words in (found.attempts[0].error or "")

    run(test)


@pytest.mark.parametrize(
    ("said", "words"), [(b"", "closed the connection"), (b"SSH-2.0-x\r\n", "no proper HTTP answer")]
)
def test_no_answer_is_a_failure(sqlite_books: Books, said: bytes, words: str) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(BODY)
        writer.write(said)
        writer.close()

    async def test() -> None:
        post = Post(sqlite_books)
        server = await asyncio.start_server(talk, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        async with server, couriers(sqlite_books) as (courier,):
            name = post.send(f"http://127.0.0.1:{port}/")
            assert words in ((await post.tried(name)).attempts[0].error or "")
            server.close()
            await server.wait_closed()
            post.hurry(courier)
            assert "did not accept a connection" in ((await post.tried(name, 2)).attempts[1].error or "")

    run(test)


def test_while_a_secret_is_rotated_messages_are_signed_twice(books: Books) -> None:
    async def test() -> None:
        post = Post(books)
        (old,) = post.secrets()
        with books.database.writing() as connection:
            secrets.rotate(connection, post.organization_id, now_in_ms())
        new, _ = post.secrets()
        async with Receiver().running() as receiver, couriers(books):
            await post.ended(post.send(receiver.url()))
        (message,) = receiver.messages
        assert len(message.headers["webhook-signature"].split(" ")) == 2
        for known in (old, new):
            assert refusal_of(message.headers, message.body, [known], time.time()) is None

    run(test)


def test_couriers_on_one_database_send_each_message_once(books: Books) -> None:
    async def test() -> None:
        post = Post(books)
        async with Receiver().running() as receiver:
            names = [post.send(receiver.url()) for _ in range(60)]
            async with couriers(books, count=3):
                await until(lambda: len(receiver.messages) >= 60)
                for name in names:
                    assert len((await post.ended(name)).attempts) == 1
        assert sorted(receiver.ids) == sorted(names)

    run(test)


def test_what_a_dead_courier_held_is_sent_by_another(books: Books) -> None:
    async def test() -> None:
        post = Post(books)
        async with Receiver().running() as receiver:
            dead, alive = post.send(receiver.url()), post.send(receiver.url())
            with books.database.writing() as connection:
                (claimed,) = deliveries.claim(connection, [dead], now_in_ms(), 3_600_000)
                assert deliveries.claim(connection, [alive], now_in_ms(), 3_600_000)
                lapse = "UPDATE deliveries SET lease_expires_at_in_ms = :now WHERE id = :id"
                connection.execute(text(lapse), {"now": now_in_ms(), "id": dead})
            async with couriers(books):
                found = await post.ended(dead)
            assert found.attempts[0].number == claimed.attempts + 1
            assert receiver.ids == [dead]

    run(test)


def test_a_lease_lasts_longer_than_an_attempt_and_less_than_a_minute() -> None:
    longest = WebhookSettings(timeout_in_s=30).timeout_in_s + courier_module._LEASE_BEYOND_TIMEOUT_IN_S
    assert longest + courier_module._POLL_IN_S < 60
    assert courier_module._BODY_TIMEOUT_IN_S + courier_module._POLL_IN_S < courier_module._LEASE_BEYOND_TIMEOUT_IN_S


def test_a_body_that_is_gone_fails_its_delivery_with_a_reason(sqlite_books: Books) -> None:
    async def test() -> None:
        post = Post(sqlite_books)
        async with Receiver().running() as receiver, couriers(sqlite_books, always(None)):
            found = await post.ended(post.send(receiver.url()))
        assert (found.status, receiver.messages) == ("failed", [])
        assert "no longer kept" in (found.attempts[0].error or "")

    run(test)


def test_a_failure_of_our_own_is_none_of_the_receivers_tries(sqlite_books: Books) -> None:
    failures: list[Exception] = [Busy("The store is away."), ValueError("a mistake")]

    async def body_of(_job_id: str, *, link: bool = False) -> bytes | None:  # noqa: ARG001
        if failures:
            raise failures.pop()
        return BODY

    async def test() -> None:
        post = Post(sqlite_books)
        with capture_logs() as lines:
            async with Receiver().running() as receiver, couriers(sqlite_books, body_of) as (courier,):
                name = post.send(receiver.url())
                while post.look(name).status == "pending":
                    post.hurry(courier)
                    await asyncio.sleep(0.05)
                found = post.look(name)
        assert [each.number for each in found.attempts] == [1]
        assert [line["log_level"] for line in lines].count("warning") == 2

    run(test)


def test_a_link_is_asked_for_where_it_is_wanted(sqlite_books: Books) -> None:
    asked: list[tuple[str, bool]] = []

    async def body_of(job_id: str, *, link: bool = False) -> bytes | None:
        asked.append((job_id, link))
        return BODY

    async def test() -> None:
        post = Post(sqlite_books)
        async with Receiver().running() as receiver, couriers(sqlite_books, body_of):
            for delivery in ("bytes", "link"):
                await post.ended(post.send(receiver.url(), f"job of {delivery}", delivery))
        assert asked == [("job of bytes", False), ("job of link", True)]

    run(test)


@pytest.mark.parametrize("name", ["due", "claim", "record"])
def test_a_database_that_is_away_for_a_moment_ends_nothing(
    sqlite_books: Books, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    failures: list[Exception] = [Busy("The accounts are away."), ValueError("a mistake")]
    real = getattr(deliveries, name)

    def failing(*arguments: Any) -> Any:
        if failures:
            raise failures.pop()
        return real(*arguments)

    monkeypatch.setattr(deliveries, name, failing)
    monkeypatch.setattr(courier_module, "_POLL_IN_S", 0.05)

    async def test() -> None:
        post = Post(sqlite_books)
        async with Receiver().running() as receiver, couriers(sqlite_books):
            sent = post.send(receiver.url())
            found = await post.ended(sent)
        assert (found.status, len(found.attempts), receiver.ids) == ("delivered", 1, [sent])

    with capture_logs() as lines:
        run(test)
    assert [line["log_level"] for line in lines].count("warning") == 2


def test_what_is_on_its_way_at_the_end_is_given_back(books: Books, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(courier_module, "_GRACE_IN_S", 0.05)

    async def test() -> None:
        post, event = Post(books), asyncio.Event()
        async with Receiver(never(event)).running() as receiver:
            name = post.send(receiver.url())
            async with couriers(books):
                await until(lambda: receiver.messages)
            found = post.look(name)
            assert (found.status, found.attempts) == ("pending", ())
            event.set()
            async with couriers(books):
                found = await post.ended(name)
            assert (found.status, len(found.attempts), receiver.ids) == ("delivered", 1, [name, name])

    run(test)


def test_what_is_answered_at_the_end_is_waited_for(sqlite_books: Books) -> None:
    async def test() -> None:
        post, event = Post(sqlite_books), asyncio.Event()
        async with Receiver(never(event)).running() as receiver:
            name = post.send(receiver.url())
            async with couriers(sqlite_books):
                await until(lambda: receiver.messages)
                event.set()
            assert (post.look(name).status, receiver.ids) == ("delivered", [name])

    run(test)


def test_the_log_tells_what_happened_and_no_secret(sqlite_books: Books) -> None:
    async def test() -> None:
        post = Post(sqlite_books)
        failing = Receiver(one_after_the_other(web.Response(status=500)))
        async with failing.running() as receiver, couriers(sqlite_books):
            name = post.send(receiver.url("/hook?token=s3cret"), "job7")
            await post.tried(name)
        (line,) = [line for line in lines if line["event"] == "webhook sent"]
        assert (line["delivery_id"], line["job_id"], line["organization_id"]) == (name, "job7", post.organization_id)
        assert (line["attempt"], line["answer"], line["outcome"]) == (1, 500, "pending")
        assert "s3cret" not in str(lines)
        assert post.secrets()[0] not in str(lines)

    with capture_logs() as lines:
        run(test)
