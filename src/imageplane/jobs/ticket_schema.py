"""The tables of Procrastinate: made, and brought to the version that is installed here."""

from importlib.metadata import version
from pathlib import Path
from typing import Final

from procrastinate.schema import SchemaManager
from sqlalchemy import Connection

from imageplane.database import Database

# Of processes that start at once, one makes the tables.
_LOCK: Final = 0x1A6E_71C
_MARK: Final = "imageplane: schema of procrastinate "


def prepare(database: Database) -> None:
    """Make the tables of tickets, or change them as later versions need them. Errors: busy."""
    wanted = _numbers(version("procrastinate"))
    with database.writing() as connection:
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK})")
        found = _version_there(connection)
        if found is None:
            _run(connection, SchemaManager.get_schema())
        elif found < wanted:
            for file in sorted(Path(SchemaManager.get_migrations_path()).glob("*.sql")):
                if found < _numbers(file.name.partition("_")[0]) <= wanted:
                    _run(connection, file.read_text(encoding="utf-8"))
        else:
            return
        told = _MARK + ".".join(map(str, wanted))
        connection.exec_driver_sql(f"COMMENT ON TABLE procrastinate_jobs IS '{told}'")


def _version_there(connection: Connection) -> tuple[int, ...] | None:
    words = "SELECT obj_description(to_regclass('procrastinate_jobs')), to_regclass('procrastinate_jobs')::text"
    comment, table = connection.exec_driver_sql(words).one()
    if table is None:
        return None
    # Tables that somebody else made are as new as their maker.
    return _numbers(comment.removeprefix(_MARK)) if (comment or "").startswith(_MARK) else (10**6,)


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split(".")[:3])


def _run(connection: Connection, words: str) -> None:
    driver = connection.connection.driver_connection
    assert driver is not None, "a transaction has a connection"  # noqa: S101
    # Without parameters the driver takes several statements at once.
    driver.execute(words)
