"""How the pool and an engine talk: framed pickles over one socket, with a time limit on every read and write.

The pool trusts what it sends, so orders are plain pickles. An engine may have been taken over by the bytes that it
decodes: its answers are read by an unpickler that knows plain values and the data classes and errors of Imageplane,
and nothing that could act.
"""

import dataclasses
import io
import pickle
import socket
import struct
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from imageplane import errors

_LENGTH = struct.Struct("!Q")


class Disconnected(Exception):
    """The other end is gone."""


@dataclass(frozen=True, slots=True)
class Order:
    """One piece of work for an engine: `function(data, *arguments, Deadline(expires_at))`.

    Takes: `path`, when the source is a file, or `size_in_bytes` of it in the shared slot.
    """

    function: Callable[..., Any]
    arguments: tuple[Any, ...]
    expires_at: float
    path: str | None = None
    size_in_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of an order: a value or an error."""

    value: Any = None
    error: errors.ImageplaneError | None = None


class Channel:
    """One end of the socket between pool and engine."""

    def __init__(self, end: socket.socket) -> None:
        self._end = end

    def fileno(self) -> int:
        return self._end.fileno()

    def send(self, message: bytes, expires_at: float | None = None) -> None:
        """Send one message. Errors: TimeoutError, Disconnected."""
        self._limit(expires_at)
        try:
            self._end.sendall(_LENGTH.pack(len(message)))
            self._end.sendall(message)
        except TimeoutError:
            raise
        except OSError as error:
            raise Disconnected from error

    def receive(self, max_size_in_bytes: int, expires_at: float | None = None) -> bytearray:
        """Wait for one message. Errors: TimeoutError, Disconnected, also for a message that is too long."""
        (size,) = _LENGTH.unpack(self._read(_LENGTH.size, expires_at))
        if size > max_size_in_bytes:
            raise Disconnected(f"a message of {size} bytes")
        return self._read(size, expires_at)

    def close(self) -> None:
        """Close this end; the other one finds out."""
        self._end.close()

    def _read(self, size: int, expires_at: float | None) -> bytearray:
        message = bytearray(size)
        rest = memoryview(message)
        while rest:
            self._limit(expires_at)
            try:
                count = self._end.recv_into(rest)
            except TimeoutError:
                raise
            except OSError as error:
                raise Disconnected from error
            if count == 0:
                raise Disconnected
            rest = rest[count:]
        return message

    def _limit(self, expires_at: float | None) -> None:
        # Zero would mean "never block" rather than "no time left".
        self._end.settimeout(None if expires_at is None else max(1e-3, expires_at - time.monotonic()))


def packed(message: Order | Answer) -> bytes:
    """Give a message as bytes."""
    return pickle.dumps(message, protocol=5)


def read_order(message: bytes | bytearray) -> Order:
    """Read what the pool sent."""
    order: Order = pickle.loads(message)  # noqa: S301
    return order


def read_answer(message: bytes | bytearray) -> Answer:
    """Read what an engine sent. Errors: pickle.UnpicklingError for anything but plain data."""
    try:
        answer = _PlainData(io.BytesIO(message)).load()
    except pickle.UnpicklingError:
        raise
    except Exception as error:
        raise pickle.UnpicklingError("the answer of an engine is damaged") from error
    if not isinstance(answer, Answer):
        raise pickle.UnpicklingError("the answer of an engine is of another kind")
    return answer


class _PlainData(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if module.startswith("imageplane.") and "." not in name:
            found = super().find_class(module, name)
            if found is errors._restore or _is_data(found, module):
                return found
        raise pickle.UnpicklingError(f"an engine may not send {module}.{name}")


def _is_data(found: object, module: str) -> bool:
    if not isinstance(found, type) or found.__module__ != module:
        return False
    return dataclasses.is_dataclass(found) or issubclass(found, (tuple, errors.ImageplaneError))
