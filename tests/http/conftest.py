"""Servers of their own kind, for the tests of this folder."""

from collections.abc import Iterator

import pytest
from postgres import Postgres
from server import Server, serving


@pytest.fixture(scope="session")
def server_on_postgresql(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Give a server with a database of its own on the PostgreSQL of the tests."""
    with serving(tmp_path_factory.mktemp("on_postgresql"), DATABASE__URL=postgres.new_database()) as server:
        yield server


@pytest.fixture(scope="session")
def hasty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Give a server that says all it has to say, fetches from this machine too, and has two seconds for a request."""
    opened = {"SOURCES__ALLOW_HTTP": "true", "SOURCES__ALLOW_PRIVATE_NETWORKS": "true"}
    with serving(
        tmp_path_factory.mktemp("hasty"), **opened, HTTP__DEADLINE_IN_S="2", HTTP__LOG_LEVEL="debug"
    ) as server:
        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
def installation(request: pytest.FixtureRequest) -> Server:
    """Give a server on each kind of database."""
    found: Server = request.getfixturevalue("server" if request.param == "sqlite" else "server_on_postgresql")
    return found


# What jobs need here: a receiver and pictures on this machine, and few attempts, so that what fails does so soon.
_FOR_JOBS = {
    "SOURCES__ALLOW_HTTP": "true",
    "SOURCES__ALLOW_PRIVATE_NETWORKS": "true",
    "JOBS__CONCURRENCY": "16",
    "JOBS__MAX_CONCURRENT_PER_ORGANIZATION": "2",
    "JOBS__MAX_ATTEMPTS": "2",
}


@pytest.fixture(scope="session")
def job_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Give a server on SQLite that works on two jobs of an organization at once and tries each twice."""
    with serving(tmp_path_factory.mktemp("jobs"), **_FOR_JOBS) as server:
        yield server


@pytest.fixture(scope="session")
def job_server_on_postgresql(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Give the same on PostgreSQL."""
    settings = {**_FOR_JOBS, "DATABASE__URL": postgres.new_database()}
    with serving(tmp_path_factory.mktemp("jobs_on_postgresql"), **settings) as server:
        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
def workshop(request: pytest.FixtureRequest) -> Server:
    """Give such a server on each kind of database."""
    found: Server = request.getfixturevalue("job_server" if request.param == "sqlite" else "job_server_on_postgresql")
    return found
