"""Idempotency keys: the same key and body get the same reply, and are charged once.

A key is claimed before the work. What a client gets again is kept for a day: replies of success, and 422, which says
that the image itself can't be done. Any other failure forgets the key, so that a retry may fare better.
"""

import asyncio
import re
from concurrent.futures import Future
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import text

from imageplane.accounts.claims import Begin, Claim, Forget, Keep, Reply, Step, write
from imageplane.accounts.waiting import outcome_of
from imageplane.blobs import Blobs
from imageplane.database import Database, Line, Writer
from imageplane.database.stamps import Clock, new_id, now_in_ms
from imageplane.errors import IdempotencyInProgress, RequestError

KEPT_FOR_IN_S: Final = 24 * 3600
# Up to here a row costs as much as a small one; a larger one holds up the debits of everybody.
LARGEST_ROW_IN_BYTES: Final = 64 * 1024
_FOLDER: Final = "replies"
_HOUR: Final = "%Y-%m-%dT%H"
_KEY: Final = re.compile(r"[\x20-\x7e]{1,255}")


class Idempotency:
    """The idempotency keys of all organizations."""

    def __init__(self, database: Database, writer: Writer, blobs: Blobs, clock: Clock = now_in_ms) -> None:
        self._database = database
        self._blobs = blobs
        self._clock = clock
        # Claims that could not be forgotten when their work was given up, because the database did not answer.
        self._owed: dict[tuple[str, str], Claim] = {}
        self._line: Line[Step, Any] = writer.line(lambda connection, steps: write(connection, steps, self._clock()))

    async def begin(
        self, organization_id: str, key: str, request_digest: bytes, *, runs_for_in_s: float
    ) -> Claim | Reply:
        """Give the claim to do the work, which `finish` or `abandon` must end, or the reply to work that is done.

        Takes: 32 bytes that tell one request from another; a time after which nobody works on it any more, and
        whoever comes next may take over the claim of a process that died.
        Errors: invalid_request, when this can be no key; idempotency_in_progress; idempotency_mismatch; busy.
        """
        if not _KEY.fullmatch(key):
            raise RequestError("An idempotency key has 1 to 255 printable ASCII characters.")
        owed = self._owed.get((organization_id, key))
        if owed is not None:
            await asyncio.wrap_future(self.abandon(owed))
        while True:
            claim = Claim(organization_id, key, new_id())
            begin = Begin(claim, request_digest, self._clock() + round(runs_for_in_s * 1000))
            found = await outcome_of(self._line.submit(begin), undo=self._undo)
            if not isinstance(found, Keep):
                return claim
            if found.blob is None:
                return found.reply
            body = await self._blobs.get(found.blob)
            if body is not None:
                return replace(found.reply, body=body)
            # Its bytes are lost, so that nobody can repeat it: the work is done anew.
            await asyncio.wrap_future(self.abandon(found.claim))

    async def finish(self, claim: Claim, reply: Reply) -> None:
        """Keep a reply for a day, or forget the key when it is a failure that may pass.

        To be called while the charge for the work is still on hold: a server that is killed in between leaves a reply
        that can be repeated, and no charge, rather than a charge without a reply.
        Errors: busy; idempotency_in_progress, when the work took so long that another took it over.
        """
        if not reply.is_kept:
            await asyncio.wrap_future(self.abandon(claim))
            return
        try:
            blob = await self._stored(claim, reply.body)
            keep = Keep(claim, reply, blob, self._clock() + KEPT_FOR_IN_S * 1000)
            is_ours = await asyncio.wrap_future(self._line.submit(keep))
        except BaseException:
            self.abandon(claim)
            raise
        if not is_ours:
            if blob is not None:
                await self._blobs.delete(blob)
            raise IdempotencyInProgress("The request took too long, and another one with its idempotency key runs now.")

    def abandon(self, claim: Claim) -> Future[None]:
        """Start to forget a key whose work failed or was given up; never blocks.

        What fails, as with a full disk, is tried again before anyone is told that the work still runs.
        """
        forgotten = self._line.submit(Forget(claim))
        forgotten.add_done_callback(
            lambda done: self._settle(claim, is_forgotten=done.cancelled() or done.exception() is None)
        )
        return forgotten

    async def sweep(self) -> None:
        """Delete what is older than a day. Errors: busy."""
        for claim in tuple(self._owed.values()):
            await asyncio.wrap_future(self.abandon(claim))
        now = self._clock()
        await asyncio.to_thread(self._delete_expired, now)
        oldest = f"{_FOLDER}/{_hour(now - (KEPT_FOR_IN_S + 3600) * 1000)}"
        for folder in await self._blobs.folders(_FOLDER):
            if folder < oldest:
                await self._blobs.delete_folder(folder)

    def _settle(self, claim: Claim, *, is_forgotten: bool) -> None:
        if is_forgotten:
            self._owed.pop((claim.organization_id, claim.key), None)
        else:
            self._owed[claim.organization_id, claim.key] = claim

    def _undo(self, found: object) -> None:
        if isinstance(found, Claim):
            self.abandon(found)

    async def _stored(self, claim: Claim, body: bytes) -> str | None:
        if len(body) <= LARGEST_ROW_IN_BYTES:
            return None
        # By the hour, so that sweeping looks at a few folders only.
        name = f"{_FOLDER}/{_hour(self._clock())}/{claim.id}"
        await self._blobs.put(name, body)
        return name

    def _delete_expired(self, now_in_ms: int) -> None:
        with self._database.writing() as connection:
            connection.execute(text("DELETE FROM idempotency_keys WHERE expires_at_in_ms <= :now"), {"now": now_in_ms})


def _hour(at_in_ms: int) -> str:
    return datetime.fromtimestamp(at_in_ms / 1000, UTC).strftime(_HOUR)
