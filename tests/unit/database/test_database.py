"""Which addresses name a database, how SQLite is opened, and what a database that is gone looks like."""

from pathlib import Path

import pytest
from sqlalchemy import TextClause, text
from sqlalchemy.exc import IntegrityError

from imageplane.database import Database, migrate
from imageplane.errors import Busy, SettingsError


@pytest.mark.parametrize(
    "url",
    ["", "accounts.db", "mysql://u:hunter2@h/d", "sqlite://", "sqlite:///:memory:", "postgresql://u:hunter2@h:x/"],
)
def test_a_wrong_address_is_refused_without_its_password(tmp_path: Path, url: str) -> None:
    with pytest.raises(SettingsError) as caught:
        Database.at(url, tmp_path)
    assert caught.value.faults[0].path == "IMAGEPLANE_DATABASE__URL"
    assert "hunter2" not in repr(caught.value.args)


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_postgresql_is_reached_by_psycopg(tmp_path: Path, scheme: str) -> None:
    database = Database.at(f"{scheme}://user@127.0.0.1:1/name?connect_timeout=2", tmp_path)
    assert database.engine.url.drivername == "postgresql+psycopg"
    assert database.engine.url.query["connect_timeout"] == "2"
    with pytest.raises(Busy) as caught:
        database.check()
    assert "127.0.0.1" not in caught.value.message
    assert "refused" in (caught.value.detail or "")
    database.close()


def test_the_default_is_a_file_that_is_made(tmp_path: Path) -> None:
    database = Database.at(None, tmp_path / "new" / "folder")
    migrate(database)
    database.close()
    assert (tmp_path / "new" / "folder" / "imageplane.db").is_file()


def test_a_folder_that_cannot_be_made_is_named_by_its_setting(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SettingsError, match="IMAGEPLANE_DATA_DIR"):
        Database.at(None, tmp_path / "file" / "folder")


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / "imageplane.db").write_text("a letter to a friend, of no use as a database\n" * 100)
    database = Database.at(None, tmp_path)
    with pytest.raises(SettingsError, match="not a database"):
        migrate(database)
    database.close()


def test_sqlite_survives_power_cuts_and_keeps_references(tmp_path: Path) -> None:
    database = Database.at(None, tmp_path)
    assert database.rows("PRAGMA journal_mode") == [("wal",)]
    assert database.rows("PRAGMA synchronous") == [(2,)]
    assert database.rows("PRAGMA foreign_keys") == [(1,)]
    database.close()


def write(database: Database, *statements: TextClause) -> None:
    with database.writing() as connection:
        for statement in statements:
            connection.execute(statement)


def test_an_error_undoes_everything(database_url: str, tmp_path: Path) -> None:
    database = Database.at(database_url, tmp_path)
    migrate(database)
    statement = text("INSERT INTO organizations VALUES ('o', 'one', 5, 0)")
    with pytest.raises(IntegrityError):
        write(database, statement, statement)
    assert database.rows("SELECT * FROM organizations") == []
    database.close()


def test_a_reader_sees_one_moment_and_holds_up_nobody(database_url: str, tmp_path: Path) -> None:
    database = Database.at(database_url, tmp_path)
    migrate(database)
    count = text("SELECT COUNT(*) FROM organizations")
    with database.reading() as reader:
        assert reader.execute(count).scalar_one() == 0
        with database.writing() as writer:
            writer.execute(text("INSERT INTO organizations VALUES ('o', 'one', 5, 0)"))
        assert reader.execute(count).scalar_one() == 0
    assert database.rows("SELECT COUNT(*) FROM organizations") == [(1,)]
    database.close()


def test_a_lock_that_somebody_keeps_is_busy(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("imageplane.database.connection._LOCK_PATIENCE_IN_MS", 50)
    database, other = (Database.at(database_url, tmp_path) for _ in range(2))
    migrate(database)
    lock = text("UPDATE organizations SET name = 'two'")
    with database.writing() as connection:
        connection.execute(text("INSERT INTO organizations VALUES ('o', 'one', 5, 0)"))
    with other.writing() as connection:
        connection.execute(lock)
        with pytest.raises(Busy) as caught:
            write(database, lock)
        assert "lock" in (caught.value.detail or "")
    write(database, lock)
    other.close()
    database.close()
