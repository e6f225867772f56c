"""One engine as the pool sees it: a process with a socket, a slot and last words."""

import contextlib
import os
import select
import socket
import subprocess
import sys
import time
from collections.abc import Callable

from imageplane.engine.deaths import Died, Remains, is_from_outside, name_of, out_of_time, unbelievable
from imageplane.engine.limits import data_memory_of, environment, oom_kills
from imageplane.engine.parcel import Parcel
from imageplane.engine.slot import Slot
from imageplane.engine.terms import Terms
from imageplane.engine.wire import (
    Answer,
    Channel,
    Disconnected,
    Order,
    Unreadable,
    packed_order,
    read_answer,
)
from imageplane.errors import ImageplaneError, InternalError

_START_LIMIT_IN_S = 60.0
_GLANCE_IN_MS = 50
_KEPT_WORDS_IN_BYTES = 4096
# How long a process that hung up may take to die, so that its exit code tells why.
_AGONY_IN_S = 2.0


class Untouched(Exception):
    """The engine died before it looked at any order, so another one may try."""


class Engine:
    """A spawned process that decodes; whatever becomes of it, the answer is a value or one of our errors."""

    def __init__(self, terms: Terms) -> None:
        self._terms = terms
        self._oom_kills = oom_kills()
        self._words = b""
        self._held_in_bytes = 0
        with contextlib.ExitStack() as until_started, contextlib.ExitStack() as theirs:
            self._slot = until_started.enter_context(contextlib.closing(Slot()))
            ours, end = socket.socketpair()
            self._channel = until_started.enter_context(contextlib.closing(Channel(ours)))
            theirs.callback(end.close)
            self._listener, speaker = os.pipe()
            until_started.callback(os.close, self._listener)
            theirs.callback(os.close, speaker)
            self._process = self._start((end.fileno(), self._slot.fileno()), speaker)
            self._resources = until_started.pop_all()

    def _start(self, inherited: tuple[int, int], speaker: int) -> subprocess.Popen[bytes]:
        numbers = (*inherited, os.getpid())
        # A process group of its own keeps the Ctrl-C of a terminal away from it.
        return subprocess.Popen(  # noqa: S603
            [sys.executable, "-P", "-m", "imageplane.engine.worker", *map(str, numbers)],
            env=environment(os.environ),
            pass_fds=inherited,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=speaker,
            process_group=0,
        )

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def is_alive(self) -> bool:
        return self._process.poll() is None

    def await_ready(self, is_pointless: Callable[[], bool]) -> str:
        """Wait until the craft is loaded, and tell what the engine gave up.

        Errors: internal_error, with its last words as detail; `Untouched`, when someone killed it meanwhile.
        """
        expires_at = time.monotonic() + _START_LIMIT_IN_S
        try:
            self._channel.send(packed_order(self._terms), expires_at)
            return str(read_answer(self._receive(expires_at, is_pointless)).value)
        except (Disconnected, TimeoutError, Unreadable) as error:
            was_alive = self.stop()
            detail = f"{error!r}, exit code {self._process.returncode}: {self._last_words()}"
            if not was_alive and is_from_outside(name_of(self._process.returncode)):
                raise Untouched(detail) from error
            raise InternalError("No engine could be started.", detail=detail) from error

    def ask(self, order: Order, parcel: Parcel, killed_at: float, is_pointless: Callable[[], bool]) -> Answer:
        """Have an order done.

        Takes: `killed_at` on the monotonic clock; `is_pointless`, asked many times a second.
        Errors: `Died`, after which the engine is dead: it crashed, hung or lied; `Untouched`, when it was dead before.
        """
        self._held_in_bytes = 0
        try:
            if parcel.data is not None:
                self._slot.write(parcel.data)
            self._hand_over(order, parcel, killed_at, is_pointless)
            answer = read_answer(self._receive(killed_at, is_pointless), order.answers)
            self._slot.trim()
        except TimeoutError as error:
            self.stop()
            raise out_of_time(is_pointless=is_pointless()) from error
        except Unreadable as error:
            # A decoder that was taken over says such things; it gets no second chance.
            self.stop()
            raise unbelievable(str(error)) from error
        except Disconnected as error:
            raise self._death() from error
        except ImageplaneError as error:
            return Answer(error=error)
        return answer

    def stop(self) -> bool:
        """Kill the process, unless it is dead; nothing of its work is lost, because it has none.

        Gives: whether it had to be killed. One that is dying of its own accord is left to it, so that the exit code
        tells why.
        """
        try:
            self._process.wait(_AGONY_IN_S if self._is_hung_up() else 0)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            return True
        return False

    def close(self) -> None:
        """Kill the process and give everything back."""
        self.stop()
        self._resources.close()

    def _hand_over(self, order: Order, parcel: Parcel, killed_at: float, is_pointless: Callable[[], bool]) -> None:
        message = packed_order(order)
        try:
            self._channel.send(message, killed_at)
            if parcel.descriptor is not None:
                self._channel.send_descriptor(parcel.descriptor, killed_at)
            self._receive(killed_at, is_pointless)
        except Disconnected as error:
            self.stop()
            raise Untouched(self._last_words()) from error

    def _receive(self, expires_at: float, is_pointless: Callable[[], bool]) -> bytearray:
        watch = select.poll()
        watch.register(self._channel, select.POLLIN)
        watch.register(self._listener, select.POLLIN)
        while True:
            ready = {descriptor for descriptor, _ in watch.poll(_GLANCE_IN_MS)}
            # Nobody can ask the dead; one that speaks is about to die.
            if self._channel.fileno() not in ready:
                self._held_in_bytes = data_memory_of(self.pid) or self._held_in_bytes
            if self._listener in ready and not self._listen():
                watch.unregister(self._listener)
            if self._channel.fileno() in ready:
                return self._channel.receive(self._terms.memory_in_bytes, expires_at)
            if time.monotonic() >= expires_at or is_pointless():
                raise TimeoutError

    def _listen(self) -> bool:
        heard = os.read(self._listener, _KEPT_WORDS_IN_BYTES)
        self._words = (self._words + heard)[-_KEPT_WORDS_IN_BYTES:]
        return bool(heard)

    def _is_hung_up(self) -> bool:
        watch = select.poll()
        watch.register(self._channel, select.POLLIN)
        return any(event & select.POLLHUP for _, event in watch.poll(0))

    def _last_words(self) -> str:
        watch = select.poll()
        watch.register(self._listener, select.POLLIN)
        while watch.poll(0) and self._listen():
            pass
        return self._words.decode(errors="replace").strip()

    def _death(self) -> Died:
        if self.stop():
            return unbelievable("it hung up and lived on")
        remains = Remains(
            self._process.returncode,
            self._last_words(),
            self._held_in_bytes,
            self._terms.memory_in_bytes,
            is_memory_exhausted=oom_kills() > self._oom_kills,
        )
        return remains.judged()
