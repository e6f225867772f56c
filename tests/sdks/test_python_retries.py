"""When the Python client tries again, after what pause, and with what; sync and async the same."""

import asyncio
import random
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any, NoReturn

import httpx
import pytest
from imageplane_client import AsyncImageplane, Imageplane, errors
from imageplane_client.attempts import RETRYABLE_CODES, pause_in_s
from imageplane_client.replies import Reply
from scripts import KEY, PICTURE, REQUEST, URL, Broken, Played, Script, good, said, transform

from imageplane.http.schemas import error_classes

NEVER_CONNECTED = [httpx.ConnectError("refused"), httpx.ConnectTimeout("no answer")]
LOST = [httpx.ReadError("reset"), httpx.RemoteProtocolError("closed"), httpx.WriteError("broken pipe")]


def test_what_is_worth_trying_again_is_what_the_server_says() -> None:
    assert {error.code for error in error_classes() if error.retryable} == RETRYABLE_CODES


@pytest.mark.parametrize("error", list(error_classes()), ids=lambda error: error.code)
def test_a_failure_that_may_pass_is_tried_again(played: Played, error: Any) -> None:
    script = Script([said(error.status, error.code), good()])
    if error.retryable:
        assert played(script, transform) == PICTURE
    else:
        with pytest.raises(errors.StatusError):
            played(script, transform)
    assert len(script.requests) == 1 + error.retryable


@pytest.mark.parametrize(("status", "attempts"), [(408, 3), (429, 3), (502, 3), (503, 3), (504, 3), (500, 1), (404, 1)])
def test_a_failure_of_somebody_on_the_way(played: Played, status: int, attempts: int) -> None:
    script = Script([said(status)])
    with pytest.raises(errors.StatusError):
        played(script, transform)
    assert len(script.requests) == attempts


@pytest.mark.parametrize("error", [*NEVER_CONNECTED, *LOST], ids=lambda error: type(error).__name__)
def test_a_network_that_fails_is_tried_again(played: Played, error: Exception) -> None:
    assert played(Script([error, error, good()]), transform) == PICTURE
    script = Script([error])
    with pytest.raises(errors.NetworkError, match=URL) as caught:
        played(script, transform)
    assert len(script.requests) == 3
    assert caught.value.__cause__ is error
    assert (caught.value.status, caught.value.code, caught.value.request_id) == (None, None, None)


@pytest.mark.parametrize("max_retries", [0, 1, 4])
def test_there_is_an_end_to_it(played: Played, max_retries: int) -> None:
    script = Script([said(503, "busy")])
    with pytest.raises(errors.ServerError):
        played(script, transform, max_retries=max_retries)
    assert len(script.requests) == 1 + max_retries


@pytest.mark.parametrize("verb", ["cancel", "replay", "redeliver"])
@pytest.mark.parametrize(
    ("step", "attempts"),
    [
        *((error, 2) for error in NEVER_CONNECTED), *((error, 1) for error in LOST),
        (said(429, "rate_limited"), 2), (said(503, "busy"), 2), (said(504, "deadline_exceeded"), 1), (said(502), 1),
    ],
    ids=str,
)  # fmt: skip
def test_what_must_not_happen_twice_is_sent_again_only_if_it_has_not_happened(
    played: Played, verb: str, step: Any, attempts: int
) -> None:
    script = Script([step, good()])
    if attempts == 2:
        assert played(script, lambda client: getattr(client, verb)("01A")) == PICTURE
    else:
        with pytest.raises(errors.ImageplaneError):
            played(script, lambda client: getattr(client, verb)("01A"))
    assert len(script.requests) == attempts


@pytest.mark.parametrize("name", ["transform", "transform_to_bytes", "submit"])
def test_all_attempts_of_a_call_are_the_same(played: Played, name: str) -> None:
    image = httpx.Response(200, content=b"RIFF", headers={"Content-Type": "image/webp"})
    last = image if name == "transform_to_bytes" else good()
    script = Script([httpx.ReadError("reset"), said(409, "idempotency_in_progress"), last])
    played(script, lambda client: getattr(client, name)(REQUEST))
    first, *others = script.requests
    assert len(first.headers["idempotency-key"]) >= 32
    assert len(others) == 2
    for other in others:
        assert (other.content, other.headers) == (first.content, first.headers)


def test_every_call_has_a_key_of_its_own(played: Played) -> None:
    script = Script([good()])
    for _ in range(2):
        played(script, transform)
    played(script, lambda client: client.transform(REQUEST, idempotency_key="upload-4711"))
    *ours, given = [request.headers["idempotency-key"] for request in script.requests]
    assert len(set(ours)) == 2
    assert given == "upload-4711"


def test_without_retries_there_is_no_key_unless_it_is_given(played: Played) -> None:
    script = Script([good()])
    played(script, transform, max_retries=0)
    assert "idempotency-key" not in script.requests[0].headers
    played(script, lambda client: client.transform(REQUEST, idempotency_key="mine"), max_retries=0)
    assert script.requests[1].headers["idempotency-key"] == "mine"


def test_pauses_grow_and_come_on_top_of_what_is_asked_for(played: Played) -> None:
    # Chance is 0.5 in these tests.
    script = Script([said(503), said(503), said(503, "busy", **{"Retry-After": "7"}), said(503), good()])
    assert played(script, transform, max_retries=9) == PICTURE
    assert script.pauses_in_s == [0.25, 0.5, 8.0, 2.0]


def test_nobody_waits_for_longer_than_there_is_time(played: Played) -> None:
    script = Script([said(429, "rate_limited", **{"Retry-After": "60"})])
    with pytest.raises(errors.RateLimitError) as caught:
        played(script, transform, timeout_in_s=59)
    assert (len(script.requests), script.pauses_in_s) == (1, [])
    assert caught.value.retry_after_in_s == 60


def test_jitter_is_full() -> None:
    chances = random.Random(1)  # noqa: S311 - pauses, not secrets
    for attempt in range(12):
        longest = min(8.0, 0.5 * 2**attempt)
        pauses = [pause_in_s(attempt, None, chances.random()) for _ in range(300)]
        assert 0 <= min(pauses) < 0.1 * longest
        assert 0.9 * longest < max(pauses) < longest


@pytest.mark.parametrize(
    ("written", "wanted"),
    [("7", 7.0), (" 0 ", 0.0), ("", None), ("soon", None), ("-3", None), ("٣", None), ("1.5", None)],
)
def test_a_retry_after_in_seconds(written: str, wanted: float | None) -> None:
    assert Reply(503, {"retry-after": written}, b"").retry_after_in_s(datetime.now(UTC)) == wanted


@pytest.mark.parametrize(("seconds", "wanted"), [(90, 90.0), (-90, 0.0)])
def test_a_retry_after_as_a_date(seconds: int, wanted: float) -> None:
    now = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
    written = format_datetime(now + timedelta(seconds=seconds), usegmt=True)
    assert Reply(503, {"retry-after": written}, b"").retry_after_in_s(now) == wanted


@pytest.mark.parametrize("error", [httpx.ReadTimeout("slow"), httpx.WriteTimeout("slow")])
def test_time_that_is_over_is_a_timeout(played: Played, error: Exception) -> None:
    with pytest.raises(TimeoutError, match=r"within 0\.0001 s") as caught:
        played(Script([error]), transform, timeout_in_s=0.0001)
    assert isinstance(caught.value, errors.TimedOutError)


def test_a_body_that_breaks_off_is_asked_for_again(played: Played) -> None:
    script = Script([Broken(), good()])
    assert played(script, transform) == PICTURE


def test_a_body_that_never_ends_does() -> None:
    def endless() -> Iterator[bytes]:
        while True:
            yield b" "

    with httpx.Client(transport=httpx.MockTransport(lambda _: httpx.Response(200, content=endless()))) as http:
        client = Imageplane(KEY, base_url=URL, http_client=http)
        with pytest.raises(errors.TimedOutError):
            client.transform(REQUEST, timeout_in_s=0.05)


def test_a_reply_that_never_comes_is_not_awaited_for_ever() -> None:
    async def never(_request: httpx.Request) -> NoReturn:
        await asyncio.Event().wait()
        raise AssertionError

    async def ask() -> None:
        async with httpx.AsyncClient(transport=httpx.MockTransport(never)) as http:
            await AsyncImageplane(KEY, base_url=URL, http_client=http).transform(REQUEST, timeout_in_s=0.05)

    with pytest.raises(errors.TimedOutError, match=r"within 0\.05 s"):
        asyncio.run(ask())


def test_a_call_that_is_cancelled_ends_at_once() -> None:
    async def ask() -> list[str]:
        begun, seen = asyncio.Event(), []

        async def endless() -> AsyncIterator[bytes]:
            begun.set()
            try:
                await asyncio.Event().wait()
                yield b""
            finally:
                seen.append("closed")

        async def answer(_request: httpx.Request) -> httpx.Response:
            seen.append("asked")
            return httpx.Response(200, content=endless())

        async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as http:
            task = asyncio.create_task(AsyncImageplane(KEY, base_url=URL, http_client=http).transform(REQUEST))
            await begun.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
        return seen

    assert asyncio.run(ask()) == ["asked", "closed"]


def _job(status: str, **more: Any) -> httpx.Response:
    return good({"success": True, "data": {"id": "01A", "status": status, "request_id": "r", "error": None, **more}})


def test_a_job_is_waited_for(played: Played) -> None:
    script = Script([_job("queued"), said(503, "busy"), _job("running"), _job("succeeded")])
    assert played(script, lambda client: client.wait("01A"))["data"]["status"] == "succeeded"
    assert {str(request.url) for request in script.requests} == {f"{URL}/v1/jobs/01A"}
    # Twice between looks, and in between once for the retry.
    assert script.pauses_in_s == [0.25, 0.25, 0.5]


def test_looks_at_a_job_become_rare(played: Played) -> None:
    script = Script([*(_job("running") for _ in range(9)), _job("succeeded")])
    played(script, lambda client: client.wait("01A"))
    assert script.pauses_in_s == [0.25, 0.5, 1, 2, 4, 5, 5, 5, 5]


def test_a_job_that_fails_tells_why(played: Played) -> None:
    failure = {"message": "No.", "code": "undecodable_image", "details": [{"path": "file", "message": "no"}]}
    script = Script([_job("failed", error=failure)])
    with pytest.raises(errors.JobFailedError, match="No") as caught:
        played(script, lambda client: client.wait("01A"))
    assert (caught.value.code, caught.value.details) == ("undecodable_image", failure["details"])
    assert caught.value.job["id"] == "01A"


def test_a_job_that_was_cancelled_has_not_succeeded(played: Played) -> None:
    with pytest.raises(errors.JobFailedError, match="cancelled") as caught:
        played(Script([_job("cancelled")]), lambda client: client.wait("01A"))
    assert caught.value.code == "cancelled"


def test_no_look_at_a_job_takes_longer_than_a_call(played: Played) -> None:
    script = Script([_job("succeeded")])
    played(script, lambda client: client.wait("01A", timeout_in_s=86_400), timeout_in_s=20)
    assert 0 < script.requests[0].extensions["timeout"]["read"] <= 20


def test_patience_with_a_job_ends(played: Played) -> None:
    with pytest.raises(errors.TimedOutError, match=r"still running after 0\.1 s"):
        played(Script([_job("running")]), lambda client: client.wait("01A", timeout_in_s=0.1))
