"""Every page is true: its commands run as printed, its code runs, its JSON is valid, its links lead somewhere."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pictures
import pytest
from PIL import Image
from server import Server

from imageplane.operations import parse

ROOT = Path(__file__).parents[2]
NODE = shutil.which("node")
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), ROOT / "benchmarks" / "README.md"])


def blocks(language: str) -> list[tuple[str, str]]:
    """Give every program of the pages in a language; programs of clients of the API run with the tests of these."""
    return [
        (page.name, block)
        for page in PAGES
        for block in re.findall(rf"```{language}\n(.*?)```", page.read_text("utf-8"), re.DOTALL)
    ]


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a folder as a reader of the pages has it: an upload, a file of operations, and the program."""
    Image.fromarray(pictures.photo(1203, 877)).save(tmp_path / "upload.jpg")
    (tmp_path / "ops.json").write_text('[{"type": "resize", "width_in_px": 99, "height_in_px": 99, "fit": "inside"}]')
    (tmp_path / ".venv").mkdir()
    (tmp_path / ".venv" / "bin").symlink_to(Path(sys.executable).parent)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.usefixtures("desk")
@pytest.mark.parametrize(("page", "script"), [pair for pair in blocks("sh") if "make " not in pair[1]])
def test_a_command_runs_as_printed(page: str, script: str, server: Server) -> None:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**server.environment, "PATH": path, "IMAGEPLANE_KEY": server.key}
    # The pages talk to the port that `make serve` chooses.
    script = script.replace("http://127.0.0.1:8000", server.url)
    run = subprocess.run(["bash", "-euc", script], capture_output=True, text=True, check=False, env=environment)
    assert run.returncode == 0, f"{page}: {script}\n{run.stdout}{run.stderr}"


@pytest.mark.usefixtures("desk")
@pytest.mark.parametrize(("page", "code"), [pair for pair in blocks("python") if "client" not in pair[1]])
def test_code_runs(page: str, code: str) -> None:
    exec(compile(code, page, "exec"), {})  # noqa: S102 - our own pages


@pytest.mark.parametrize(("page", "text"), blocks("json"))
def test_json_is_a_valid_request(page: str, text: str) -> None:
    value = json.loads(text)
    lists = [value if isinstance(value, list) else [value]]
    if isinstance(value, dict) and "file" in value:
        lists = [each["operations"] for each in value.get("outputs", [value])]
    for each in lists:
        operations, warnings = parse(each)
        assert operations, page
        assert not warnings, page


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#\s]+)", page.read_text("utf-8")):
        if "://" not in target:
            assert (page.parent / target).exists(), f"{page.name}: {target}"


@pytest.mark.skipif(NODE is None, reason="Node is not here; https://nodejs.org/en/download has it")
@pytest.mark.parametrize(("page", "code"), blocks("js"))
def test_javascript_can_be_read(page: str, code: str, tmp_path: Path) -> None:
    (tmp_path / "program.mjs").write_text(code)
    run = subprocess.run(["node", "--check", "program.mjs"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert run.returncode == 0, f"{page}: {run.stderr}"


def test_every_make_target_of_the_pages_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    for page in PAGES:
        named = set(re.findall(r"(?:^|`)make ([a-z-]+)", page.read_text("utf-8"), re.MULTILINE))
        assert named <= targets, f"{page.name}: {named - targets}"
