"""The engines without HTTP, for comparison: `python -m benchmarks.load.in_process ENGINES PHOTO`.

A lap is a line of JSON on standard input; what came of it is a line on standard output.
"""

import json
import os
import sys
import threading
import time
from pathlib import Path
from typing import Any, Final

import psutil

from benchmarks.load.pictures import tail
from imageplane.engine.pool import Pool
from imageplane.request import TransformRequest
from imageplane.settings import load
from imageplane.transform import Transformer, options_of, outfit_of

# So many different uploads, so that nothing may be shared between those that are done at the same time.
_VARIANTS: Final = 24


class Laps:
    """A pool, and clients that wait for each picture before they ask for the next."""

    def __init__(self, transformer: Transformer, uploads: list[bytes]) -> None:
        self._transformer = transformer
        self._uploads = uploads
        self._lock = threading.Lock()
        self._number = 0
        self._took: list[tuple[float, float]] = []

    def run(self, operations: list[dict[str, Any]], clients: int, lead_in_s: float, seconds: float) -> dict[str, Any]:
        """Give the moments at which pictures were done, since the start, and how long each took."""
        request = TransformRequest.parse({"operations": operations})
        self._took = []
        started = time.monotonic()
        until = started + lead_in_s + seconds
        threads = [threading.Thread(target=self._client, args=(request, started, until)) for _ in range(clients)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return {"took": self._took}

    def _client(self, request: TransformRequest, started: float, until: float) -> None:
        while time.monotonic() < until:
            with self._lock:
                self._number += 1
                upload = self._uploads[self._number % len(self._uploads)]
            asked = time.monotonic()
            self._transformer.transform(upload, request).result()
            now = time.monotonic()
            self._took.append((now - started, now - asked))


def main() -> None:
    """Do the laps that are asked for until standard input ends."""
    settings, count, photo = load(), int(sys.argv[1]), Path(sys.argv[2])
    uploads = [photo.read_bytes() + tail(photo.suffix, number) for number in range(_VARIANTS)]
    engine = settings.engine.model_copy(update={"count": count})
    with Pool.of(engine, outfit_of(settings)) as pool:
        laps = Laps(Transformer(pool, options_of(settings)), uploads)
        print(json.dumps({"pid": os.getpid()}), flush=True)
        for line in sys.stdin:
            order = json.loads(line)
            before = _cpu_in_s()
            done = laps.run(**order)
            print(json.dumps({**done, "cpu_in_s": _cpu_in_s() - before}), flush=True)


def _cpu_in_s() -> float:
    here = psutil.Process()
    spent = [each.cpu_times() for each in (here, *here.children())]
    return float(sum(times.user + times.system for times in spent))


if __name__ == "__main__":
    main()
