"""What is left in memory of a request that was read: the file, once."""

import asyncio
import base64
import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from starlette.requests import Request
from starlette.types import Message

from imageplane.http import reading
from imageplane.http.reading import Asked
from imageplane.settings import Settings

FILE = b"\x89PNG" * 200_000


def in_json() -> tuple[bytes, str]:
    file = {"base64": base64.b64encode(FILE).decode()}
    return json.dumps({"file": file, "operations": []}).encode(), "application/json"


def in_parts() -> tuple[bytes, str]:
    head = b'--x\r\nContent-Disposition: form-data; name="operations"\r\n\r\n[]\r\n--x\r\n'
    head += b'Content-Disposition: form-data; name="file"; filename="a.png"\r\n\r\n'
    return head + FILE + b"\r\n--x--\r\n", "multipart/form-data; boundary=x"


async def read(body: bytes, content_type: str, settings: Settings) -> Asked:
    messages: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> Message:
        return messages.pop()

    headers = [(b"content-type", content_type.encode()), (b"content-length", str(len(body)).encode())]
    scope = {"type": "http", "method": "POST", "path": "/", "headers": headers}
    return await reading.read(Request(scope, receive), settings, wants_digest=True)


@pytest.mark.parametrize("made", [in_json, in_parts])
def test_the_body_is_let_go_once_the_file_is_taken_out(made: Callable[[], tuple[bytes, str]], tmp_path: Path) -> None:
    body, content_type = made()
    before = sys.getrefcount(body)
    asked = asyncio.run(read(body, content_type, Settings(data_dir=tmp_path)))
    assert getattr(asked.source, "data", None) == FILE
    assert sys.getrefcount(body) == before
    assert asked.raw["operations"] == []
