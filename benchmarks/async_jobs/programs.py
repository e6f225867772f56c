"""The programs of one installation: a server and workers, as an operator runs them, each with a folder of its own."""

import contextlib
import http.client
import json
import os
import re
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from pydantic import SecretStr

from benchmarks.async_jobs.orders import OWNERS
from benchmarks.load.server import free_port
from imageplane.accounts import keys
from imageplane.accounts.books import Books
from imageplane.database.stamps import now_in_ms
from imageplane.jobs.secrets import that_sign
from imageplane.settings import DatabaseSettings, Settings

CREDIT: Final = 1_000_000
TIMEOUT_IN_S: Final = 2.0
_PROGRAM: Final = str(Path(sys.executable).with_name("imageplane"))
_START_LIMIT_IN_S: Final = 60.0
_GLANCE_IN_S: Final = 0.1
_PLACE: Final = re.compile(r'"/[^"]*"')


@dataclass
class Program:
    """One process, that may be killed and started anew; `log` is all that it ever said."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str] = field(repr=False)
    log: Path
    starts: int = 0
    process: "subprocess.Popen[bytes] | None" = None

    def start(self) -> None:
        """Start it, without waiting until it is ready."""
        self.starts += 1
        with self.log.open("ab") as written:
            self.process = subprocess.Popen(self.command, env=dict(self.environment), stdout=written, stderr=written)

    def kill(self) -> None:
        """End it as a power cut does."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def stop(self) -> int:
        """Ask it to end, and give its exit code; it is killed when it does not."""
        if self.process is None:
            return 0
        self.process.terminate()
        try:
            return self.process.wait(_START_LIMIT_IN_S)
        except subprocess.TimeoutExpired:
            self.kill()
            return -9

    @property
    def lines(self) -> Iterator[dict[str, Any]]:
        """Give what it has logged."""
        for line in self.log.read_text("utf-8", errors="replace").splitlines():
            with contextlib.suppress(ValueError):
                said = json.loads(line)
                if isinstance(said, dict):
                    yield said


@dataclass
class Installation:
    """A server and workers that share a database and a store.

    Takes: `database_url`, None for a SQLite file in the folder of the server; `settings` for all of them, by their
    names without `IMAGEPLANE_`.
    Gives: `keys` and `secrets` of organizations by name.
    """

    folder: Path
    database_url: str | None
    settings: Mapping[str, str]
    port: int = field(default_factory=free_port)
    keys: dict[str, str] = field(default_factory=dict, repr=False)
    secrets: dict[str, list[str]] = field(default_factory=dict, repr=False)
    programs: list[Program] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def found(self) -> None:
        """Make its tables, and an organization of every name with a key and a secret for its webhooks."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with self.books() as books, books.database.writing() as connection:
            for name in OWNERS:
                organization = books.new_organization(connection, name, CREDIT)
                self.keys[name] = keys.create(connection, organization.id, name)
                signing = that_sign(connection, [organization.id], now_in_ms())[organization.id]
                self.secrets[name] = [each.text for each in signing]

    @contextlib.contextmanager
    def books(self) -> Iterator[Books]:
        """Give the books, opened beside those who work with them."""
        url = None if self.database_url is None else SecretStr(self.database_url)
        database = DatabaseSettings(url=url)
        settings = Settings.model_construct(data_dir=self.folder / "server", database=database)
        with Books.open(settings) as books:
            yield books

    def program(self, name: str, *words: str, within: Sequence[str] = (), **settings: str) -> Program:
        """Give a program of this installation, not started yet.

        Takes: `words` behind `imageplane`; `within`, the command that starts it; settings of its own.
        """
        ours = {
            "DATA_DIR": str(self.folder / name),
            "MODELS_DIR": str(self.folder / "models"),
            "BLOBS__URL": (self.folder / "blobs").as_uri(),
            "LIMITS__REQUESTS_PER_MINUTE": "10000000",
            "SOURCES__ALLOW_HTTP": "true",
            "SOURCES__ALLOW_PRIVATE_NETWORKS": "true",
            "WEBHOOKS__TIMEOUT_IN_S": f"{TIMEOUT_IN_S:g}",
            "ENGINE__COUNT": "1",
            **({} if self.database_url is None else {"DATABASE__URL": self.database_url}),
            **self.settings,
            **settings,
        }
        rest = {key: value for key, value in os.environ.items() if not key.startswith("IMAGEPLANE_")}
        environment = rest | {f"IMAGEPLANE_{key}": value for key, value in ours.items()}
        program = Program(name, [*within, _PROGRAM, *words], environment, self.folder / f"{name}.log")
        self.programs.append(program)
        return program

    def server(self, **settings: str) -> Program:
        """Give its server, started and ready."""
        server = self.program("server", "serve", "--port", str(self.port), **settings)
        server.start()
        until = time.monotonic() + _START_LIMIT_IN_S
        while not self.is_ready():
            if time.monotonic() > until or (server.process and server.process.poll() is not None):
                raise RuntimeError(f"the server did not start: {server.log.read_text()[-2000:]}")
            time.sleep(_GLANCE_IN_S)
        return server

    def is_ready(self) -> bool:
        """Tell whether its server says that it is."""
        try:
            self.get("/health/ready")
        except (OSError, RuntimeError, http.client.HTTPException):
            return False
        return True

    def get(self, path: str, owner: str = "", method: str = "GET") -> bytes:
        """Ask its server, and give the body of a reply of success."""
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)) as connection:
            connection.request(method, path, headers={"Authorization": f"Bearer {self.keys[owner]}"} if owner else {})
            reply = connection.getresponse()
            body = reply.read()
        if reply.status != 200:
            raise RuntimeError(f"{path} was answered {reply.status}: {body[:300]!r}")
        return body

    def close(self) -> dict[str, int]:
        """Ask all programs to end; gives their exit codes."""
        return {program.name: program.stop() for program in reversed(self.programs)}

    def told(self) -> Counter[str]:
        """Count what programs have warned of."""
        return Counter(
            f"{line['level']}: {_shortened(line['event'])}" + (f" ({said})" if (said := _particulars(line)) else "")
            for program in self.programs
            for line in program.lines
            if line.get("level") in {"warning", "error", "critical"}
        )


def _particulars(line: Mapping[str, Any]) -> str:
    found = line.get("exception") or line.get("error") or line.get("detail") or ""
    return _shortened(found)


def _shortened(words: object) -> str:
    # Without the folder of a socket, which is another in every run.
    return _PLACE.sub('"…"', str(words).split("\n", 1)[0])[:160]
