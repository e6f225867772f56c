"""The command as a person runs it: in a process of its own, with real files, streams and signals."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pictures
import psutil
import pytest
import pyvips

COMMAND = [sys.executable, "-m", "imageplane.cli"]
SMALL = json.dumps([{"type": "resize", "width_in_px": 121, "height_in_px": 73, "fit": "cover"}])
PATIENCE_IN_S = 60


def run(*arguments: str | Path, **options: Any) -> subprocess.CompletedProcess[bytes]:
    command = [*COMMAND, *map(str, arguments)]
    return subprocess.run(command, check=False, capture_output=True, timeout=PATIENCE_IN_S, **options)


def said(done: subprocess.CompletedProcess[bytes]) -> str:
    assert b"Traceback" not in done.stderr
    return " ".join(done.stderr.decode().split())


def size_and_loader(path: Path) -> tuple[int, int, str]:
    image = pyvips.Image.new_from_file(str(path))
    return image.width, image.height, image.get("vips-loader").removesuffix("load")


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    desk = tmp_path_factory.mktemp("desk")
    for name in ("photo", "alpha", "bordered"):
        pictures.image(name).write_to_file(str(desk / f"{name}.png"))
    (desk / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 this is no picture")
    (desk / "small.json").write_text(SMALL)
    return desk


def test_version_and_help() -> None:
    assert run("transform", "--help").returncode == 0
    done = run("--version")
    assert (done.returncode, done.stdout.split()[0]) == (0, b"imageplane")


def test_the_suffix_chooses_the_format_where_no_operation_does(desk: Path, tmp_path: Path) -> None:
    done = run("transform", desk / "photo.png", "-o", tmp_path / "small.webp", "--operations", SMALL)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    assert size_and_loader(tmp_path / "small.webp") == (121, 73, "webp")
    assert names_in(tmp_path) == ["small.webp"]


@pytest.mark.parametrize("source", ["gif", "webp", "png"])
def test_the_suffix_may_name_a_format_that_no_operation_does(tmp_path: Path, source: str) -> None:
    photo = pictures.image("photo")
    frames = pyvips.Image.arrayjoin([photo, photo.invert()], across=1).copy()
    frames.set_type(pyvips.GValue.gint_type, "page-height", photo.height)
    frames.write_to_file(str(tmp_path / f"moving.{source}"))
    done = run("transform", tmp_path / f"moving.{source}", "-o", tmp_path / "small.gif", "--operations", SMALL)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    assert size_and_loader(tmp_path / "small.gif") == (121, 73, "gif")
    pages = pyvips.Image.new_from_file(str(tmp_path / "small.gif")).get("n-pages")
    assert pages == (1 if source == "png" else 2)


def test_a_format_that_only_the_suffix_names_is_blamed_on_no_operation(tmp_path: Path) -> None:
    pyvips.Image.black(16_400, 1).write_to_file(str(tmp_path / "wide.png"))
    done = run("transform", tmp_path / "wide.png", "-o", tmp_path / "wide.webp")
    assert (done.returncode, "operations[" in said(done)) == (1, False)


def test_an_old_result_is_replaced_with_the_usual_rights(desk: Path, tmp_path: Path) -> None:
    result = tmp_path / "small.jpeg"
    result.write_bytes(b"old")
    assert run("transform", desk / "photo.png", "-o", result, "--operations", f"@{desk}/small.json").returncode == 0
    assert size_and_loader(result) == (121, 73, "jpeg")
    fresh = tmp_path / "fresh"
    fresh.touch()
    assert result.stat().st_mode == fresh.stat().st_mode


def test_stdin_and_stdout_carry_raw_bytes_only(desk: Path) -> None:
    source = (desk / "photo.png").read_bytes()
    done = run("transform", "-", "-o", "-", "--operations", SMALL, input=source)
    assert (done.returncode, done.stderr) == (0, b"")
    image = pyvips.Image.new_from_buffer(done.stdout, "")
    assert (image.width, image.height, image.get("vips-loader")) == (121, 73, "pngload_buffer")


def test_a_bad_file_among_many_costs_only_itself(desk: Path, tmp_path: Path) -> None:
    inputs = [desk / name for name in ("photo.png", "broken.jpg", "missing.jpg", "alpha.png", "bordered.png")]
    done = run("transform", *inputs, "-o", f"{tmp_path}/new/folder/", "--operations", SMALL, "--jobs", "2")
    assert done.returncode == 1
    assert names_in(tmp_path / "new" / "folder") == ["alpha.png", "bordered.png", "photo.png"]
    assert f"{desk}/broken.jpg: " in said(done)
    assert f"{desk}/missing.jpg: can't be read: no such file or directory" in said(done)
    assert "3 of 5 images done, 2 failed" in said(done)


def test_named_outputs_of_one_decode(desk: Path, tmp_path: Path) -> None:
    outputs = [
        {"name": "avatar", "operations": [*json.loads(SMALL), {"type": "convert", "format": "webp"}]},
        {"name": "page", "operations": json.loads(SMALL)},
    ]
    done = run("transform", desk / "photo.png", "-o", f"{tmp_path}/", "--outputs", json.dumps(outputs))
    assert (done.returncode, names_in(tmp_path)) == (0, ["photo.avatar.webp", "photo.page.png"])


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["photo.png", "-o", "x.webp", "--operations", "[{]"], "--operations: the value is no JSON"),
        (["photo.png", "-o", "x.webp", "--operations", "@no.json"], "no.json can't be read: no such file"),
        (["photo.png", "-o", "x.wepb"], "no format is written as .wepb"),
        (["photo.png", "-o", "x.tiff"], "no format is written as .tiff"),
        (
            ["photo.png", "-o", "x.png", "--operations", '[{"type": "convert", "format": "webp"}]'],
            "x.png: the operations make webp, but the suffix says png",
        ),
        (["photo.png", "alpha.png", "-o", "x.webp"], "several images need a folder"),
        (["photo.png", "-o", "x.webp", "--outputs", "[]"], "named outputs need a folder"),
        (["photo.png", "-o", "x/", "--outputs", "[]", "--operations", "[]"], "either --operations or --outputs"),
        (["photo.png", "photo.jpg", "-o", "x/"], "would both be written as x/photo.*"),
        (["-", "-", "-o", "x/"], "stdin can be read only once"),
        (["-", "-o", "x.webp", "--operations", "@-"], "stdin can be read only once"),
        (["-", "-o", "x/", "--outputs", "@-"], "stdin can be read only once"),
        (["photo.png", "-o", ""], "--output: expected a file, a folder or -"),
        (["photo.png", "-o", "x/", "--outputs", ""], "--outputs: the value is no JSON"),
        (["photo.png", "-o", "x.webp", "--operations", f"[{'1' * 5000}]"], "has too many digits"),
        (["photo.png", "-o", "x.webp", "--jobs", "0"], "--jobs: 0 is no value for it; expected greater than"),
        (["photo.png", "-o", "x.webp", "--jobs", "1025"], "--jobs: 1025 is no value for it; expected less than"),
        (["photo.png", "-o", "x.webp", "--deadline", "0"], "--deadline: 0.0 is no value for it; expected greater"),
        (
            ["photo.png", "-o", "x", "--operations", '[{"type": "resize", "width_in_px": 0}]'],
            "operations[0].height_in_px: field required",
        ),
    ],
)
def test_wrong_calls_are_told_before_any_work(desk: Path, arguments: list[str], sentence: str) -> None:
    before = names_in(desk)
    done = run("transform", *arguments, cwd=desk)
    assert done.returncode == 2
    assert sentence in said(done)
    assert names_in(desk) == before


def test_wrong_settings_are_told_by_name(desk: Path) -> None:
    wrong = {"IMAGEPLANE_ENGINE__COUNT": "none", "IMAGEPLANE_HEIC": "perhaps"}
    done = run("transform", "photo.png", "-o", "x.webp", cwd=desk, env=os.environ | wrong)
    assert done.returncode == 2
    for name in wrong:
        assert f"Error: {name}: " in said(done)


@pytest.mark.parametrize("place", ["missing/x.webp", "broken.jpg/x.webp", "/dev/full"])
def test_a_place_that_cannot_be_written_fails_clearly(desk: Path, place: str) -> None:
    if place == "/dev/full" and not Path(place).exists():
        pytest.skip("this system has no full device")
    done = run("transform", "photo.png", "-o", place, cwd=desk)
    assert done.returncode == 1
    assert f"{place} can't be written: " in said(done)
    assert Path("/dev/null").is_char_device()


def test_a_folder_that_cannot_be_made_is_a_wrong_call(desk: Path) -> None:
    done = run("transform", "photo.png", "-o", "broken.jpg/", cwd=desk)
    assert (done.returncode, "the folder broken.jpg can't be made" in said(done)) == (2, True)


def test_sources_in_the_same_folder_are_never_replaced(desk: Path) -> None:
    before = (desk / "photo.png").read_bytes()
    done = run("transform", "photo.png", "-o", ".", "--operations", SMALL, cwd=desk)
    assert done.returncode == 1
    assert "it is one of the sources" in said(done)
    assert (desk / "photo.png").read_bytes() == before


def test_work_past_the_deadline_is_given_up(desk: Path, tmp_path: Path) -> None:
    done = run("transform", desk / "photo.png", "-o", tmp_path / "x.avif", "--deadline", "0.001")
    assert (done.returncode, "time" in said(done)) == (1, True)
    assert names_in(tmp_path) == []


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupted_run_leaves_only_whole_files(tmp_path: Path, number: signal.Signals, code: int) -> None:
    source, results = tmp_path / "photo.png", tmp_path / "results"
    pyvips.Image.new_from_array(pictures.photo(1210, 947)).write_to_file(str(source))
    inputs = [tmp_path / f"{index}.png" for index in range(300)]
    for link in inputs:
        link.symlink_to(source)
    operations = json.dumps([{"type": "convert", "format": "webp"}])
    with subprocess.Popen(
        [*COMMAND, "transform", *map(str, inputs), "-o", f"{results}/", "--operations", operations],
        stderr=subprocess.PIPE,
    ) as command:
        patience = time.monotonic() + PATIENCE_IN_S
        while not results.is_dir() or not any(results.glob("*.webp")):
            assert time.monotonic() < patience
            time.sleep(0.005)
        engines = psutil.Process(command.pid).children()
        command.send_signal(number)
        _, words = command.communicate(timeout=10)
    assert (command.returncode, b"Traceback" in words, b"Interrupted" in words) == (code, False, True)
    assert engines
    assert not any(engine.is_running() and engine.status() != psutil.STATUS_ZOMBIE for engine in engines)
    assert 0 < len(names_in(results)) < 300
    for result in results.iterdir():
        assert size_and_loader(result) == (1210, 947, "webp")
        pyvips.Image.new_from_file(str(result)).avg()
