"""How the pool and an engine talk: framed pickles over one socket, with a time limit on every read and write.

The pool trusts what it sends, so orders are plain pickles. An engine may have been taken over by the bytes that it
decodes: its answers are read by an unpickler that knows plain values, the errors of Imageplane and the data classes
that the order names. It looks them up in a table and imports nothing.
"""

import dataclasses
import io
import pickle
import select
import socket
import struct
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from imageplane import errors
from imageplane.engine.terms import Terms

_LENGTH = struct.Struct("!Q")


class Disconnected(Exception):
    """The other end is gone."""


class Unreadable(Exception):
    """What the other end sent is too long, damaged or no plain data."""


@dataclass(frozen=True, slots=True)
class Order:
    """One piece of work for an engine: `function(data, *arguments, Deadline(expires_at))`.

    Takes: `size_in_bytes` of the source, which is in the shared slot, or a file whose descriptor follows the order;
    `answers`, the data classes that the answer may be made of, beside plain values and errors.
    """

    function: Callable[..., Any]
    arguments: tuple[Any, ...]
    expires_at: float
    size_in_bytes: int = 0
    is_file: bool = False
    answers: tuple[type, ...] = ()


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
        """Wait for one message. Errors: TimeoutError, Disconnected, Unreadable for a message that is too long."""
        (size,) = _LENGTH.unpack(self._read(_LENGTH.size, expires_at))
        if size > max_size_in_bytes:
            raise Unreadable(f"a message of {size} bytes")
        return self._read(size, expires_at)

    def send_descriptor(self, descriptor: int, expires_at: float | None = None) -> None:
        """Hand an open file to the other process. Errors: TimeoutError, Disconnected."""
        self._limit(expires_at)
        try:
            socket.send_fds(self._end, [b"\0"], [descriptor])
        except TimeoutError:
            raise
        except OSError as error:
            raise Disconnected from error

    def receive_descriptor(self) -> int:
        """Take an open file, which is to be closed. Errors: Disconnected."""
        try:
            _, descriptors, _, _ = socket.recv_fds(self._end, 1, 1)
        except OSError as error:
            raise Disconnected from error
        if not descriptors:
            raise Disconnected
        return descriptors[0]

    def has_news(self, within_s: float) -> bool:
        """Wait until the other end has sent something or is gone; tell whether that was within so many seconds."""
        watch = select.poll()
        watch.register(self._end, select.POLLIN)
        return bool(watch.poll(within_s * 1000))

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


def packed_order(order: Order | Terms) -> bytes:
    """Give an order, or the terms, as bytes."""
    return pickle.dumps(order, protocol=5)


def read_order(message: bytes | bytearray) -> Order:
    """Read what the pool sent."""
    order: Order = pickle.loads(message)  # noqa: S301
    return order


def read_terms(message: bytes | bytearray) -> Terms:
    """Read what the pool sent first."""
    terms: Terms = pickle.loads(message)  # noqa: S301
    return terms


def packed_answer(answer: Answer) -> bytes:
    """Give an answer as bytes."""
    message = io.BytesIO()
    _Calls(message, protocol=5).dump(answer)
    return message.getvalue()


def read_answer(message: bytes | bytearray, answers: tuple[type, ...] = ()) -> Answer:
    """Read what an engine sent.

    Takes: `answers`, the data classes that it may be made of.
    Errors: Unreadable for anything else.
    """
    try:
        answer = _PlainData(message, answers).load()
    # Bytes that want to do harm can raise anything, and none of it is about this process.
    except Exception as error:
        raise Unreadable(f"the answer of an engine is damaged: {error!r}") from error
    if not isinstance(answer, Answer) or not isinstance(answer.error, errors.ImageplaneError | None):
        raise Unreadable("the answer of an engine is of another kind")
    return answer


class _Calls(pickle.Pickler):
    """Writes data classes and named tuples as calls of their classes, so that a reader need not set any state."""

    def reducer_override(self, value: object) -> Any:
        if dataclasses.is_dataclass(value) and not isinstance(value, type):
            return type(value), tuple(getattr(value, field.name) for field in dataclasses.fields(value))
        if isinstance(value, tuple) and hasattr(value, "_fields"):
            return type(value), tuple(value)
        return NotImplemented


def _table(makers: tuple[Callable[..., Any], ...]) -> dict[tuple[str, str], Callable[..., Any]]:
    return {(maker.__module__, maker.__qualname__): maker for maker in makers}


_ERRORS = tuple(kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, Exception))
_ALWAYS: Final = _table((Answer, errors.Fault, errors._restore, *_ERRORS))


class _PlainData(pickle.Unpickler):
    def __init__(self, message: bytes | bytearray, answers: tuple[type, ...]) -> None:
        super().__init__(io.BytesIO(message))
        self._makers = _ALWAYS | _table(answers)

    def find_class(self, module: str, name: str) -> Any:
        maker = self._makers.get((module, name))
        if maker is None:
            raise pickle.UnpicklingError(f"an engine may not send {module}.{name}")

        # A pickle can set attributes of whatever it gets hold of: that is never the class, only this function.
        def made(*fields: Any, **named: Any) -> Any:
            return maker(*fields, **named)

        return made
