"""Migrations give exactly the declared tables, once, however many processes start, and refuse what they don't know."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from imageplane.database import Database, migrate
from imageplane.database.schema import metadata
from imageplane.errors import SettingsError

SHAPE = {
    "sqlite": "SELECT type || ' ' || name, sql FROM sqlite_master WHERE tbl_name <> 'alembic_version'",
    "postgresql": """
        SELECT table_name || '.' || column_name || ' ' || ordinal_position,
               concat_ws(' ', data_type, character_maximum_length, is_nullable, column_default, is_identity)
        FROM information_schema.columns WHERE table_schema = 'public' AND table_name <> 'alembic_version'
        UNION SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint
        WHERE connamespace = 'public'::regnamespace AND conrelid <> coalesce(to_regclass('alembic_version'), 0)
        UNION SELECT indexname, indexdef FROM pg_indexes
        WHERE schemaname = 'public' AND tablename <> 'alembic_version'
        UNION SELECT tgname, pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal
        UNION SELECT proname, pg_get_functiondef(oid) FROM pg_proc WHERE pronamespace = 'public'::regnamespace
    """,
}


def shape(connection: Connection) -> dict[str, str]:
    rows = connection.execute(text(SHAPE[connection.dialect.name]))
    return {name: re.sub(r"\s+", " ", definition or "") for name, definition in rows}


def in_any_order(definition: str) -> list[str]:
    # Which constraint of a table comes first means nothing.
    return sorted(re.split(r", (?=CONSTRAINT)", definition.rstrip(")").strip()))


def test_migrations_give_the_declared_tables(database_url: str, tmp_path: Path) -> None:
    database = Database.at(database_url, tmp_path)
    with database.writing() as connection:
        metadata.create_all(connection)
        declared = shape(connection)
        metadata.drop_all(connection)
        if not database.is_sqlite:
            connection.execute(text("DROP FUNCTION ledger_is_only_appended_to"))
    migrate(database)
    with database.reading() as connection:
        migrated = shape(connection)
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, metadata) == []
    database.close()
    assert migrated.keys() == declared.keys()
    for name, definition in declared.items():
        assert in_any_order(migrated[name]) == in_any_order(definition)


def test_a_second_start_changes_nothing(database_url: str, tmp_path: Path) -> None:
    database = Database.at(database_url, tmp_path)
    migrate(database)
    with database.reading() as connection:
        before = shape(connection)
    migrate(database)
    with database.reading() as connection:
        assert shape(connection) == before
    database.close()


def test_processes_that_start_at_once_migrate_once(database_url: str, tmp_path: Path) -> None:
    code = (
        "import sys, pathlib\nfrom imageplane.database import Database, migrate\nsys.stdin.read(1)\n"
        "database = Database.at(sys.argv[1], pathlib.Path(sys.argv[2]))\nmigrate(database)\n"
        "database.check()\ndatabase.close()"
    )
    command = [sys.executable, "-W", "error", "-c", code, database_url, str(tmp_path)]
    starts = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        for _ in range(4)
    ]
    for start in starts:
        assert start.stdin is not None
        start.stdin.write("\n")
        start.stdin.flush()
    outputs = [start.communicate(timeout=60)[0] for start in starts]
    assert [start.returncode for start in starts] == [0] * 4, outputs
    database = Database.at(database_url, tmp_path)
    assert [row[0] for row in database.rows("SELECT version_num FROM alembic_version")] == ["0004"]
    database.close()


def test_a_database_of_a_newer_version_is_refused(database_url: str, tmp_path: Path) -> None:
    database = Database.at(database_url, tmp_path)
    migrate(database)
    with database.writing() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(SettingsError, match="newer version"):
        migrate(database)
    database.close()


@pytest.mark.parametrize("statement", ["UPDATE ledger_entries SET kind = 'grant'", "DELETE FROM ledger_entries"])
def test_the_ledger_is_only_appended_to(database_url: str, tmp_path: Path, statement: str) -> None:
    database = Database.at(database_url, tmp_path)
    migrate(database)
    with database.writing() as connection:
        connection.execute(text("INSERT INTO organizations VALUES ('o', 'one', 5, 0)"))
        connection.execute(
            text(
                "INSERT INTO ledger_entries (organization_id, kind, amount_in_millicredits, created_at_in_ms) "
                "VALUES ('o', 'grant', 5, 0)"
            )
        )
    with pytest.raises(DBAPIError, match="only appended to"), database.writing() as connection:
        connection.execute(text(statement))
    database.close()
