"""An engine that was taken over can send values and errors, and nothing that acts."""

import contextlib
import pickle
import socket
import sys
import time
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from imageplane.codecs.header import Header
from imageplane.engine.wire import Answer, Channel, Disconnected, Unreadable, packed_answer, read_answer
from imageplane.errors import Fault, UndecodableImage
from imageplane.pixels.geometry import Size


@dataclass
class Reduced:
    """Pickles as a call of whatever a test wants."""

    call: tuple[Any, ...]

    def __reduce__(self) -> tuple[Any, ...]:
        return self.call


def naming(module: str, name: str) -> bytes:
    """Give the start of a pickle that has just loaded a name."""
    return b"\x80\x04" + b"".join(b"\x8c" + bytes([len(text)]) + text.encode() for text in (module, name)) + b"\x93"


def test_values_and_errors_survive() -> None:
    header = Header("webp", Size(473, 121), 9_001, frames=2, delays_in_ms=(40, 70))
    assert read_answer(packed_answer(Answer([header])), (Header, Size)).value == [header]
    error = read_answer(packed_answer(Answer(error=UndecodableImage("Broken.", detail="why").at("file")))).error
    assert isinstance(error, UndecodableImage)
    assert (error.message, error.detail, error.faults) == ("file: Broken.", "why", (Fault("file", "Broken."),))


@pytest.mark.parametrize(
    "call",
    [
        (print, ("owned",)),
        (eval, ("print('owned')",)),
        (Path, ("/",)),
        (OrderedDict, ()),
    ],
)
def test_calls_are_refused(call: tuple[Any, ...], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(Unreadable):
        read_answer(packed_answer(Answer(Reduced(call))))
    assert "owned" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("imageplane.engine.process", "os.system"),
        ("imageplane.engine.process", "subprocess"),
        ("imageplane.engine.process", "Engine"),
        ("imageplane.engine.pool", "Pool"),
        ("imageplane.engine.pool", "Path"),
        ("imageplane.cli.destination", "write_whole"),
        ("imageplane.no_such_module", "Nothing"),
        ("os", "system"),
    ],
)
def test_names_that_are_no_data_are_refused(module: str, name: str) -> None:
    with pytest.raises(Unreadable, match="may not send"):
        read_answer(naming(module, name) + b".")


def test_no_name_imports_anything() -> None:
    unloaded = "imageplane.cli.__main__"
    with pytest.raises(Unreadable, match="may not send"):
        read_answer(naming(unloaded, "app") + b".")
    assert unloaded not in sys.modules


def test_classes_that_the_order_does_not_name_are_refused() -> None:
    with pytest.raises(Unreadable, match="may not send"):
        read_answer(packed_answer(Answer(Size(473, 121))), (Header,))


@pytest.mark.parametrize("kind", [Size, Header, Fault, Answer, UndecodableImage])
def test_no_answer_changes_a_class(kind: type) -> None:
    before = dict(vars(kind))
    for state in ({"width": 7, "status": 7}, (None, {"width": 7, "status": 7})):
        put = naming(kind.__module__, kind.__name__) + pickle.dumps(state, protocol=2)[2:-1] + b"b0"
        with contextlib.suppress(Unreadable):
            read_answer(b"\x80\x04" + put + packed_answer(Answer())[2:], (Size, Header))
        assert dict(vars(kind)) == before
    assert (Size(3, 4).width, UndecodableImage("").status) == (3, 422)


@pytest.mark.parametrize("error", ["words", 7, Fault("a", "b")])
def test_an_error_that_is_none_is_refused(error: Any) -> None:
    with pytest.raises(Unreadable, match="another kind"):
        read_answer(packed_answer(Answer(error=error)))


@pytest.mark.parametrize("message", [b"", b"\x80", pickle.dumps(7), packed_answer(Answer(7))[:-4]])
def test_damaged_messages_are_refused(message: bytes) -> None:
    with pytest.raises(Unreadable):
        read_answer(message)


def test_a_channel_waits_no_longer_than_it_may() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall((100).to_bytes(8) + b"only a part")
        with pytest.raises(TimeoutError):
            Channel(ours).receive(1000, time.monotonic() + 0.05)


def test_a_channel_takes_no_message_longer_than_allowed() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall((2**60).to_bytes(8))
        with pytest.raises(Unreadable):
            Channel(ours).receive(1000, time.monotonic() + 5)


def test_a_channel_notices_that_the_other_end_is_gone() -> None:
    ours, theirs = socket.socketpair()
    with ours:
        theirs.sendall((100).to_bytes(8) + b"only a part")
        theirs.close()
        with pytest.raises(Disconnected):
            Channel(ours).receive(1000, time.monotonic() + 5)
        with pytest.raises(Disconnected):
            Channel(ours).send(b"x" * 1_000_000, time.monotonic() + 5)
