"""Bulk runs as a person starts them: in a process of their own, with real engines, files and servers."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pictures as made
import pytest
import pyvips
from picture_server import PICTURES, PictureServer

COMMAND = [sys.executable, "-m", "imageplane.cli", "bulk", "run"]
PATIENCE_IN_S = 120
SMALL = [{"type": "resize", "width_in_px": 41, "height_in_px": 23, "fit": "cover"}]
OUTPUTS = [
    {"name": "avatar", "operations": [*SMALL, {"type": "convert", "format": "webp"}]},
    {"name": "card", "operations": SMALL},
]


def run(*arguments: str | Path, **options: Any) -> subprocess.CompletedProcess[bytes]:
    command = [*COMMAND, *map(str, arguments)]
    return subprocess.run(command, check=False, capture_output=True, timeout=PATIENCE_IN_S, **options)


def said(done: subprocess.CompletedProcess[bytes]) -> str:
    assert b"Traceback" not in done.stderr
    return " ".join(done.stderr.decode().split())


def outputs_in(folder: Path) -> dict[str, tuple[int, int]]:
    return {
        str(path.relative_to(folder)): (path.stat().st_ino, path.stat().st_mtime_ns)
        for path in folder.rglob("*")
        if path.is_file() and ".imageplane" not in path.parts
    }


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("IMAGEPLANE_ENGINE__COUNT", "1")
    monkeypatch.setenv("IMAGEPLANE_MODELS_DIR", str(tmp_path / "models"))
    monkeypatch.chdir(tmp_path)
    for name, kind in (("a", "jpg"), ("a", "png"), ("sub/b", "webp")):
        path = tmp_path / "photos" / f"{name}.{kind}"
        path.parent.mkdir(parents=True, exist_ok=True)
        made.image("photo").write_to_file(str(path))
    (tmp_path / "photos" / "notes.txt").touch()
    (tmp_path / "outputs.json").write_text(json.dumps(OUTPUTS))
    return tmp_path


def test_a_folder_is_made_once_and_a_failure_is_reported(desk: Path) -> None:
    (desk / "photos" / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 this is no picture")
    done = run("photos", "--outputs", "outputs.json", "--to", "thumbs", "--report", "report.jsonl")
    assert done.returncode == 1
    assert "3 images made" in said(done)
    assert "1 × undecodable_image, such as broken.jpg: " in said(done)
    assert "not named like an image: 1 file" in said(done)
    (line,) = (desk / "report.jsonl").read_text().splitlines()
    assert json.loads(line).items() >= {"name": "broken.jpg", "path": "photos/broken.jpg", "tries": 1}.items()
    first = outputs_in(desk / "thumbs")
    names = ("a.jpg.avatar.webp", "a.jpg.card.jpg", "a.png.avatar.webp", "a.png.card.png")
    assert set(first) == {*names, "sub/b.webp.avatar.webp", "sub/b.webp.card.webp"}
    for name in first:
        image = pyvips.Image.new_from_file(str(desk / "thumbs" / name))
        assert (image.width, image.height) == (41, 23)
    again = run("photos", "--outputs", "@outputs.json", "--to", f"{(desk / 'thumbs').as_uri()}")
    assert (again.returncode, "0 images made, 3 skipped" in said(again)) == (1, True)
    assert outputs_in(desk / "thumbs") == first


def test_only_what_changed_is_made_anew(desk: Path) -> None:
    assert run("photos", "--outputs", "outputs.json", "--to", "thumbs").returncode == 0
    first = outputs_in(desk / "thumbs")
    made.image("bordered").write_to_file(str(desk / "photos" / "a.jpg"))
    done = run("photos", "--outputs", "outputs.json", "--to", "thumbs")
    assert "1 image made" in said(done)
    second = outputs_in(desk / "thumbs")
    assert {name for name in first if first[name] != second[name]} == {"a.jpg.avatar.webp", "a.jpg.card.jpg"}


def test_a_manifest_of_urls_paths_and_keys(desk: Path, pictures: PictureServer) -> None:
    name = next(name for name in PICTURES if name.endswith((".jpg", ".jpeg", ".png")))
    lines = [
        {"url": f"{pictures.url}/{name}", "name": "from-a-url"},
        {"url": f"{pictures.url}/missing.jpg?secret=1", "name": "missing"},
        {"path": "photos/a.jpg", "name": "from-a-path"},
        {"key": "sub/b.webp", "name": "from-a-key"},
    ]
    (desk / "list.jsonl").write_text("\n".join(json.dumps(line) for line in lines))
    open_wide = {"IMAGEPLANE_SOURCES__ALLOW_HTTP": "on", "IMAGEPLANE_SOURCES__ALLOW_PRIVATE_NETWORKS": "on"}
    arguments = ("list.jsonl", "--from", "photos", "--to", "thumbs", "--operations", json.dumps(SMALL))
    done = run(*arguments, "--report", "report.jsonl", env=os.environ | open_wide)
    assert done.returncode == 1
    assert "3 images made" in said(done)
    assert {Path(each).stem for each in outputs_in(desk / "thumbs")} == {"from-a-url", "from-a-path", "from-a-key"}
    (line,) = (desk / "report.jsonl").read_text().splitlines()
    assert (json.loads(line)["code"], json.loads(line)["line"]) == ("unreachable_source", 2)
    assert "secret" not in line + said(done)
    assert pictures.paths.count("/missing.jpg?secret=1") == 1
    again = run(*arguments, env=os.environ | open_wide)
    assert "0 images made, 3 skipped" in said(again)
    refused = run("list.jsonl", "--from", "photos", "--to", "other", "--operations", json.dumps(SMALL))
    assert "refused_source" in said(refused)


def test_outputs_that_were_deleted_are_looked_for(desk: Path) -> None:
    run("photos", "--outputs", "outputs.json", "--to", "thumbs")
    (desk / "thumbs" / "a.png.card.png").unlink()
    done = run("photos", "--outputs", "outputs.json", "--to", "thumbs", "--verify")
    assert "1 image made" in said(done)
    assert (desk / "thumbs" / "a.png.card.png").exists()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["photos", "--to", "thumbs"], "either --outputs or --operations"),
        (["photos", "--to", "thumbs", "--outputs", "[]", "--operations", "[]"], "either --outputs or --operations"),
        (["photos", "--to", "thumbs", "--outputs", "no.json"], "no.json can't be read: no such file"),
        (["photos", "--to", "thumbs", "--outputs", "[]"], "outputs: expected a list of 1 to 20 outputs"),
        (["nothing", "--to", "thumbs", "--operations", "[]"], "'nothing' is no folder, no address of a store"),
        (["ftp://x/y", "--to", "thumbs", "--operations", "[]"], "ftp://x/y: expected a folder, or an s3://"),
        (["photos", "--to", "photos/thumbs", "--operations", "[]"], "lie within one another"),
        (["photos", "--to", "outputs.json", "--operations", "[]"], "can't be written; choose another folder"),
        (["photos", "--to", "thumbs", "--operations", "[]", "--report", "no/r"], "no/r can't be written: no such file"),
        (["keys.jsonl", "--to", "thumbs", "--operations", "[]"], "keys.jsonl, line 1: a key needs the address"),
    ],
)
def test_wrong_calls_are_told(desk: Path, arguments: list[str], sentence: str) -> None:
    (desk / "keys.jsonl").write_text('{"key": "a.jpg"}\n')
    done = run(*arguments)
    assert (done.returncode, sentence in said(done)) == (2, True), said(done)
