"""A real PostgreSQL for the tests that want one: made in a temporary folder, reached by a socket in it, gone after."""

import contextlib
import itertools
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

_ABSENT = "there is no PostgreSQL here: put its programs postgres, initdb and pg_ctl (package postgresql) on the PATH"
# PostgreSQL refuses to run as root.
_OTHER_USERS = ("postgres", "nobody")


class Postgres:
    """One server with its own data folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._data = folder / "data"
        self._numbers = itertools.count()
        self._user = _user()
        shutil.chown(folder, self._user or os.getuid())
        self._do("initdb", "--no-sync", "--auth=trust", "--username=postgres", "--encoding=UTF8")

    def start(self) -> None:
        """Start the server, and wait until it answers."""
        options = f"-c listen_addresses='' -c unix_socket_directories='{self._folder}' -c max_connections=200"
        self._do("pg_ctl", "start", "--wait", "--silent", f"--log={self._folder / 'log'}", f"--options={options}")

    def stop(self) -> None:
        """Stop the server, as an operator who has no time to wait for its clients."""
        self._do("pg_ctl", "stop", "--wait", "--silent", "--mode=immediate")

    def new_database(self) -> str:
        """Give the URL of a fresh, empty database."""
        name = f"test{next(self._numbers)}"
        with psycopg.connect(f"host={self._folder} user=postgres dbname=postgres", autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}".encode())
        return f"postgresql://postgres@/{name}?host={self._folder}"

    def _do(self, program: str, *arguments: str) -> None:
        command = [_program(program), f"--pgdata={self._data}", *arguments]
        if self._user is not None:
            command = ["runuser", "-u", self._user, "--", *command]
        # The server inherits what it is given here, and would keep a pipe open.
        log = self._folder / f"{program}.log"
        with log.open("ab") as output:
            done = subprocess.run(command, stdout=output, stderr=output, cwd=self._folder, timeout=60, check=False)
        assert done.returncode == 0, log.read_text("utf-8")


def _program(name: str) -> str:
    # Debian keeps them beside the PATH, by version.
    places = [shutil.which(name), *sorted(map(str, Path("/usr/lib/postgresql").glob(f"*/bin/{name}")), reverse=True)]
    found = next(filter(None, places), None)
    if found is None:
        pytest.skip(_ABSENT)
    return found


def _user() -> str | None:
    if os.getuid() != 0:
        return None
    for name in _OTHER_USERS:
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name).pw_name
    pytest.skip("PostgreSQL refuses to run as root, and there is no user postgres or nobody here")


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """Give a running server, or skip."""
    _program("postgres")
    # The path of a socket may have only about 100 characters.
    with tempfile.TemporaryDirectory(prefix="pg", ignore_cleanup_errors=True) as name:
        server = Postgres(Path(name))
        server.start()
        try:
            yield server
        finally:
            server.stop()


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Give the URL of an empty database: the test runs once with SQLite and once with PostgreSQL."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'imageplane.db'}"
    server: Postgres = request.getfixturevalue("postgres")
    return server.new_database()
