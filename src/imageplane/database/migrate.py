"""Migrations: the database is brought to the tables of this version when a door opens it."""

import sqlite3
from typing import Final

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from imageplane.database.connection import Database
from imageplane.errors import SettingsError

# Any number will do, as long as nobody else locks the same one.
_LOCK: Final = 7_402_116_583


def migrate(database: Database) -> None:
    """Create or change the tables as this version needs them.

    Safe when several processes start at once: one migrates, the others wait and find nothing to do.
    Errors: busy; invalid_settings, when there can be no database, or it was made by a newer version.
    """
    try:
        with database.writing() as connection:
            if not database.is_sqlite:
                # A large migration takes its time, and whoever starts meanwhile waits for it.
                connection.execute(text("SET LOCAL lock_timeout = 0"))
                connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
            _upgrade(connection)
    except DBAPIError as error:
        if isinstance(error.orig, sqlite3.Error):
            raise SettingsError(f"The database file can't be used: {error.orig}.") from error
        raise


def _upgrade(connection: Connection) -> None:
    from alembic import command  # noqa: PLC0415 - only a start needs it
    from alembic.config import Config  # noqa: PLC0415
    from alembic.runtime.migration import MigrationContext  # noqa: PLC0415
    from alembic.script import ScriptDirectory  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", "imageplane.database:migrations")
    config.attributes["connection"] = connection
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if not known.issuperset(MigrationContext.configure(connection).get_current_heads()):
        raise SettingsError(
            "The database was made by a newer version of Imageplane; install that version, or choose another database."
        )
    command.upgrade(config, "head")
