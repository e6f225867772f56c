"""The real server, `imageplane serve`, as a program of its own on a free port with a folder of its own."""

import contextlib
import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import pytest
from absent import NO_WEIGHTS, WEIGHTS
from pydantic import SecretStr

from imageplane.accounts.books import Books
from imageplane.settings import DatabaseSettings, Settings

TRANSFORM = "/image-transformation/v1/transform"
_PATIENCE_IN_S = 60.0
_KEY = re.compile(r"ip_live_\w+")


@dataclass(frozen=True)
class Reply:
    """What came back; header names are in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Server:
    """One installation: a folder and settings, and while it runs a process.

    Takes: `settings` by their names in the environment without `IMAGEPLANE_`, such as `LIMITS__MAX_PIXELS`. Without
    them, what would get in the way of tests is set wide: rate limits and trial credits; there is one engine, and there
    are no models.
    Gives: `key`, which the first start printed; `output`, all that the program ever said.
    """

    folder: Path
    settings: Mapping[str, str] = field(default_factory=dict)
    port: int = 0
    key: str = ""
    process: "subprocess.Popen[bytes] | None" = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def output(self) -> str:
        return self._log.read_text("utf-8", errors="replace")

    @property
    def last_output(self) -> str:
        """What the program has said since its last start."""
        return self._log.read_bytes()[self._started_at :].decode("utf-8", errors="replace")

    def said(self, words: str) -> dict[str, Any]:
        """Give the line of the log that has these words, waiting for it if need be."""
        until = time.monotonic() + _PATIENCE_IN_S
        while time.monotonic() < until:
            found = [line for line in self.output.splitlines() if words in line]
            if found:
                line: dict[str, Any] = json.loads(found[-1])
                return line
            time.sleep(0.05)
        raise AssertionError(f"the server never said {words}")

    def start(self) -> Self:
        """Start the program, and wait until it is ready."""
        self.port = self.port or free_port()
        command = [sys.executable, "-m", "imageplane.cli", "serve", "--port", str(self.port)]
        self.folder.mkdir(parents=True, exist_ok=True)
        self._started_at = self._log.stat().st_size if self._log.exists() else 0
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(command, env=self.environment, stdout=log, stderr=log, cwd=self.folder)
        try:
            self._await_ready()
        except BaseException:
            self.kill()
            raise
        return self

    def stop(self) -> int:
        """Ask the program to end as an operator does, and give its exit code once it has."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        return self.wait()

    def wait(self) -> int:
        """Give the exit code of the program once it has ended."""
        assert self.process is not None
        try:
            return self.process.wait(_PATIENCE_IN_S)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"the server did not end:\n{self.last_output[-5000:]}") from None

    def kill(self) -> None:
        """End the program as a power cut does."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def request(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        *,
        timeout_in_s: float = _PATIENCE_IN_S,
    ) -> Reply:
        """Send one request over a connection of its own, with no header that is not given but Host and length."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout_in_s)
        with contextlib.closing(connection):
            connection.request(method, path, body, dict(headers or {}))
            answer = connection.getresponse()
            named = {name.lower(): value for name, value in answer.getheaders()}
            return Reply(answer.status, named, answer.read())

    def get(self, path: str, *, key: str | None = None, headers: Mapping[str, str] | None = None) -> Reply:
        """Ask with a key; the one of the first start unless another is given, none when it is empty."""
        return self.request("GET", path, headers={**self._bearer(key), **(headers or {})})

    def post(
        self, body: Any, path: str = TRANSFORM, *, key: str | None = None, headers: Mapping[str, str] | None = None
    ) -> Reply:
        """Send JSON, or bytes as they are, with a key as in `get`."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        named = {"Content-Type": "application/json", **self._bearer(key), **(headers or {})}
        return self.request("POST", path, data, named)

    @contextlib.contextmanager
    def books(self) -> Iterator[Books]:
        """Give the books of the server, opened beside it."""
        url = self.settings.get("DATABASE__URL")
        database = DatabaseSettings(url=SecretStr(url) if url else None)
        settings = Settings.model_construct(data_dir=self.folder / "data", database=database)
        with Books.open(settings) as books:
            yield books

    @property
    def environment(self) -> dict[str, str]:
        """What the program, and others for the same folder, find in their environment."""
        wide = {"LIMITS__REQUESTS_PER_MINUTE": "1000000", "TRIAL_CREDITS": "1000000", "ENGINE__COUNT": "1"}
        wide |= {"DASHBOARD__TRIES_PER_ADDRESS": "1000000", "DASHBOARD__TRIES_PER_EMAIL": "1000000"}
        wide["MODELS_DIR"] = str(self.folder / "models")
        ours = {f"IMAGEPLANE_{name}": value for name, value in (wide | dict(self.settings)).items()}
        rest = {name: value for name, value in os.environ.items() if not name.startswith("IMAGEPLANE_")}
        return {**rest, **ours, "IMAGEPLANE_DATA_DIR": str(self.folder / "data")}

    @property
    def _log(self) -> Path:
        return self.folder / "output.log"

    def _bearer(self, key: str | None) -> dict[str, str]:
        key = self.key if key is None else key
        return {"Authorization": f"Bearer {key}"} if key else {}

    def _await_ready(self) -> None:
        assert self.process is not None
        until = time.monotonic() + _PATIENCE_IN_S
        while time.monotonic() < until and self.process.poll() is None:
            with contextlib.suppress(OSError, http.client.HTTPException):
                if self.request("GET", "/health/ready").status == 200 and self._has_working_engine():
                    return
            time.sleep(0.05)
        raise AssertionError(f"the server did not start:\n{self.last_output[-5000:]}")

    def _has_working_engine(self) -> bool:
        found = _KEY.search(self.output)
        self.key = self.key or (found[0] if found else "")
        # Only an engine that is there can tell that this is the head of a PNG and nothing more; it costs nothing.
        return self.post({"file": {"base64": "iVBORw0KGgo="}, "operations": []}).status == 422


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


@contextlib.contextmanager
def serving(folder: Path, **settings: str) -> Iterator[Server]:
    """Run a server for a block, and see to it that it ends cleanly afterwards, unless it has ended before."""
    server = Server(folder, settings).start()
    try:
        yield server
    except BaseException:
        server.kill()
        raise
    assert server.process is not None
    if server.process.poll() is None:
        assert server.stop() == 0, server.last_output[-5000:]


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Give a server as an operator would run it, which all tests share."""
    with serving(tmp_path_factory.mktemp("server")) as server:
        yield server


@pytest.fixture(scope="session")
def seeing_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Give a server with the weights of all networks, which all tests share, or skip."""
    if WEIGHTS is None:
        pytest.skip(NO_WEIGHTS)
    with serving(tmp_path_factory.mktemp("seeing_server"), MODELS_DIR=str(WEIGHTS)) as server:
        yield server


@pytest.fixture(scope="session")
def open_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Give a server that fetches from this machine too, which all tests share."""
    settings = {"SOURCES__ALLOW_HTTP": "true", "SOURCES__ALLOW_PRIVATE_NETWORKS": "true"}
    with serving(tmp_path_factory.mktemp("open_server"), **settings) as server:
        yield server
