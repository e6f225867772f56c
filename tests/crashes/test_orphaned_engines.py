"""Engines never outlive the process that started them, however it ends and whatever they do at the time."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import misdeeds
import psutil
import pytest

TESTS = Path(misdeeds.__file__).parent
PARENT = """
import sys, time, misdeeds
from imageplane.engine.pool import Pool
pool = Pool(count=2, deadline_in_s=60, memory_in_bytes=600_000_000, recycle_after=9)
for _ in range(2):
    pool.submit(misdeeds.echo, b"", 1).result()
pool.submit(misdeeds.hang_in_c, b"")
print(*pool.engine_ids(), flush=True)
time.sleep(60)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a process at once that its parent died")
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_engines_die_with_their_parent(number: signal.Signals) -> None:
    environment = os.environ | {"PYTHONPATH": f"{TESTS}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"}
    with subprocess.Popen(
        [sys.executable, "-c", PARENT],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as parent:
        assert parent.stdout is not None
        engines = [psutil.Process(int(word)) for word in parent.stdout.readline().split()]
        assert len(engines) == 2
        parent.send_signal(number)
        parent.wait(10)
        patience = time.monotonic() + 10
        while any(engine.is_running() and engine.status() != psutil.STATUS_ZOMBIE for engine in engines):
            assert time.monotonic() < patience
            time.sleep(0.02)
