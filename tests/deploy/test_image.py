"""The image, without a daemon: what the Dockerfile says, and its steps as far as they can be taken here."""

import base64
import contextlib
import http.client
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import container
import dockerfile
import psutil
import pytest
from dockerfile import ROOT
from packaging.requirements import Requirement
from server import TRANSFORM, free_port

LAST = dockerfile.instructions()[-1].stage
SVG = '<svg xmlns="http://www.w3.org/2000/svg" width="99" height="55"><text y="30">Words</text></svg>'


def one(word: str) -> dockerfile.Instruction:
    (found,) = dockerfile.of(word, LAST)
    return found


def pins(name: str) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for line in (ROOT / "requirements" / name).read_text("utf-8").splitlines():
        if re.match(r"[a-z0-9]", line):
            requirement = Requirement(line.partition(" \\")[0])
            found.setdefault(requirement.name, set()).add(str(requirement.specifier))
    return found


def test_what_is_copied_exists_and_is_let_through() -> None:
    ignored = (ROOT / ".dockerignore").read_text("utf-8").splitlines()
    assert ignored[:2] == ["# Only what the Dockerfile copies.", "*"]
    assert {line[1:] for line in ignored if line.startswith("!")} == set(dockerfile.copied())
    for source in dockerfile.copied():
        assert (ROOT / source).exists(), source


def test_every_image_that_it_stands_on_has_a_tag() -> None:
    (version,) = (each.text for each in dockerfile.of("ARG", -1))
    assert {each.text.partition(" ")[0] for each in dockerfile.of("FROM")} == {"python:${PYTHON}"}
    assert re.fullmatch(r"PYTHON=3\.\d+-slim-[a-z]+", version)
    least = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["requires-python"]
    assert version.startswith(f"PYTHON={least.removeprefix('>=')}-")


def test_it_runs_as_nobody_in_particular_and_is_asked_without_a_shell(variables: frozenset[str]) -> None:
    user, group = one("USER").text.split(":")
    assert int(user) == int(group) == container.USER
    assert one("ENTRYPOINT").list == ["imageplane"]
    assert one("CMD").list == ["serve", "--host", "0.0.0.0"]  # noqa: S104 - in a container
    check = one("HEALTHCHECK").text
    assert json.loads(check[check.index("[") :]) == ["imageplane", "health"]
    assert one("STOPSIGNAL").text == "SIGTERM"
    (data,) = re.findall(r"IMAGEPLANE_DATA_DIR=(\S+)", one("ENV").text)
    assert one("VOLUME").text == one("WORKDIR").text == data
    assert set(re.findall(r"IMAGEPLANE_\w+", (ROOT / "Dockerfile").read_text("utf-8"))) <= variables


def test_the_lock_of_the_image_holds_that_of_the_server_and_more() -> None:
    image, runtime = pins("image.txt"), pins("runtime.txt")
    assert {name: image.get(name) for name in runtime} == runtime
    assert {"redis", "opentelemetry-sdk", "mcp", "pillow-heif"} <= set(image)


def test_what_it_takes_off_again_is_needed_for_building_only() -> None:
    (step,) = (each.text for each in dockerfile.of("RUN") if "uninstall --yes hatchling" in each.text)
    taken = set(step.partition("uninstall --yes ")[2].partition(" &&")[0].split())
    lock = (ROOT / "requirements" / "image.txt").read_text("utf-8")
    for name in taken & set(pins("image.txt")):
        (why,) = re.findall(rf"^{name}==.*?\n((?:    .*\n)+)", lock, re.MULTILINE)
        users = set(re.findall(r"^ +# (?:via|  ) ?([a-z][a-z0-9-]*)", why, re.MULTILINE))
        assert users <= {"imageplane", *taken}, name


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give what `pip install .` makes of the files that the Dockerfile copies, and of them alone."""
    folder = tmp_path_factory.mktemp("image")
    for source in dockerfile.copied():
        target = folder / "build" / source
        target.parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / source).is_dir():
            shutil.copytree(ROOT / source, target, ignore=shutil.ignore_patterns("__pycache__", "*.so", "node_modules"))
        else:
            shutil.copy(ROOT / source, target)
    (step,) = (each.text for each in dockerfile.of("RUN") if each.text.startswith("pip install --no-deps"))
    options = [*step.removeprefix("pip ").split(), "--quiet", "--disable-pip-version-check"]
    pip = [sys.executable, "-m", "pip", *options, "--target", str(folder / "packages")]
    if subprocess.run([*pip[:3], "--version"], capture_output=True, check=False).returncode != 0:
        pytest.skip("there is no pip in this environment: python -m ensurepip brings it")
    done = subprocess.run(pip, cwd=folder / "build", capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    # As root leaves it in the image: for all to read, and for nobody to change.
    for place in (folder, *folder.parents[:2], *(folder / "packages").rglob("*")):
        place.chmod(place.stat().st_mode | (0o755 if place.is_dir() else 0o444))
    return folder / "packages"


def test_the_package_brings_all_that_the_source_has(packages: Path) -> None:
    source = ROOT / "src" / "imageplane"
    unwanted = {".pyc", ".so"}
    ours = {path.relative_to(source) for path in source.rglob("*") if path.is_file() and path.suffix not in unwanted}
    theirs = {path.relative_to(packages / "imageplane") for path in (packages / "imageplane").rglob("*")}
    assert {path for path in ours if "node_modules" not in path.parts} <= theirs


class Running:
    """A server in the stand-in for a container."""

    def __init__(self, packages: Path, folder: Path) -> None:
        self.port = free_port()
        self.data, self._packages = folder / "data", packages
        self._log = (folder / "log").open("w+b")
        program = [sys.executable, "-m", "imageplane.cli", "serve", "--port", str(self.port)]
        settings = {"IMAGEPLANE_ENGINE__COUNT": "1", "IMAGEPLANE_MODELS_DIR": "/srv"}
        self.process = subprocess.Popen(
            container.command(packages, self.data, program),
            env=container.environment(settings),
            stdout=self._log,
            stderr=self._log,
        )

    @property
    def output(self) -> str:
        return Path(self._log.name).read_text("utf-8", errors="replace")

    def answers(self) -> bool:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=5):
            return True
        return False

    def health(self) -> "subprocess.CompletedProcess[str]":
        """Ask as the image does: by the command, in a container of its own that shares the network."""
        program = [sys.executable, "-m", "imageplane.cli", "health", "--port", str(self.port)]
        command = container.command(self._packages, self.data, program)
        return subprocess.run(
            command, env=container.environment({}), capture_output=True, text=True, check=False, timeout=60
        )

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        self._log.close()

    def stop(self) -> int:
        """End it as `docker stop` does."""
        (first,) = psutil.Process(self.process.pid).children()
        first.terminate()
        return self.process.wait(60)


@pytest.fixture(scope="module")
def running(packages: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    if not container.is_possible():
        pytest.skip(container.ABSENT)
    running = Running(packages, tmp_path_factory.mktemp("container"))
    try:
        while running.process.poll() is None and not running.answers():
            time.sleep(0.05)
        assert running.process.poll() is None, running.output
        yield running
    finally:
        running.close()


def test_it_works_as_another_user_where_it_may_write_nothing_but_its_data(running: Running) -> None:
    key = re.findall(r"ip_live_\w+", running.output)[0]
    body: dict[str, Any] = {"file": {"base64": base64.b64encode(SVG.encode()).decode()}, "operations": []}
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", running.port, timeout=60)) as connection:
        connection.request("POST", TRANSFORM, json.dumps(body), {"Authorization": f"Bearer {key}"})
        reply = connection.getresponse()
        told = json.loads(reply.read())
        assert reply.status == 200, (told, running.output)
        assert told["data"]["mime_type"] == "image/png"
        connection.request("GET", "/docs")
        assert connection.getresponse().status == 200
    (first,) = psutil.Process(running.process.pid).children()
    assert first.uids().effective == container.USER
    assert {path.stat().st_uid for path in running.data.rglob("*")} == {container.USER}


def test_it_really_may_write_nothing_else(running: Running, packages: Path) -> None:
    writable = ["/tmp", str(container.DATA)]  # noqa: S108
    places = [str(container.PACKAGES / "imageplane"), "/usr", "/var", str(ROOT), "/mnt", *writable]
    script = (
        "import sys, tempfile\nfor place in sys.argv[1:]:\n  try: tempfile.TemporaryFile(dir=place); print(place)\n"
    )
    script += "  except OSError: pass"
    command = container.command(packages, running.data, [sys.executable, "-c", script, *places])
    done = subprocess.run(command, env=container.environment({}), capture_output=True, text=True, check=False)
    assert done.stdout.split() == writable, done.stderr


def test_it_says_when_there_is_no_server(capfd: pytest.CaptureFixture[str]) -> None:
    command = [sys.executable, "-m", "imageplane.cli", "health", "--port", str(free_port())]
    assert subprocess.run(command, check=False, env=os.environ).returncode == 1
    assert "No server answers" in capfd.readouterr().err


def test_it_ends_in_peace(running: Running) -> None:
    assert running.health().stdout == "ready\n"
    assert running.stop() == 0, running.output
