"""A contender as the run sees it: a process that lives through the whole run and is asked one job at a time."""

import dataclasses
import json
import os
import subprocess
import tempfile
import threading
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self, cast

from benchmarks.jobs import Job
from benchmarks.peers import ROOT, Peer
from benchmarks.photos import Photo
from imageplane.engine.limits import environment

_ONE_THREAD = {
    "VIPS_CONCURRENCY": "1",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "UV_THREADPOOL_SIZE": "1",
}
_LIMIT_IN_S = 300.0


class ContenderDiedError(Exception):
    """The process of a contender is gone, with its last words."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What one job on one photo took and gave, or why it could not be done."""

    cpu_in_ms: float = 0.0
    wall_in_ms: float = 0.0
    sizes_in_bytes: tuple[int, ...] = ()
    peak_rss_in_mib: float = 0.0
    refused: str | None = None


class Contender:
    """A running peer."""

    def __init__(self, peer: Peer) -> None:
        self.peer = peer
        self.peak_rss_in_mib = 0.0
        self._words = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the contender
        self._process = subprocess.Popen(
            peer.command,
            cwd=ROOT,
            env=(environment(os.environ) if peer.is_engine else dict(os.environ)) | _ONE_THREAD,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._words,
            text=True,
        )
        self._orders, self._answers = cast(IO[str], self._process.stdin), cast(IO[str], self._process.stdout)
        self.versions: dict[str, str] = self._read()["versions"]

    def do(self, job: Job, photo: Photo, save: list[Path]) -> Answer:
        """Have one job done. Errors: ContenderDiedError."""
        order = {
            "photo": str(photo.path),
            "wanted": [dataclasses.asdict(wanted) for wanted in job.wanted],
            "requests": job.requests,
            "save": [str(path) for path in save],
        }
        try:
            self._orders.write(json.dumps(order) + "\n")
            self._orders.flush()
        except BrokenPipeError:
            raise self._death() from None
        answer = self._read()
        self.peak_rss_in_mib = max(self.peak_rss_in_mib, answer.get("peak_rss_in_mib", 0.0))
        return Answer(**answer | {"sizes_in_bytes": tuple(answer.get("sizes_in_bytes", ()))})

    def close(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.communicate()
        self._words.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _read(self) -> dict[str, Any]:
        hung = threading.Timer(_LIMIT_IN_S, self._process.kill)
        hung.start()
        try:
            line = self._answers.readline()
        finally:
            hung.cancel()
        if not line:
            raise self._death()
        message: dict[str, Any] = json.loads(line)
        return message

    def _death(self) -> ContenderDiedError:
        code = self._process.wait()
        self._words.seek(0)
        words = self._words.read()[-2000:].decode(errors="replace")
        return ContenderDiedError(f"{self.peer.label} ended with code {code}: {words}")
