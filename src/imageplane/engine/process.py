"""One engine as the pool sees it: a process with a socket, a slot and last words."""

import contextlib
import os
import select
import socket
import subprocess
import sys
import time
from collections.abc import Callable

from imageplane.engine.limits import data_memory_of, environment, is_want_of_memory
from imageplane.engine.slot import Slot
from imageplane.engine.wire import Answer, Channel, Disconnected, Order, Unreadable, packed_order, read_answer
from imageplane.engine.worker import out_of_memory
from imageplane.errors import DeadlineExceeded, EngineCrashed, ImageplaneError, InternalError

_START_LIMIT_IN_S = 60.0
_GLANCE_IN_MS = 50
_KEPT_WORDS_IN_BYTES = 4096
# Which part of its memory an engine must have held for its death to pass as want of memory.
_NEARLY_ALL = 0.75


class Untouched(Exception):
    """The engine died before it looked at the order, so another one may try."""


class Engine:
    """A spawned process that decodes; whatever becomes of it, the answer is a value or one of our errors."""

    def __init__(self, memory_in_bytes: int) -> None:
        self._memory_in_bytes = memory_in_bytes
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
        numbers = (*inherited, self._memory_in_bytes, os.getpid())
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

    def await_ready(self, is_pointless: Callable[[], bool]) -> None:
        """Wait until the craft is loaded. Errors: internal_error, with the last words as detail."""
        try:
            self._receive(time.monotonic() + _START_LIMIT_IN_S, is_pointless)
        except (Disconnected, TimeoutError, Unreadable) as error:
            self.stop()
            detail = f"{error!r}, exit code {self._process.returncode}: {self._last_words()}"
            raise InternalError("No engine could be started.", detail=detail) from error

    def ask(self, order: Order, source: bytes | None, killed_at: float, is_pointless: Callable[[], bool]) -> Answer:
        """Have an order done; an engine that crashes, hangs or lies is dead afterwards.

        Takes: `source`, unless the order names a path; `killed_at` on the monotonic clock; `is_pointless`, asked many
        times a second.
        Errors: `Untouched`.
        """
        self._held_in_bytes = 0
        try:
            if source is not None:
                self._slot.write(source)
            self._hand_over(order, killed_at, is_pointless)
            answer = read_answer(self._receive(killed_at, is_pointless), order.answers)
            self._slot.trim()
        except TimeoutError:
            self.stop()
            return Answer(error=DeadlineExceeded("The image could not be finished within the time limit."))
        except Unreadable as error:
            # A decoder that was taken over says such things; it gets no second chance.
            self.stop()
            return Answer(error=EngineCrashed("The work on this image gave no usable answer.", detail=str(error)))
        except Disconnected:
            self.stop()
            return Answer(error=self._cause_of_death())
        except ImageplaneError as error:
            return Answer(error=error)
        return answer

    def stop(self) -> None:
        """Kill the process, unless it is dead; nothing of its work is lost, because it has none."""
        # A process that is dying of its own accord is left to it, so that the exit code tells why.
        try:
            self._process.wait(0.2 if self._is_hung_up() else 0)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def close(self) -> None:
        """Kill the process and give everything back."""
        self.stop()
        self._resources.close()

    def _hand_over(self, order: Order, killed_at: float, is_pointless: Callable[[], bool]) -> None:
        message = packed_order(order)
        try:
            self._channel.send(message, killed_at)
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
                return self._channel.receive(self._memory_in_bytes, expires_at)
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

    def _cause_of_death(self) -> ImageplaneError:
        words = self._last_words()
        detail = f"exit code {self._process.returncode}, {self._held_in_bytes} bytes of data at last: {words}"
        if is_want_of_memory(words) or self._held_in_bytes > _NEARLY_ALL * self._memory_in_bytes:
            return out_of_memory(detail)
        return EngineCrashed("The image could not be processed: the work on it ended in a crash.", detail=detail)
