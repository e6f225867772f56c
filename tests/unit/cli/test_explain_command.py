"""`imageplane explain` prints the plan, and draws what was seen where it is asked to."""

import json
import os
import subprocess
import sys
from pathlib import Path

import encoded
import numpy as np
import pictures
import pytest
import pyvips
from absent import NO_WEIGHTS, WEIGHTS
from PIL import Image

RESIZE = {"type": "resize", "width_in_px": 121, "height_in_px": 73, "fit": "cover"}
SQUARE = {"type": "smart_crop", "width_in_px": 121, "height_in_px": 121}
YELLOW = (250, 204, 21)


def run(*arguments: str | Path, models: Path | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "imageplane.cli", "explain", *map(str, arguments)]
    environment = {**os.environ, "IMAGEPLANE_MODELS_DIR": str(models or "no-models")}
    return subprocess.run(command, check=False, capture_output=True, text=True, timeout=60, env=environment)


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


def test_what_was_seen_is_drawn_and_told(photo: Path, tmp_path: Path) -> None:
    outputs = [
        {"name": name, "operations": [{**SQUARE, "width_in_px": width}]} for name, width in (("a", 50), ("b", 60))
    ]
    done = run(photo, json.dumps({"outputs": outputs}), "--draw", tmp_path / "seen.JPG")
    assert (done.returncode, done.stderr) == (0, "")
    plan, _, told = done.stdout.partition(f"drawn: {tmp_path / 'seen.JPG'}\n")
    assert "encode jpeg" in plan
    assert [line.split(":")[0] for line in told.splitlines()] == ["  a, operation 0", "  b, operation 0"]
    assert "saliency decided, window 391×947 at " in told
    assert "could not be looked for" in told
    with Image.open(tmp_path / "seen.JPG") as drawing:
        assert (drawing.format, drawing.size) == ("JPEG", (1210, 947))


def test_pictures_that_differ_have_files_of_their_own(photo: Path, tmp_path: Path) -> None:
    file = tmp_path / "seen.webp"
    done = run(photo, json.dumps([SQUARE, {"type": "flip"}, SQUARE]), "--draw", file)
    assert done.returncode == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["seen-1.webp", "seen-2.webp"]
    sizes = [encoded.opened(path.read_bytes()).size for path in sorted(tmp_path.iterdir())]
    assert sizes == [(1210, 947), (640, 640)]
    assert f"drawn: {tmp_path / 'seen-2.webp'}\n  image, operation 2: " in done.stdout


@pytest.mark.parametrize(
    ("file", "operations", "code", "sentence"),
    [
        ("seen.txt", [SQUARE], 2, "expected a file whose name ends with one of .png, .jpg, .jpeg, .webp"),
        ("-", [SQUARE], 2, "expected a file whose name ends with"),
        ("photo.jpg", [SQUARE], 2, "this is the image itself"),
        ("seen.png", [RESIZE], 2, "there is nothing to draw"),
        ("nowhere/seen.png", [SQUARE], 1, "can't be written: no such file or directory"),
        ("seen.png", [{"type": "remove_background"}, SQUARE], 1, "`imageplane models pull` installs it"),
    ],
)
def test_what_can_not_be_drawn_is_one_sentence(
    photo: Path, file: str, operations: list[dict[str, object]], code: int, sentence: str
) -> None:
    done = run(photo, json.dumps(operations), "--draw", photo.parent / file if file != "-" else file)
    assert done.returncode == code
    # The lines of a wrong call are wrapped.
    assert sentence in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr
    assert {path.name for path in photo.parent.iterdir()} <= {"photo.jpg", "ops.json"}


@pytest.mark.skipif(WEIGHTS is None, reason=NO_WEIGHTS)
def test_faces_are_drawn_where_they_are(corpus: Path, tmp_path: Path) -> None:
    file = tmp_path / "seen.png"
    done = run(corpus / "subject" / "s030_obama_and_biden.jpg", json.dumps([SQUARE]), "--draw", file, models=WEIGHTS)
    assert done.returncode == 0, done.stderr
    assert "face decided, window 1000×1000 at " in done.stdout
    with Image.open(file) as drawing:
        rows, columns = np.nonzero((np.asarray(drawing) == YELLOW).all(axis=2))
    # Around both faces as a person drew them, and nowhere in the bright space between the raised hands.
    for left, top, right, bottom in ((532, 240, 693, 470), (784, 240, 966, 430)):
        is_near = (columns > left - 40) & (columns < right + 40) & (rows > top - 60) & (rows < bottom + 40)
        assert is_near.sum() > 500
    assert not ((columns > 200) & (columns < 480) & (rows < 230)).any()
