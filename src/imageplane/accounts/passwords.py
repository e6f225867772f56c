"""Passwords: kept as Argon2id hashes, made and compared in threads of their own.

Method: Argon2id (RFC 9106) with the parameters that OWASP's Password Storage Cheat Sheet names first.
"""

import asyncio
import contextlib
import unicodedata
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from argon2 import PasswordHasher, Type
from argon2.exceptions import Argon2Error, InvalidHashError

from imageplane.errors import Busy, RequestError

FEWEST_CHARACTERS: Final = 12
MOST_CHARACTERS: Final = 256
_FEWEST_DIFFERENT: Final = 5
_MEMORY_IN_KIB: Final = 19_456
_PASSES: Final = 2
# One hash takes 20 ms of a core and 19 MiB: a flood of them may hold up neither pictures nor the memory.
_AT_ONCE: Final = 2
_MOST_WAITING: Final = 200


def check_password(password: str, email: str) -> None:
    """Raise when this is no password to protect an account with. Errors: invalid_request."""
    if not FEWEST_CHARACTERS <= len(password) <= MOST_CHARACTERS:
        raise RequestError(f"A password has {FEWEST_CHARACTERS} to {MOST_CHARACTERS} characters.")
    if len(set(password)) < _FEWEST_DIFFERENT or password.casefold() == email.casefold():
        raise RequestError("This password is too easy to guess; take a few words that nobody would put together.")


class Passwords:
    """Makes hashes and compares passwords with them; the event loop never waits for it."""

    def __init__(self, memory_in_kib: int = _MEMORY_IN_KIB, passes: int = _PASSES) -> None:
        self._hasher = PasswordHasher(passes, memory_in_kib, 1, type=Type.ID)
        self._threads = ThreadPoolExecutor(_AT_ONCE, "imageplane-passwords")
        self._waiting = 0
        self._decoy = self._threads.submit(self._hasher.hash, "nobody has this password")

    async def hashed(self, password: str) -> str:
        """Give the hash to keep. Errors: busy."""
        with self._counted():
            return await asyncio.wrap_future(self._threads.submit(self.hash, password))

    async def matches(self, password: str, kept: str | None) -> bool:
        """Tell whether a password is the one of a hash; takes as long where there is no hash. Errors: busy."""
        with self._counted():
            return await asyncio.wrap_future(self._threads.submit(self._matches, password, kept))

    def hash(self, password: str) -> str:
        """Give the hash to keep, and wait for it."""
        return self._hasher.hash(_alike(password))

    def is_outdated(self, kept: str) -> bool:
        """Tell whether a hash was made with other parameters than are used now."""
        return self._hasher.check_needs_rehash(kept)

    def close(self) -> None:
        """Finish what waits, and take nothing more."""
        self._threads.shutdown()

    def _matches(self, password: str, kept: str | None) -> bool:
        against = self._decoy.result() if kept is None else kept
        # What is longer than any password is not worth the memory.
        try:
            is_same = self._hasher.verify(against, _alike(password[: MOST_CHARACTERS + 1]))
        except (Argon2Error, InvalidHashError):
            return False
        return is_same and kept is not None

    @contextlib.contextmanager
    def _counted(self) -> Iterator[None]:
        if self._waiting >= _MOST_WAITING:
            raise Busy("Too many people are signing in; try again in a moment.", retry_after_in_s=5)
        self._waiting += 1
        try:
            yield
        finally:
            self._waiting -= 1


def _alike(password: str) -> str:
    # The same characters come in several ways from different keyboards.
    return unicodedata.normalize("NFKC", password)
