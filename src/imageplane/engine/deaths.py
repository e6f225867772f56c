"""Of what an engine died, what the caller is told of it, and whose fault it was."""

import signal
from dataclasses import dataclass
from typing import Final

from imageplane.engine.limits import is_want_of_memory
from imageplane.errors import Busy, DeadlineExceeded, EngineCrashed, ImageplaneError, TooLarge

# Which part of its memory an engine must have held for its death to pass as want of memory.
_NEARLY_ALL: Final = 0.75
_RECOVERY_IN_S: Final = 5.0

CANCELED: Final = "canceled"
DEADLINE: Final = "deadline"
MACHINE_MEMORY: Final = "machine_memory"
MEMORY_LIMIT: Final = "memory_limit"
BAD_ANSWER: Final = "bad_answer"
EXIT: Final = "exit"
# A program brings these upon itself; the filter of system calls sends the last one. Others come from outside.
_CRASHES: Final = frozenset({"sigsegv", "sigbus", "sigabrt", "sigill", "sigfpe", "sigtrap", "sigsys"})


class Died(Exception):
    """An engine died of an order, or was killed for it.

    Takes: `cause`, one of the above or a signal such as `sigsegv`; `error` for the caller.
    """

    def __init__(self, cause: str, error: ImageplaneError) -> None:
        super().__init__(cause)
        self.cause = cause
        self.error = error

    @property
    def is_from_outside(self) -> bool:
        """Whether someone else killed the engine, so that its work may be tried again."""
        return is_from_outside(self.cause)

    @property
    def is_of_the_source(self) -> bool:
        """Whether the source is at fault, whatever was asked."""
        return self.cause in _CRASHES or self.cause in (BAD_ANSWER, EXIT)

    @property
    def is_of_the_work(self) -> bool:
        """Whether what was asked of the source used up memory."""
        return self.cause in (MEMORY_LIMIT, MACHINE_MEMORY)


@dataclass(frozen=True, slots=True)
class Remains:
    """What is left of an engine that ended by itself.

    Takes: `exit_code` as of `subprocess`; `last_words`, the end of what it wrote to standard error; how many bytes of
    data it `held` when last looked at, of how many that it might; whether the kernel killed processes for memory.
    """

    exit_code: int
    last_words: str
    held_in_bytes: int
    memory_in_bytes: int
    is_memory_exhausted: bool

    def judged(self) -> Died:
        """Give the cause of death and what the caller is told, which blames nobody without proof."""
        detail = f"exit code {self.exit_code}, {self.held_in_bytes} bytes of data at last: {self.last_words}"
        cause = self._cause()
        if cause == MEMORY_LIMIT:
            return Died(cause, out_of_memory(detail))
        if cause == MACHINE_MEMORY:
            sentence = "The machine ran out of memory during the work on this image; try again later."
            return Died(cause, Busy(sentence, detail=detail, retry_after_in_s=_RECOVERY_IN_S))
        sentence = "The image could not be processed: the work on it ended in a crash."
        return Died(cause, EngineCrashed(sentence, detail=detail))

    def _cause(self) -> str:
        if self.exit_code == -signal.SIGKILL and self.is_memory_exhausted:
            return MACHINE_MEMORY
        if is_want_of_memory(self.last_words):
            return MEMORY_LIMIT
        if self.exit_code != -signal.SIGKILL and self.held_in_bytes > _NEARLY_ALL * self.memory_in_bytes:
            return MEMORY_LIMIT
        return name_of(self.exit_code)


def out_of_memory(detail: str) -> TooLarge:
    """Give the error for work that needs more memory than an engine may have."""
    return TooLarge("The work on this image needs more memory than is allowed.", detail=detail)


def out_of_time(*, is_pointless: bool) -> Died:
    """Give the death of an engine that was killed because its time was over, or nobody waits any more."""
    cause = CANCELED if is_pointless else DEADLINE
    return Died(cause, DeadlineExceeded("The image could not be finished within the time limit."))


def unbelievable(detail: str) -> Died:
    """Give the death of an engine that was killed because its answer was none: it may have been taken over."""
    return Died(BAD_ANSWER, EngineCrashed("The work on this image gave no usable answer.", detail=detail))


def name_of(exit_code: int) -> str:
    """Give the cause of death that an exit code tells."""
    try:
        return signal.Signals(-exit_code).name.lower()
    except ValueError:
        return EXIT


def is_from_outside(cause: str) -> bool:
    """Tell whether an engine that died of this was killed by someone else."""
    return cause.startswith("sig") and cause not in _CRASHES
