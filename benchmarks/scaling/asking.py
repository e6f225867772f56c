"""Many requests at once, each a photo that nobody has sent before, in one of the ways in which files are sent."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import aiohttp
import pybase64

PATH: Final = "/image-transformation/v1/transform"
AVATAR: Final = [
    {"type": "resize", "width_in_px": 200, "height_in_px": 200, "fit": "cover"},
    {"type": "convert", "format": "webp", "quality": 85},
]
_BOUNDARY: Final = "imageplane-benchmark"
_PATIENCE_IN_S: Final = 120.0


@dataclass(frozen=True, slots=True)
class Question:
    """One request, ready to be sent."""

    body: bytes
    headers: Mapping[str, str] = field(repr=False)

    def with_headers(self, headers: Mapping[str, str]) -> "Question":
        """Give the same with more headers."""
        return Question(self.body, {**self.headers, **headers})


@dataclass(frozen=True, slots=True)
class Traffic:
    """How many bytes went there and back in bodies."""

    requests: int
    bytes_in: int
    bytes_out: int


def in_multipart(data: bytes) -> Question:
    """Give a request with the file as it is."""
    head = f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="operations"\r\n\r\n{json.dumps(AVATAR)}\r\n'
    file = f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="a.jpg"\r\n\r\n'
    body = head.encode() + file.encode() + data + f"\r\n--{_BOUNDARY}--\r\n".encode()
    return Question(body, {"Content-Type": f"multipart/form-data; boundary={_BOUNDARY}"})


def in_base64(data: bytes) -> Question:
    """Give a request with the file as base64 in JSON."""
    return _in_json({"base64": pybase64.b64encode_as_string(data)})


def by_url(url: str) -> Question:
    """Give a request with the address of the file."""
    return _in_json({"url": url})


def to_webhook(data: bytes, url: str) -> Question:
    """Give a request with the file as base64, whose reply is sent to an address."""
    return _in_json({"base64": pybase64.b64encode_as_string(data)}, webhook_url=url)


def for_later(question: Question) -> Question:
    """Give the same, to be answered later."""
    return question.with_headers({"Prefer": "respond-async"})


def _in_json(file: Mapping[str, Any], **others: str) -> Question:
    typed = {"type": "url" if "url" in file else "base64", **file}
    body = json.dumps({"file": typed, "operations": AVATAR, **others}).encode()
    return Question(body, {"Content-Type": "application/json"})


def ask(base_url: str, key: str, ask_for: Callable[[int], Question], count: int, at_once: int) -> Traffic:
    """Send so many requests, so many of them at a time, and wait for all replies. Errors: RuntimeError."""
    return asyncio.run(_ask(base_url, key, ask_for, count, at_once))


async def _ask(base_url: str, key: str, ask_for: Callable[[int], Question], count: int, at_once: int) -> Traffic:
    numbers, sizes = iter(range(count)), []
    async with _session(at_once, key) as session:

        async def customer() -> None:
            for number in numbers:
                question = ask_for(number)
                async with session.post(base_url + PATH, data=question.body, headers=question.headers) as reply:
                    said = await reply.read()
                    if reply.status not in {200, 201}:
                        raise RuntimeError(f"status {reply.status}: {said[:300]!r}")
                    sizes.append((len(question.body), len(said)))

        async with asyncio.TaskGroup() as group:
            for _ in range(at_once):
                group.create_task(customer())
    return Traffic(count, sum(size for size, _ in sizes), sum(size for _, size in sizes))


@contextlib.asynccontextmanager
async def _session(at_once: int, key: str) -> AsyncIterator[aiohttp.ClientSession]:
    connector = aiohttp.TCPConnector(limit=at_once)
    timeout = aiohttp.ClientTimeout(total=_PATIENCE_IN_S)
    headers = {"Authorization": f"Bearer {key}"}
    async with aiohttp.ClientSession(connector=connector, timeout=timeout, headers=headers) as session:
        yield session
