"""A server of its own on loopback, as an operator runs it: by command, settings and what it tells over HTTP."""

import contextlib
import http.client
import json
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import psutil

from benchmarks.peers import ROOT
from imageplane.settings import EngineSettings, HttpSettings

_PROGRAM: Final = str(Path(sys.executable).with_name("imageplane"))
_SHARED_MODELS: Final = ROOT.parent / "shared" / "models"
EVIDENCE: Final = Path(__file__).parents[1] / ".evidence"
_START_LIMIT_IN_S: Final = 120.0
_END_LIMIT_IN_S: Final = 150.0
_GAUGE: Final = re.compile(r"^(imageplane_\w+(?:\{[^}]*\})?) (\S+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Cpu:
    """User and system time so far: of the process that speaks HTTP, and of all engines that it ever had."""

    front_in_s: float
    engines_in_s: float

    def __sub__(self, other: "Cpu") -> "Cpu":
        return Cpu(self.front_in_s - other.front_in_s, self.engines_in_s - other.engines_in_s)


@dataclass
class Server:
    """A running server.

    Takes: `within`, the command that another command needs in front to see the same files as the server.
    """

    process: psutil.Popen
    port: int
    environment: Mapping[str, str] = field(repr=False)
    log: Path
    within: Sequence[str] = ()

    @property
    def engines(self) -> list[psutil.Process]:
        """The engine processes that live now."""
        found = []
        for child in self.process.children():
            with contextlib.suppress(psutil.Error):
                if child.status() != psutil.STATUS_ZOMBIE:
                    found.append(child)
        return found

    def cpu(self) -> Cpu:
        """Give what was used so far."""
        own, living = self.process.cpu_times(), 0.0
        for engine in self.engines:
            with contextlib.suppress(psutil.Error):
                times = engine.cpu_times()
                living += times.user + times.system
        return Cpu(own.user + own.system, living + own.children_user + own.children_system)

    def command(self, *words: str) -> str:
        """Run `imageplane …` beside the server and give what it says."""
        environment = dict(self.environment)
        done = subprocess.run(
            [*self.within, _PROGRAM, *words], env=environment, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise RuntimeError(f"imageplane {' '.join(words)}: {done.stderr}")
        return done.stdout

    def new_key(self, organization: str, credit: int) -> str:
        """Give a key of an organization with so many credits."""
        words = ("--name", organization, "--organization", organization, "--credits", str(credit))
        return self.command("keys", "create", *words).split()[-1]

    def balances(self) -> dict[str, float]:
        """Give what organizations have left, as the command says it."""
        lines = self.command("credits", "show").splitlines()[1:]
        return {name: float(left.replace(",", "")) for name, left in (line.rsplit(maxsplit=1) for line in lines)}

    def account(self, key: str) -> Any:
        """Give what `/v1/me` says."""
        return self.get_json("/v1/me", key)["data"]

    def charged(self, key: str) -> tuple[int, float]:
        """Give how many requests were charged for, and how many credits, as `/v1/usage` says."""
        rows = self.get_json("/v1/usage", key)["data"]["usage"]
        return sum(row["requests"] for row in rows), sum(row["credits"] for row in rows)

    def metrics(self) -> dict[str, float]:
        """Give the numbers of `/metrics` by name and labels."""
        return {name: float(value) for name, value in _GAUGE.findall(self.get("/metrics").decode())}

    def get_json(self, path: str, key: str = "") -> Any:
        """Ask for JSON."""
        return json.loads(self.get(path, key))

    def get(self, path: str, key: str = "") -> bytes:
        """Ask, and give the body of a reply of success."""
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)) as connection:
            connection.request("GET", path, headers={"Authorization": f"Bearer {key}"} if key else {})
            reply = connection.getresponse()
            body = reply.read()
        if reply.status != 200:
            raise RuntimeError(f"{path} was answered {reply.status}: {body[:300]!r}")
        return body

    def is_ready(self) -> bool:
        """Tell whether it says that it is."""
        try:
            return int(self.get_json("/health/ready")["data"]["engines"]) >= self.engine_count
        except (OSError, RuntimeError, http.client.HTTPException):
            return False

    def setting(self, name: str, otherwise: float) -> float:
        """Give a number that the server was started with, by its name without `IMAGEPLANE_`."""
        return float(self.environment.get(f"IMAGEPLANE_{name}", otherwise))

    @property
    def engine_count(self) -> int:
        """How many engines it is to have."""
        return int(self.setting("ENGINE__COUNT", EngineSettings().count))

    @property
    def deadline_in_s(self) -> float:
        """How long it may take over a request."""
        return self.setting("HTTP__DEADLINE_IN_S", HttpSettings().deadline_in_s)

    def stop(self) -> int:
        """Ask it to end and give its exit code; it is killed when it doesn't."""
        self.process.terminate()
        try:
            return int(self.process.wait(_END_LIMIT_IN_S))
        except psutil.TimeoutExpired:
            self.process.kill()
            return int(self.process.wait())


@contextlib.contextmanager
def serving(
    folder: Path, settings: Mapping[str, str] | None = None, *, start: Sequence[str] = (), within: Sequence[str] = ()
) -> Iterator[Server]:
    """Run `imageplane serve` in a folder of its own for a block.

    Takes: settings by their names without `IMAGEPLANE_`, beside those of our own environment; `start`, the command
    that starts it; `within`, see `Server`, where `PID` stands for the process id.
    """
    folder.mkdir(parents=True, exist_ok=True)
    port, log = free_port(), folder / "log"
    environment = os.environ | _open_to_loopback(folder)
    environment |= {f"IMAGEPLANE_{name}": value for name, value in (settings or {}).items()}
    with log.open("wb") as written:
        command = [*start, _PROGRAM, "serve", "--port", str(port)]
        process = psutil.Popen(command, env=environment, stdout=written, stderr=subprocess.STDOUT)
    words = [word.replace("PID", str(process.pid)) for word in within]
    server = Server(process, port, environment, log, words)
    try:
        _await_ready(server)
        yield server
    finally:
        if process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
            server.stop()
        _keep_faults(log)


def _keep_faults(log: Path) -> None:
    """Put the lines of a log that tell of faults of the server's own where they outlive its folder."""
    lines = [
        line for line in log.read_text(errors="replace").splitlines() if '"status": 500' in line or "Error" in line
    ]
    if lines:
        EVIDENCE.mkdir(parents=True, exist_ok=True)
        (EVIDENCE / f"server-{time.strftime('%H%M%S')}.log").write_text("\n".join(lines))


def _open_to_loopback(folder: Path) -> dict[str, str]:
    has_models = "IMAGEPLANE_MODELS_DIR" not in os.environ and _SHARED_MODELS.is_dir()
    return {
        "IMAGEPLANE_DATA_DIR": str(folder / "data"),
        "IMAGEPLANE_LIMITS__REQUESTS_PER_MINUTE": "10000000",
        "IMAGEPLANE_SOURCES__ALLOW_HTTP": "true",
        "IMAGEPLANE_SOURCES__ALLOW_PRIVATE_NETWORKS": "true",
    } | ({"IMAGEPLANE_MODELS_DIR": str(_SHARED_MODELS)} if has_models else {})


def _await_ready(server: Server) -> None:
    until = time.monotonic() + _START_LIMIT_IN_S
    while time.monotonic() < until and server.process.poll() is None:
        if server.is_ready():
            return
        time.sleep(0.1)
    raise RuntimeError(f"the server did not start: {server.log.read_text()[-2000:]}")


def free_port() -> int:
    """Give a port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])
