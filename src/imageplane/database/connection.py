"""The connection: where the database is, how transactions begin, and what it means when it does not answer."""

import contextlib
import os
import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

import psycopg
from psycopg import sql
from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from imageplane.errors import Busy, Fault, SettingsError

FILE_NAME: Final = "imageplane.db"
_URL_VARIABLE: Final = "IMAGEPLANE_DATABASE__URL"
_OLDEST_SQLITE: Final = (3, 35, 0)
_LOCK_PATIENCE_IN_MS: Final = 15_000
_SAY_WHEN_GONE: Final = "The accounts can't be reached at the moment; try again in a few seconds."
# A server that is cut off must be noticed before callers give up.
_POSTGRESQL_OPTIONS: Final = {"connect_timeout": "5", "keepalives_idle": "30", "tcp_user_timeout": "15000"}
_FOR_A_MOMENT: Final = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR}


@dataclass(frozen=True, slots=True)
class Database:
    """A pool of connections to one SQLite file or one PostgreSQL database."""

    engine: Engine

    @classmethod
    def at(cls, url: str | None, data_dir: Path) -> Self:
        """Give the database of these settings; nothing is opened before it is used.

        Takes: `url` as a person writes it, or `None` for a SQLite file in `data_dir`, which is made.
        Errors: invalid_settings.
        """
        if url is None:
            _make_folder(data_dir)
            return cls(_sqlite(URL.create("sqlite", database=str(data_dir / FILE_NAME))))
        try:
            address = make_url(url)
        except (ArgumentError, ValueError):
            raise _wrong_url("expected an address such as postgresql://user:password@host/name") from None
        if address.drivername in {"postgres", "postgresql", "postgresql+psycopg"}:
            return cls(_postgresql(address))
        if address.drivername == "sqlite" and address.database and address.database != ":memory:":
            return cls(_sqlite(address))
        raise _wrong_url("expected an address that starts with postgresql://, or sqlite:/// and a file")

    @property
    def is_sqlite(self) -> bool:
        return self.engine.dialect.name == "sqlite"

    @contextlib.contextmanager
    def writing(self, kept: Connection | None = None) -> Iterator[Connection]:
        """Give a transaction that writes; it is committed at the end and rolled back on an error.

        Takes: a connection of `to_write`, for a thread that keeps one.
        Errors: busy.
        """
        with (
            _busy_when_gone(),
            contextlib.nullcontext(kept) if kept is not None else self.to_write() as connection,
            connection.begin(),
        ):
            yield connection

    def to_write(self) -> Connection:
        """Give a connection whose transactions write. Errors: busy."""
        with _busy_when_gone():
            return self.engine.connect().execution_options(is_writing=True)

    @contextlib.contextmanager
    def reading(self) -> Iterator[Connection]:
        """Give a transaction that sees one moment of the database and changes nothing. Errors: busy."""
        options: dict[str, Any] = (
            {} if self.is_sqlite else {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        )
        with _busy_when_gone(), self.engine.execution_options(**options).connect() as connection:
            yield connection

    def rows(self, statement: str, parameters: Mapping[str, object] | None = None) -> list[tuple[Any, ...]]:
        """Give the rows of one query. Errors: busy."""
        with self.reading() as connection:
            return [tuple(row) for row in connection.execute(text(statement), parameters or {})]

    def check(self) -> None:
        """Raise when the database does not answer. Errors: busy."""
        self.rows("SELECT 1")

    def close(self) -> None:
        """Close every connection."""
        self.engine.dispose()


def _sqlite(address: URL) -> Engine:
    if sqlite3.sqlite_version_info < _OLDEST_SQLITE:
        wanted = ".".join(map(str, _OLDEST_SQLITE))
        raise _wrong_url(f"SQLite {sqlite3.sqlite_version} is too old here; use {wanted} or newer, or PostgreSQL")
    # The connection that was used last still has in memory what it read and wrote.
    engine = create_engine(address, connect_args={"timeout": _LOCK_PATIENCE_IN_MS / 1000}, pool_use_lifo=True)

    @event.listens_for(engine, "connect")
    def _prepare(connection: sqlite3.Connection, _record: object) -> None:
        # The driver would begin transactions on its own, and too late to take the lock.
        connection.isolation_level = None
        connection.execute(f"PRAGMA busy_timeout = {_LOCK_PATIENCE_IN_MS}")
        connection.execute("PRAGMA journal_mode = WAL")
        # A power cut may not undo a debit that was answered; a group of debits shares the price of one sync.
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        # Two readers that both go on to write would make one of them fail; a writer takes its lock at once.
        is_writing = connection.get_execution_options().get("is_writing", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if is_writing else "BEGIN")

    return engine


def _postgresql(address: URL) -> Engine:
    options = {name: value for name, value in _POSTGRESQL_OPTIONS.items() if name not in address.query}
    address = address.set(drivername="postgresql+psycopg").update_query_dict(options)
    engine = create_engine(address, pool_pre_ping=True, pool_timeout=10)

    @event.listens_for(engine, "connect")
    def _prepare(connection: psycopg.Connection, _record: object) -> None:
        # A row that somebody locks for long must not hold up every debit without a word.
        connection.autocommit = True
        connection.execute(sql.SQL("SET lock_timeout = {}").format(_LOCK_PATIENCE_IN_MS))
        connection.autocommit = False

    return engine


def _make_folder(path: Path) -> None:
    try:
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
        is_writable = os.access(path, os.W_OK | os.X_OK)
    except OSError:
        is_writable = False
    if not is_writable:
        variable = "IMAGEPLANE_DATA_DIR"
        raise SettingsError.of([Fault(variable, f"{str(path)!r} can't be made or written; choose another folder")])


def _wrong_url(sentence: str) -> SettingsError:
    # The address itself may hold a password.
    return SettingsError.of([Fault(_URL_VARIABLE, sentence)])


@contextlib.contextmanager
def _busy_when_gone() -> Iterator[None]:
    try:
        yield
    except PoolTimeout as error:
        raise Busy(_SAY_WHEN_GONE, detail="every connection of the pool is in use", retry_after_in_s=2) from error
    except (DBAPIError, sqlite3.Error, psycopg.Error) as error:
        if _is_gone(error):
            detail = str(error.orig) if isinstance(error, DBAPIError) else str(error)
            raise Busy(_SAY_WHEN_GONE, detail=detail, retry_after_in_s=2) from error
        raise


def _is_gone(error: Exception) -> bool:
    cause = error.orig if isinstance(error, DBAPIError) else error
    if isinstance(cause, sqlite3.Error):
        # The lower byte is the kind, the rest its particulars.
        return getattr(cause, "sqlite_errorcode", 0) & 0xFF in _FOR_A_MOMENT
    is_invalid = isinstance(error, DBAPIError) and error.connection_invalidated
    return is_invalid or isinstance(cause, psycopg.OperationalError)
