"""Clients that do as they are told: after a 429 or 503 they wait, and ask again with the same idempotency key."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import msgspec
import pybase64

from benchmarks.load.asking import Request
from benchmarks.load.client import Connections, Reply

COME_AGAIN: Final = (409, 429, 503)
# A reply to be repeated may still be written when its first asker is gone.
_WAIT_WITHOUT_WORD_IN_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class Attempt:
    """One time of asking.

    Takes: moments on the monotonic clock; `status`, 0 when there was no whole reply; `told_in_s`, how long to wait,
    or None when nothing was said.
    """

    started_at: float
    ended_at: float
    status: int
    told_in_s: float | None = None

    @property
    def took_in_s(self) -> float:
        return self.ended_at - self.started_at


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a request.

    Takes: `picture`, the bytes that came; `trouble`, why there are none, with the status in front.
    """

    request: Request
    attempts: tuple[Attempt, ...]
    picture: bytes | None
    trouble: str | None = None
    is_replayed: bool = False

    @property
    def status(self) -> int:
        return self.attempts[-1].status

    @property
    def is_answered(self) -> bool:
        """Whether a picture came; whether it is right is for others to say."""
        return self.picture is not None

    @property
    def whole_wait_in_s(self) -> float:
        """From the first word of the first attempt to the last of the reply."""
        return self.attempts[-1].ended_at - self.attempts[0].started_at


@dataclass(frozen=True, slots=True)
class Patience:
    """How long clients wait: for one reply, and in all before they give up."""

    for_a_reply_in_s: float = 300.0
    in_all_in_s: float = 3600.0


async def insist(
    connections: Connections, request: Request, patience: Patience, tell: Callable[[Attempt], None] | None = None
) -> Outcome:
    """Ask until there is an answer that is no "come again later"; `tell` hears of every attempt."""
    attempts: list[Attempt] = []
    while True:
        async with connections.turns:
            attempt, reply = await _asked(connections, request, patience)
        attempts.append(attempt)
        if tell:
            tell(attempt)
        gives_up = attempt.ended_at - attempts[0].started_at > patience.in_all_in_s
        if attempt.status not in COME_AGAIN or gives_up:
            return _outcome(request, tuple(attempts), reply)
        await asyncio.sleep(_WAIT_WITHOUT_WORD_IN_S if attempt.told_in_s is None else attempt.told_in_s)


async def _asked(connections: Connections, request: Request, patience: Patience) -> tuple[Attempt, Reply | str]:
    started = time.monotonic()
    try:
        reply = await connections.exchange(request.message(), patience.for_a_reply_in_s)
    except (OSError, TimeoutError) as error:
        return Attempt(started, time.monotonic(), 0), f"no reply: {type(error).__name__}"
    told = reply.headers.get("retry-after", "")
    waits = float(told) if told.isdecimal() else None
    return Attempt(started, time.monotonic(), reply.status, waits), reply


def _outcome(request: Request, attempts: tuple[Attempt, ...], reply: Reply | str) -> Outcome:
    if isinstance(reply, str):
        return Outcome(request, attempts, None, reply)
    if reply.status != 200:
        return Outcome(request, attempts, None, f"{reply.status}: {_sentence(reply)}")
    is_replayed = reply.headers.get("idempotent-replayed") == "true"
    try:
        picture = _picture(request, reply)
    except (KeyError, TypeError, ValueError, msgspec.DecodeError) as error:
        return Outcome(request, attempts, None, f"200 without a picture: {error!r}")
    return Outcome(request, attempts, picture, is_replayed=is_replayed)


def _picture(request: Request, reply: Reply) -> bytes:
    if request.is_raw:
        if reply.headers.get("content-type") != request.wish.mime_type:
            raise ValueError(f"the type is {reply.headers.get('content-type')}")
        return bytes(reply.body)
    data = msgspec.json.decode(reply.body)["data"]
    size = (data["width_in_px"], data["height_in_px"])
    if data["mime_type"] != request.wish.mime_type or size != (request.wish.width_in_px, request.wish.height_in_px):
        raise ValueError(f"it is {data['mime_type']} of {size}")
    return pybase64.b64decode(data["buffer"], validate=True)


def _sentence(reply: Reply) -> str:
    try:
        said = msgspec.json.decode(reply.body)
        return f"{said['code']}: {said['error']}"[:200]
    except (KeyError, TypeError, msgspec.DecodeError):
        return repr(bytes(reply.body[:200]))
