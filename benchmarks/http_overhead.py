"""What does HTTP add to the image work? `python -m benchmarks.http_overhead --help`.

A real server, one client that waits for each reply. The figure is user and system time, as the kernel counts it, of
the process that speaks HTTP and of the engines that do the image work, apart.
"""

import argparse
import http.client
import json
import os
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil
import pybase64
from rich.console import Console
from rich.markdown import Markdown
from rich.progress import Progress

from benchmarks import machine
from benchmarks.jobs import JOBS, Job
from benchmarks.photos import DEFAULT_FOLDER, find
from benchmarks.run import COLUMNS, RESULTS, folder

PATH = "/image-transformation/v1/transform"
SIZE_IN_BYTES = 3_000_000
MOST_IN_MS, LARGEST_SHARE = 20.0, 0.15
_BOUNDARY = "imageplane-benchmark"


@dataclass(frozen=True, slots=True)
class Way:
    """How a photo is sent and how the result comes back."""

    title: str
    is_multipart: bool
    is_raw: bool

    def headers(self, key: str) -> dict[str, str]:
        kind = f"multipart/form-data; boundary={_BOUNDARY}" if self.is_multipart else "application/json"
        accept = {"Accept": "image/*"} if self.is_raw else {}
        return {"Authorization": f"Bearer {key}", "Content-Type": kind, **accept}

    def body(self, photo: bytes, job: Job) -> bytes:
        requests = job.requests
        field = "operations" if len(requests) == 1 else "outputs"
        named = [{"name": f"size-{i}", "operations": operations} for i, operations in enumerate(requests)]
        asked = requests[0] if len(requests) == 1 else named
        if not self.is_multipart:
            return json.dumps({"file": {"base64": pybase64.b64encode_as_string(photo)}, field: asked}).encode()
        head = f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="{field}"\r\n\r\n{json.dumps(asked)}\r\n'
        file = f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="a.jpg"\r\n\r\n'
        return head.encode() + file.encode() + photo + f"\r\n--{_BOUNDARY}--\r\n".encode()


WAYS = (
    Way("base64 in, envelope out", is_multipart=False, is_raw=False),
    Way("base64 in, image out", is_multipart=False, is_raw=True),
    Way("multipart in, image out", is_multipart=True, is_raw=True),
)


@dataclass(frozen=True, slots=True)
class Row:
    """CPU of one kind of request, in ms: medians over the rounds."""

    job: str
    way: str
    body_in_bytes: int
    http_in_ms: float
    engine_in_ms: float

    @property
    def share(self) -> float:
        return self.http_in_ms / (self.http_in_ms + self.engine_in_ms)


class Server:
    """A server of its own on loopback, and the connection to it."""

    def __init__(self, process: psutil.Popen, port: int, key: str) -> None:
        self._process, self._key = process, key
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)

    def cpu_in_ms(self) -> tuple[float, float]:
        """Give what the server and its engines have used so far."""
        return _cpu_in_ms(self._process), sum(map(_cpu_in_ms, self._process.children()))

    def send(self, way: Way, body: bytes) -> None:
        self._connection.request("POST", PATH, body, way.headers(self._key))
        reply = self._connection.getresponse()
        said = reply.read()
        if reply.status != 200:
            raise RuntimeError(f"status {reply.status}: {said[:300]!r}")


def _cpu_in_ms(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system) * 1000


@contextmanager
def serving() -> Iterator[Server]:
    """Run `imageplane serve` with one engine in a folder of its own."""
    with tempfile.TemporaryDirectory() as data:
        settings = {
            "IMAGEPLANE_DATA_DIR": data,
            "IMAGEPLANE_ENGINE__COUNT": "1",
            "IMAGEPLANE_LIMITS__REQUESTS_PER_MINUTE": "1000000",
            "IMAGEPLANE_TRIAL_CREDITS": "1000000",
        }
        port = _free_port()
        log = Path(data) / "log"
        program = Path(sys.executable).with_name("imageplane")
        with log.open("wb") as written:
            command = [str(program), "serve", "--port", str(port)]
            process = psutil.Popen(command, env=os.environ | settings, stdout=written, stderr=subprocess.STDOUT)
        try:
            yield Server(process, port, _key_in(log, port))
        finally:
            process.terminate()
            process.wait()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


def _key_in(log: Path, port: int) -> str:
    for _ in range(300):
        found = re.search(r"ip_live_\w+", log.read_text())
        if found and _is_ready(port):
            return found[0]
        time.sleep(0.1)
    raise RuntimeError(f"the server did not start: {log.read_text()[-500:]}")


def _is_ready(port: int) -> bool:
    try:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        connection.request("GET", "/health/ready")
        return connection.getresponse().status == 200
    except OSError:
        return False


def measure(photo: bytes, jobs: list[Job], rounds: int, repeats: int) -> list[Row]:
    """Send every job in every way, interleaved, so many rounds."""
    found: dict[tuple[str, str], list[tuple[float, float]]] = {}
    kinds = [(job, way) for job in jobs for way in WAYS if len(job.requests) == 1 or not way.is_raw]
    bodies = {(job.name, way.title): way.body(photo, job) for job, way in kinds}
    with serving() as server, Progress(*COLUMNS) as progress:
        bar = progress.add_task("warm-up", total=(rounds + 1) * len(kinds))
        for number in range(rounds + 1):
            for job, way in kinds:
                before = server.cpu_in_ms()
                for _ in range(repeats):
                    server.send(way, bodies[job.name, way.title])
                spent = [(a - b) / repeats for a, b in zip(server.cpu_in_ms(), before, strict=True)]
                if number:
                    found.setdefault((job.name, way.title), []).append((spent[0], spent[1]))
                progress.update(bar, advance=1, description=f"{job.name}, {way.title}")
    return [
        Row(job, way, len(bodies[job, way]), *(round(statistics.median(part), 1) for part in zip(*spent, strict=True)))
        for (job, way), spent in found.items()
    ]


def page_of(rows: list[Row], photo: str, commit: str) -> str:
    """Give the results as Markdown."""
    lines = [
        f"# What HTTP adds, commit {commit}",
        "",
        f"{machine.describe()['cpu']}, {machine.describe()['cores']} cores; photo {photo}; CPU ms a request.",
        "",
        "| job | way | body, bytes | HTTP | image work | share of HTTP | goal |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        is_met = row.http_in_ms <= MOST_IN_MS and row.share <= LARGEST_SHARE
        goal = "met" if is_met else f"{'20 ms met, ' if row.http_in_ms <= MOST_IN_MS else ''}15 % NOT MET"
        lines.append(
            f"| {JOBS[row.job].title} | {row.way} | {row.body_in_bytes:,} | {row.http_in_ms} | {row.engine_in_ms} "
            f"| {row.share:.0%} | {goal} |"
        )
    return "\n".join(lines) + "\n"


def main() -> None:
    """Read the command line, measure, write and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.http_overhead", description=__doc__)
    parser.add_argument("--photos", type=folder, default=DEFAULT_FOLDER, help="folder of photos")
    parser.add_argument("--rounds", type=int, default=5, help="measured rounds after the warm-up (5)")
    parser.add_argument("--repeats", type=int, default=10, help="requests of a kind in a row (10)")
    parser.add_argument("--results", type=Path, default=RESULTS, help="where the table is written")
    options = parser.parse_args()
    photos = [photo for photo in find(options.photos) if photo.path.suffix == ".jpg"]
    photo = min(photos, key=lambda each: abs(each.path.stat().st_size - SIZE_IN_BYTES))
    rows = measure(
        photo.path.read_bytes(), [JOBS[name] for name in ("J1", "J2", "J5")], options.rounds, options.repeats
    )
    commit = machine.commit()
    page = page_of(rows, photo.name, commit)
    target = options.results / f"{time.strftime('%Y-%m-%d')}-{commit}-http.md"
    target.write_text(page)
    target.with_suffix(".json").write_text(json.dumps([asdict(row) for row in rows], indent=1) + "\n")
    Console().print(Markdown(page))


if __name__ == "__main__":
    main()
