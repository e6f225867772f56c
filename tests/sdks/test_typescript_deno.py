"""The TypeScript client under Deno: programs of its README, with no more rights than they need."""

import shutil
import subprocess
from typing import Final

import pytest
from readme import Readme
from server import Server

NO_DENO: Final = "Deno 2 is not here; npm install --global deno has it"
_OLDEST: Final = 2


@pytest.fixture
def deno(open_server: Server) -> tuple[str, ...]:
    """Give what runs a program that may talk to the server, read and write its folder, and nothing else; or skip."""
    found = shutil.which("deno")
    if found is None:
        pytest.skip(NO_DENO)
    version = subprocess.run([found, "--version"], capture_output=True, text=True, check=True).stdout.split()[1]
    if int(version.partition(".")[0]) < _OLDEST:
        pytest.skip(NO_DENO)
    host = open_server.url.removeprefix("http://")
    rights = [
        f"--allow-net={host}",
        "--allow-env=IMAGEPLANE_KEY,IMAGEPLANE_BASE_URL",
        "--allow-read=.",
        "--allow-write=.",
    ]
    return found, "run", "--no-prompt", "--quiet", *rights


def test_three_sizes_at_once(readme: Readme, deno: tuple[str, ...]) -> None:
    assert len(readme.run("Promise.all", *deno).split()) == 3


def test_bytes_of_a_file_of_a_disk(readme: Readme, deno: tuple[str, ...]) -> None:
    readme.run("fromPath(", *deno)
    assert readme.picture("avatar.jpg") == ("JPEG", (200, 200))


def test_a_job(readme: Readme, deno: tuple[str, ...]) -> None:
    assert int(readme.run("JobFailedError", *deno)) > 0


def test_errors(readme: Readme, deno: tuple[str, ...]) -> None:
    assert "400 invalid_request req_" in readme.run("RateLimitError", *deno)
