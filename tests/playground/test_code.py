"""The code that the playground offers to copy does what the playground did."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from picture_server import PictureServer
from PIL import Image
from playwright.sync_api import Page, expect
from server import Server
from typescript import package
from visits import Visit, choose, photo

_PYTHON_CLIENT = Path(__file__).parents[2] / "sdks" / "python" / "src"
# What a shell, a form and a string could stumble over.
_ODD_NAME = 'it\'s "a" photo, really; $HOME.jpg'


def copied(page: Page, language: str) -> str:
    """Copy the code in a language, as a visitor does."""
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_role("radio", name=language).check()
    page.get_by_role("button", name="Copy").click()
    expect(page.locator("#status")).to_have_text("The code is copied.")
    text: str = page.evaluate("navigator.clipboard.readText()")
    return text


def do(command: list[str], folder: Path, key: str, **environment: str) -> None:
    """Run what was copied in a folder, with the key where the code looks for it."""
    done = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, "IMAGEPLANE_KEY": key, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr


def sizes(folder: Path) -> dict[str, tuple[int, int]]:
    """Give the size of every WebP in a folder."""
    found = {}
    for path in sorted(folder.glob("*.webp")):
        with Image.open(path) as picture:
            found[path.name] = picture.size
    return found


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Give a folder with the photo under the name that the page was given."""
    (tmp_path / _ODD_NAME).write_bytes(photo()["buffer"])
    return tmp_path


THREE = {"avatar.webp": (200, 200), "card.webp": (800, 600), "social.webp": (1200, 630)}


def test_the_curl_line_runs(page: Page, server: Server, folder: Path) -> None:
    choose(page, name=_ODD_NAME)
    text = copied(page, "curl")
    assert server.key not in text
    do(["bash", "-euc", text], folder, server.key)
    assert sizes(folder) == {"result.webp": (200, 200)}
    page.get_by_role("button", name="All at once").click()
    do(["bash", "-euc", copied(page, "curl")], folder, server.key)
    assert re.findall(r'"name":"(\w+)"', (folder / "pictures.json").read_text("utf-8")) == ["avatar", "card", "social"]


def test_the_curl_line_of_a_url_runs(
    visit: Visit, open_server: Server, pictures: PictureServer, tmp_path: Path
) -> None:
    page = visit(open_server)
    url = page.get_by_label("or have the server fetch one")
    url.fill(f"{pictures.url}/photo.jpg")
    url.press("Enter")
    expect(page.locator("#photo-facts")).to_contain_text("60 × 40")
    do(["bash", "-euc", copied(page, "curl")], tmp_path, open_server.key)
    assert sizes(tmp_path) == {"result.webp": (200, 200)}


def test_the_python_program_runs(page: Page, server: Server, folder: Path) -> None:
    choose(page, name=_ODD_NAME)
    environment: dict[str, Any] = {"PYTHONPATH": str(_PYTHON_CLIENT)}
    do([sys.executable, "-W", "error", "-c", copied(page, "Python")], folder, server.key, **environment)
    assert sizes(folder) == {"result.webp": (200, 200)}
    (folder / "result.webp").unlink()
    page.get_by_role("button", name="All at once").click()
    do([sys.executable, "-W", "error", "-c", copied(page, "Python")], folder, server.key, **environment)
    assert sizes(folder) == THREE


def test_the_typescript_program_runs(page: Page, server: Server, folder: Path, request: pytest.FixtureRequest) -> None:
    client = package(request)
    # What a program imports is looked up from where it lies; the photo, from where it is run.
    program = client.folder / "playground.mjs"
    choose(page, name=_ODD_NAME)
    program.write_text(copied(page, "TypeScript"), "utf-8")
    do(["node", str(program)], folder, server.key)
    assert sizes(folder) == {"result.webp": (200, 200)}
    (folder / "result.webp").unlink()
    page.get_by_role("button", name="All at once").click()
    program.write_text(copied(page, "TypeScript"), "utf-8")
    do(["node", str(program)], folder, server.key)
    assert sizes(folder) == THREE
