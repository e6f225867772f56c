"""`imageplane explain` prints the plan and does nothing else."""

import json
import subprocess
import sys
from pathlib import Path

import pictures
import pytest
import pyvips

RESIZE = {"type": "resize", "width_in_px": 121, "height_in_px": 73, "fit": "cover"}


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "imageplane.cli", "explain", *map(str, arguments)]
    return subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)


@pytest.fixture(scope="module")
def photo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("explain") / "photo.jpg"
    pyvips.Image.new_from_array(pictures.photo(1210, 947)).write_to_file(str(path))
    return path


def test_the_plan_names_decoder_steps_and_target(photo: Path) -> None:
    file = photo.with_name("ops.json")
    file.write_text(json.dumps([RESIZE, {"type": "convert", "format": "webp", "quality": 71}]))
    done = run(photo, file)
    assert (done.returncode, done.stderr) == (0, "")
    for words in ("jpeg", "1210×947", "shrunk by", "resize", "121×73", "webp", "71"):
        assert words in done.stdout


def test_outputs_are_explained_each(photo: Path) -> None:
    outputs = [{"name": "one", "operations": [RESIZE]}, {"name": "two", "operations": []}]
    done = run(photo, json.dumps({"outputs": outputs}))
    assert done.returncode == 0
    assert "one" in done.stdout
    assert "two" in done.stdout


@pytest.mark.parametrize(
    ("image", "operations", "code", "sentence"),
    [
        ("photo.jpg", "no.json", 2, "no.json can't be read"),
        ("photo.jpg", '[{"type": "resize"}]', 2, "operations[0].width_in_px: field required"),
        ("missing.jpg", "[]", 1, "missing.jpg: can't be read"),
        (
            "photo.jpg",
            '[{"type": "crop", "left_in_px": 9999, "top_in_px": 0, "width_in_px": 1, "height_in_px": 1}]',
            1,
            "operations[0]",
        ),
    ],
)
def test_failures_are_one_sentence(photo: Path, image: str, operations: str, code: int, sentence: str) -> None:
    done = run(photo.with_name(image), operations)
    assert (done.returncode, done.stdout) == (code, "")
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("operations", ["-", "@-"])
def test_stdin_is_one_thing_only(operations: str) -> None:
    done = run("-", operations)
    assert (done.returncode, "stdin can be read only once" in done.stderr) == (2, True)
