"""From a clone to a thumbnail, as the README says: `make serve`, a sign-up in a browser, the playground, both clients.

`make newcomer` runs it; it sets everything up anew, which takes minutes where nothing was downloaded before.
"""

import contextlib
import http.client
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from browser import visiting
from PIL import Image
from playwright.sync_api import Browser
from server import free_port
from typescript import Package, examples, package
from visits import downloaded, photo, run, sign_up

ROOT: Final = Path(__file__).resolve().parents[2]
_PATIENCE_IN_S: Final = 1200.0

pytestmark = [
    pytest.mark.skipif("NEWCOMER" not in os.environ, reason="it sets up a clone from nothing; `make newcomer` runs it"),
    pytest.mark.timeout(_PATIENCE_IN_S + 300),
]


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a fresh clone of what is committed."""
    folder = tmp_path_factory.mktemp("newcomer") / "imageplane"
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(folder)], check=True)
    return folder


@pytest.fixture(scope="module")
def environment(clone: Path) -> dict[str, str]:
    """Give the environment of somebody who never had anything to do with Imageplane."""
    theirs = {"VIRTUAL_ENV", "PYTHONPATH", "MAKEFLAGS", "MAKELEVEL", "MFLAGS"}
    own = {name: value for name, value in os.environ.items() if name not in theirs and "IMAGEPLANE" not in name}
    return {**own, "IMAGEPLANE_DATA_DIR": str(clone.parent / "data")}


@pytest.fixture(scope="module")
def url(clone: Path, environment: dict[str, str]) -> Iterator[str]:
    """Give the address of what `make serve` has started in the clone."""
    port, log = free_port(), clone.parent / "log"
    command = ["make", "serve", f"PORT={port}", f"PYTHON={sys.executable}"]
    with log.open("wb") as written:
        making = subprocess.Popen(command, cwd=clone, env=environment, stdout=written, stderr=subprocess.STDOUT)
        try:
            _await_ready(making, port, log)
            yield f"http://127.0.0.1:{port}"
        finally:
            making.terminate()
            making.wait(60)


def _await_ready(making: "subprocess.Popen[bytes]", port: int, log: Path) -> None:
    give_up_at = time.monotonic() + _PATIENCE_IN_S
    while time.monotonic() < give_up_at and making.poll() is None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        with contextlib.closing(connection), contextlib.suppress(OSError):
            connection.request("GET", "/health/ready")
            if connection.getresponse().status == 200:
                return
        time.sleep(0.2)
    raise AssertionError(f"`make serve` did not come that far:\n{log.read_text()[-5000:]}")


@pytest.fixture
def typescript_package(request: pytest.FixtureRequest) -> Package:
    """Give the TypeScript client, built, or skip."""
    return package(request)


def test_from_a_clone_to_a_thumbnail_in_three_ways(  # noqa: PLR0917 - all that a newcomer meets
    clone: Path,
    url: str,
    environment: dict[str, str],
    browser: Browser,
    typescript_package: Package,
    tmp_path: Path,
) -> None:
    with visiting(browser, url) as page:
        key = sign_up(page)
        page.get_by_role("link", name="drop a photo into the playground").click()
        page.get_by_label("Choose a file").set_input_files(photo())
        run(page)
        of_the_playground = downloaded(page, tmp_path)
    theirs = {**environment, "IMAGEPLANE_KEY": key, "IMAGEPLANE_BASE_URL": url}
    (tmp_path / "upload.jpg").write_bytes(photo()["buffer"])
    of_python = _by_python(clone, theirs, tmp_path)
    of_typescript = _by_typescript(typescript_package, theirs, tmp_path)
    for thumbnail, kind in ((of_the_playground, "WEBP"), (of_python, "WEBP"), (of_typescript, "JPEG")):
        with Image.open(thumbnail) as image:
            assert (image.format, image.size) == (kind, (200, 200)), thumbnail


def _by_python(clone: Path, environment: dict[str, str], folder: Path) -> Path:
    """Install the client as its README says, and run the first program there."""
    python = folder / "venv" / "bin" / "python"
    subprocess.run([sys.executable, "-m", "venv", str(folder / "venv")], check=True)
    subprocess.run([python, "-m", "pip", "install", "--quiet", str(clone / "sdks" / "python")], check=True)
    page = (clone / "sdks" / "python" / "README.md").read_text("utf-8")
    program = page.partition("```python\n")[2].partition("```")[0]
    subprocess.run([python, "-c", program], cwd=folder, env=environment, check=True)
    return (folder / "avatar.webp").rename(folder / "python.webp")


def _by_typescript(package: Package, environment: dict[str, str], folder: Path) -> Path:
    """Run the program of the README that takes a file of a disk."""
    (number,) = [number for number, text in enumerate(examples()) if "fromPath(" in text]
    package.checked("node", str(package.example(number, {})), cwd=folder, environment=environment)
    return folder / "avatar.jpg"
