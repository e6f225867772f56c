"""The laws of the house that a machine can see; import directions are import-linter's part of `make lint`."""

import ast
import re
import subprocess
from pathlib import Path

import pytest

from imageplane.operations import catalog

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "imageplane"
MODULES = sorted(SOURCE.rglob("*.py"))
FORBIDDEN_NAMES = {"utils", "helpers", "common", "core", "base", "misc", "manager"}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_a_file_stays_small_enough_to_read(path: Path) -> None:
    assert len(path.read_text("utf-8").splitlines()) <= 300
    assert path.stem not in FORBIDDEN_NAMES


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_a_function_stays_small_enough_to_read(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert (node.end_lineno or 0) - node.lineno < 40, f"{node.name} is longer than 40 lines"


@pytest.mark.parametrize("path", sorted((SOURCE / "pipeline").glob("*.py")), ids=lambda path: path.name)
def test_the_pipeline_names_no_operation(path: Path) -> None:
    words = {
        node.value
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    assert not words & set(catalog())


@pytest.mark.parametrize("name", catalog())
def test_the_file_name_of_an_operation_is_its_wire_type(name: str) -> None:
    assert catalog()[name].model_fields["type"].default == name
    assert catalog()[name].__name__ == "".join(part.capitalize() for part in name.split("_"))


def test_every_file_of_operations_is_in_the_catalog() -> None:
    files = {path.stem for path in (SOURCE / "operations").glob("*.py")} - {"__init__"}
    assert files == set(catalog())


def test_no_tracked_file_names_a_place_of_one_machine() -> None:
    names = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False).stdout.split(
        "\n"
    )
    private = re.compile(r"(?<![\w.])/(?:home|root|Users|opt|work)/\w")
    here = Path(__file__).resolve()
    for name in filter(None, names):
        path = ROOT / name
        if path.suffix in {".png", ".jpg", ".webp"} or not path.is_file() or path.resolve() == here:
            continue
        found = private.search(path.read_text("utf-8", errors="replace"))
        assert found is None, f"{name}: {found and found[0]}"


@pytest.mark.parametrize("path", sorted((ROOT / "requirements").glob("*.txt")), ids=lambda path: path.name)
def test_a_lock_says_what_and_never_from_where(path: Path) -> None:
    text = path.read_text("utf-8")
    assert "--hash=sha256:" in text
    assert "://" not in text
