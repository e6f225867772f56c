"""What the security tests share: an ear at every connection that this process tries to make."""

import sys
from collections.abc import Iterator
from typing import Any

import pytest

_heard: list[Any] = []
_is_listening = False


def _hook(event: str, args: tuple[Any, ...]) -> None:
    if _is_listening and event == "socket.connect":
        _heard.append(args[1])


# An audit hook can't be taken away again.
sys.addaudithook(_hook)


@pytest.fixture
def dialed() -> Iterator[list[Any]]:
    """Give the addresses that any socket of this process has been told to connect to, from here on."""
    global _is_listening  # noqa: PLW0603 - the hook outlives the test
    _heard.clear()
    _is_listening = True
    yield _heard
    _is_listening = False
