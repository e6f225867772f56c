"""The key ring: which account a key speaks for, in a microsecond.

What the database said of a key is believed for a moment, good or bad. All keys that are not known are asked for in
one query at a time, so that a flood of bad keys keeps one thread busy and neither the database nor the memory.
"""

import asyncio
import time
from collections.abc import Sequence
from concurrent.futures import Future
from typing import Final

from sqlalchemy import bindparam, text

from imageplane.accounts.account import Account
from imageplane.accounts.keys import digest_of, is_well_formed
from imageplane.database import Database
from imageplane.database.grouping import Grouping
from imageplane.database.stamps import now_in_ms
from imageplane.errors import InvalidKey

# How long a revoked key may still be believed.
BELIEVED_FOR_IN_S: Final = 2.0
_MOST_KNOWN: Final = 20_000
_MOST_WAITING: Final = 5_000

_LOOKUP: Final = text("""
    SELECT digest, organization_id, organizations.name, api_keys.id, api_keys.name, expires_at_in_ms
    FROM api_keys JOIN organizations ON organizations.id = organization_id
    WHERE digest IN :digests AND revoked_at_in_ms IS NULL
""").bindparams(bindparam("digests", expanding=True))


class KeyRing:
    """Keys to accounts."""

    def __init__(self, database: Database, *, believed_for_in_s: float = BELIEVED_FOR_IN_S) -> None:
        self._database = database
        self._believed_for_in_s = believed_for_in_s
        self._good: dict[bytes, tuple[Account, float]] = {}
        self._bad: dict[bytes, float] = {}
        self._questions: Grouping[bytes, Account] = Grouping(self._ask, "imageplane-keys", most_waiting=_MOST_WAITING)

    def find(self, key_text: str) -> Account | None:
        """Give the account of a key from memory, or `None` when the database has to be asked.

        Errors: invalid_api_key.
        """
        if not is_well_formed(key_text):
            raise InvalidKey
        digest = digest_of(key_text)
        now = time.monotonic()
        known = self._good.get(digest)
        if known is not None and known[1] > now:
            return _unexpired(known[0])
        if self._bad.get(digest, now) > now:
            raise InvalidKey
        return None

    def ask(self, key_text: str) -> Future[Account]:
        """Start to ask the database. Errors, by the future: invalid_api_key, busy."""
        return self._questions.submit(digest_of(key_text))

    async def account(self, key_text: str) -> Account:
        """Give the account of a key; the event loop is never blocked. Errors: invalid_api_key, busy."""
        known = self.find(key_text)
        return known if known is not None else await asyncio.wrap_future(self.ask(key_text))

    def close(self) -> None:
        """Answer what was asked, and take no more questions."""
        self._questions.close()

    def _ask(self, digests: Sequence[bytes]) -> list[Account | Exception]:
        asked = set(digests)
        with self._database.reading() as connection:
            rows = connection.execute(_LOOKUP, {"digests": list(asked)})
            found = {bytes(digest): Account(*columns) for digest, *columns in rows}
        believed_until = time.monotonic() + self._believed_for_in_s
        for digest in asked:
            # Taken out first: what was asked for last is forgotten last.
            self._good.pop(digest, None)
            self._bad.pop(digest, None)
            if digest in found:
                self._good[digest] = found[digest], believed_until
            else:
                self._bad[digest] = believed_until
        for known in (self._good, self._bad):
            while len(known) > _MOST_KNOWN:
                known.pop(next(iter(known)))
        return [_answer(found.get(digest)) for digest in digests]


def _answer(account: Account | None) -> Account | Exception:
    try:
        return _unexpired(account) if account is not None else InvalidKey()
    except InvalidKey as error:
        return error


def _unexpired(account: Account) -> Account:
    if account.expires_at_in_ms is not None and account.expires_at_in_ms <= now_in_ms():
        raise InvalidKey
    return account
