"""A library that starts a thread as soon as an engine loads it."""

import sys
import threading
import time


def rest() -> None:
    pass


if sys.argv[0].endswith("worker.py"):
    threading.Thread(target=time.sleep, args=(600,), daemon=True).start()
