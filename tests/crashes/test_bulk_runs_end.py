"""A bulk run that is killed or interrupted is taken up again: all is there, and nothing was made twice."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pictures
import psutil
import pytest
import pyvips

COMMAND = [sys.executable, "-m", "imageplane.cli", "bulk", "run", "photos", "--outputs", "outputs.json", "--to", "out"]
IMAGES = 60
PATIENCE_IN_S = 120.0
OUTPUTS = [
    {"name": name, "operations": [{"type": "blur", "sigma": 3}, {"type": "convert", "format": kind}]}
    for name, kind in (("soft", "webp"), ("other", "jpeg"))
]


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("IMAGEPLANE_ENGINE__COUNT", "2")
    monkeypatch.chdir(tmp_path)
    for number in range(IMAGES):
        path = tmp_path / "photos" / str(number % 3) / f"{number:02}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        pyvips.Image.new_from_array(pictures.photo(401 + number, 307)).write_to_file(str(path))
    (tmp_path / "outputs.json").write_text(json.dumps(OUTPUTS))
    return tmp_path


def places(folder: Path) -> dict[str, tuple[int, int]]:
    """Give every output: where it lies on the disk, and when it was written."""
    found = {}
    for inner, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if name != ".imageplane"]
        for path in (Path(inner, name) for name in names):
            # What is being written has another name until it is whole.
            with contextlib.suppress(FileNotFoundError):
                found[str(path.relative_to(folder))] = (path.stat().st_ino, path.stat().st_mtime_ns)
    return found


@contextlib.contextmanager
def running_until(desk: Path, count: int) -> Iterator["subprocess.Popen[bytes]"]:
    """Give a run that has made so many outputs."""
    with subprocess.Popen(COMMAND, stderr=subprocess.PIPE) as process:
        until = time.monotonic() + PATIENCE_IN_S
        while process.poll() is None and len(places(desk / "out")) < count:
            assert time.monotonic() < until
            time.sleep(0.005)
        assert process.poll() is None, "it was too quick to be stopped"
        yield process


def test_a_run_that_is_killed_again_and_again(desk: Path) -> None:
    kept: dict[str, tuple[int, int]] = {}
    for count in (15, 50, 90):
        with running_until(desk, count) as process:
            process.kill()
        now = {name: place for name, place in places(desk / "out").items() if "#" not in name}
        assert kept.items() <= now.items()
        kept = now
    done = subprocess.run(COMMAND, capture_output=True, check=False, timeout=PATIENCE_IN_S)
    assert done.returncode == 0, done.stderr
    whole = places(desk / "out")
    assert kept.items() <= whole.items()
    assert len(whole) == 2 * IMAGES
    for name in whole:
        pyvips.Image.new_from_file(str(desk / "out" / name)).avg()
    last = subprocess.run(COMMAND, capture_output=True, check=False, timeout=PATIENCE_IN_S)
    assert f"0 images made, {IMAGES} skipped".encode() in last.stderr
    assert places(desk / "out") == whole
    left = {str(path.relative_to(desk / "out")) for path in (desk / "out").rglob("*") if path.is_file()} - set(whole)
    assert not any(name.startswith((".imageplane/bulk/open", ".imageplane/bulk/lock")) for name in left)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupted_run_finishes_what_it_has_begun(desk: Path, number: signal.Signals, code: int) -> None:
    with running_until(desk, 10) as process:
        engines = psutil.Process(process.pid).children()
        process.send_signal(number)
        _, words = process.communicate(timeout=PATIENCE_IN_S)
    assert (process.returncode, b"Traceback" in words) == (code, False)
    assert b"Interrupted. The same command goes on where this run ended." in words
    assert engines
    assert not any(engine.is_running() and engine.status() != psutil.STATUS_ZOMBIE for engine in engines)
    kept = places(desk / "out")
    assert len(kept) < 2 * IMAGES
    done = subprocess.run(COMMAND, capture_output=True, check=False, timeout=PATIENCE_IN_S)
    assert f"{len(kept) // 2} skipped".encode() in done.stderr
    assert len(places(desk / "out")) == 2 * IMAGES
    assert kept.items() <= places(desk / "out").items()


def test_a_second_run_is_refused_while_the_first_one_lives(desk: Path) -> None:
    with running_until(desk, 4) as process:
        # It holds still, and lives.
        process.send_signal(signal.SIGSTOP)
        second = subprocess.run(COMMAND, capture_output=True, check=False, timeout=PATIENCE_IN_S)
        process.send_signal(signal.SIGCONT)
        process.communicate(timeout=PATIENCE_IN_S)
    assert second.returncode == 1
    assert f"Another run works on this destination (process {process.pid} on".encode() in second.stderr
    assert process.returncode == 0
    assert len(places(desk / "out")) == 2 * IMAGES
