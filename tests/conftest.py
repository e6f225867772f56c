"""What all tests share: libvips set as in an engine, and the pictures of `../shared`, which a clone need not have."""

import csv
import os
import signal
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

# libvips reads this when it is first loaded.
os.environ["VIPS_CONCURRENCY"] = "1"

import pytest
import pyvips
from absent import CORPUS, NO_CORPUS

pytest_plugins = ["postgres", "banking", "server", "picture_server", "installations", "browser"]

pyvips.cache_set_max(0)
pyvips.concurrency_set(1)
pyvips.block_untrusted_set(True)

# A shell without job control starts what runs in its background deaf to Ctrl-C, and programs pass that on to theirs.
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "corpus(folder, pattern): asks for `row`, a line of its MANIFEST.tsv")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test marked `corpus(folder, pattern)` for every file of the manifest of such a name, or skip it visibly."""
    mark = metafunc.definition.get_closest_marker("corpus")
    if mark is None or "row" not in metafunc.fixturenames:
        return
    rows: list[Any] = [pytest.param(row, id=row["file"]) for row in _rows(*mark.args)]
    metafunc.parametrize("row", rows or [pytest.param({}, id="absent", marks=pytest.mark.skip(reason=NO_CORPUS))])


def _rows(folder: str, pattern: str = "*") -> list[dict[str, str]]:
    manifest = CORPUS / folder / "MANIFEST.tsv"
    if not manifest.is_file():
        return []
    with manifest.open(newline="") as lines:
        rows = [row for row in csv.DictReader(lines, delimiter="\t") if fnmatch(row["file"], pattern)]
    assert rows, f"no file of {folder} is named {pattern}"
    return [{**row, "path": str(CORPUS / folder / row["file"])} for row in rows]


@pytest.fixture(scope="session")
def corpus() -> Path:
    """Give the folder of the shared pictures, or skip."""
    if not CORPUS.is_dir():
        pytest.skip(NO_CORPUS)
    return CORPUS
