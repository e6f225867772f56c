"""The books: everything about accounts, opened together and closed together."""

import asyncio
from dataclasses import dataclass
from types import TracebackType
from typing import Final, Self

from sqlalchemy import Connection

from imageplane.accounts import keys, organizations, sessions
from imageplane.accounts.idempotency import Idempotency
from imageplane.accounts.keyring import KeyRing
from imageplane.accounts.ledger import Ledger, grant
from imageplane.accounts.prices import MILLICREDITS
from imageplane.accounts.recent import Recent
from imageplane.blobs import Blobs
from imageplane.database import Database, Writer, migrate
from imageplane.database.stamps import now_in_ms
from imageplane.errors import RequestError
from imageplane.settings import Settings

FIRST_NAME: Final = "default"


@dataclass(frozen=True, slots=True)
class Books:
    """The accounts of this installation: the database, and the threads that look up keys and write debits."""

    database: Database
    keys: KeyRing
    ledger: Ledger
    idempotency: Idempotency
    recent: Recent
    blobs: Blobs
    trial_credits: int
    _writer: Writer

    @classmethod
    def open(cls, settings: Settings) -> Self:
        """Open the database of these settings, and bring its tables to this version. Errors: invalid_settings, busy."""
        url = settings.database.url
        database = Database.at(None if url is None else url.get_secret_value(), settings.data_dir)
        blobs = Blobs.at(settings.blobs.url, settings.data_dir / "blobs")
        try:
            migrate(database)
        except BaseException:
            database.close()
            raise
        writer = Writer(database)
        return cls(
            database,
            KeyRing(database),
            Ledger(database, writer),
            Idempotency(database, writer, blobs),
            Recent(database, writer),
            blobs,
            settings.trial_credits,
            writer,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def first_start(self) -> str | None:
        """Give a key for a first organization with trial credits, or `None` when there is an organization already.

        Of servers that start at once, one gets the key. Errors: busy.
        """
        try:
            with self.database.writing() as connection:
                if organizations.every(connection):
                    return None
                organization = self.new_organization(connection, FIRST_NAME)
                return keys.create(connection, organization.id, FIRST_NAME)
        except RequestError:
            # Another server made it between the two statements.
            return None

    def new_organization(
        self, connection: Connection, name: str, credit: int | None = None
    ) -> organizations.Organization:
        """Make an organization with trial credits, or as many credits as it is given. Errors: invalid_request."""
        organization = organizations.create(connection, name)
        amount = (self.trial_credits if credit is None else credit) * MILLICREDITS
        if amount:
            grant(connection, organization.id, amount, "trial" if credit is None else "first grant")
        return organizations.of_id(connection, organization.id)

    async def sweep(self) -> int:
        """Give back holds that expired, delete what is too old to be kept, and tell how many holds that were.

        To be called at the start and every minute or so; several servers may do it at once. Errors: busy.
        """
        released = await asyncio.to_thread(self.ledger.release_expired)
        await self.idempotency.sweep()
        await asyncio.to_thread(self._forget)
        return released

    def close(self) -> None:
        """Write what waits, and close everything."""
        self.keys.close()
        self.recent.write()
        self._writer.close()
        self.database.close()

    def _forget(self) -> None:
        self.recent.forget()
        with self.database.writing() as connection:
            sessions.forget_expired(connection, now_in_ms())
