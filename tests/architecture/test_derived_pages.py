"""Declared once, derived everywhere: a derived page that is stale fails the test run."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_no_derived_page_is_stale() -> None:
    check = subprocess.run(
        [sys.executable, "tools/generate.py", "--check"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert check.returncode == 0, f"{check.stdout}\nRun `make generate` and commit what it writes."
