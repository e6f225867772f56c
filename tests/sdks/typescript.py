"""The TypeScript client: fetched, built and driven."""

import base64
import hashlib
import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import pytest
from calls import Call, Upload
from server import Reply

PACKAGE: Final = Path(__file__).resolve().parents[2] / "sdks" / "typescript"
OPENAPI: Final = PACKAGE.parents[1] / "docs" / "openapi.json"
NO_NODE: Final = "Node 20 with npm is not here; https://nodejs.org/en/download has it"
NO_PACKAGES: Final = "npm can't fetch the packages of sdks/typescript here; with a package registry in reach this runs"
_OLDEST_NODE: Final = 20
_FETCHED_WITHIN_IN_S: Final = 120
_PATIENCE_IN_S: Final = 200
_RETRIES: Final = ("--fetch-retries=1", "--fetch-retry-mintimeout=1000")
_PARTS: Final = ("*.json", ".npmrc", "*.js", "README.md", "LICENSE", "src", "tests")
_AS_EXAMPLES: Final = {"rootDir": ".", "outDir": "js", "declaration": False}
_EXAMPLE: Final = re.compile(r"^```ts\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Package:
    """A copy of the package in the cache of the tests, with its packages and both builds."""

    folder: Path

    def run(
        self, *command: str, cwd: Path | None = None, environment: Mapping[str, str] | None = None
    ) -> "subprocess.CompletedProcess[str]":
        """Run a command in this or another folder, with what npm has brought on its path."""
        path = f"{self.folder / 'node_modules' / '.bin'}{os.pathsep}{os.environ['PATH']}"
        return subprocess.run(
            command,
            cwd=cwd or self.folder,
            env={**os.environ, **(environment or {}), "PATH": path},
            capture_output=True,
            text=True,
            check=False,
            timeout=_PATIENCE_IN_S,
        )

    def checked(self, *command: str, cwd: Path | None = None, environment: Mapping[str, str] | None = None) -> str:
        """Run a command that must succeed, and give what it says."""
        done = self.run(*command, cwd=cwd, environment=environment)
        said = done.stdout + done.stderr
        assert done.returncode == 0, f"{' '.join(command)}:\n{said[-5000:]}"
        return said

    def compiled(self, name: str, programs: Sequence[str]) -> list[Path]:
        """Give programs as JavaScript, in a folder beside the package, under whose name it is found there."""
        folder = self.folder / name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        for number, text in enumerate(programs):
            (folder / f"{number}.mts").write_text(text, "utf-8")
        settings = {"extends": "../tsconfig.json", "include": ["*.mts"], "compilerOptions": _AS_EXAMPLES}
        (folder / "tsconfig.json").write_text(json.dumps(settings))
        self.checked("tsc", "-p", name)
        return [folder / "js" / f"{number}.mjs" for number in range(len(programs))]

    def example(self, number: int, replaced: Mapping[str, str]) -> Path:
        """Give a program of the README as JavaScript, with other addresses in it."""
        folder = self.folder / "examples" / "js"
        text = (folder / f"{number}.mjs").read_text("utf-8")
        for old, new in replaced.items():
            text = text.replace(old, new)
        path = folder / f"{number}.run.mjs"
        path.write_text(text, "utf-8")
        return path


def examples(page: Path = PACKAGE / "README.md") -> list[str]:
    """Give the programs of a page, which is the README unless another is named."""
    return _EXAMPLE.findall(page.read_text("utf-8"))


def package(request: pytest.FixtureRequest) -> Package:
    """Give the package, fetched and built as its sources are now, or skip."""
    if not _has_node():
        pytest.skip(NO_NODE)
    assert request.config.cache is not None
    found = Package(request.config.cache.mkdir("imageplane-client"))
    lock = (PACKAGE / "package-lock.json").read_bytes()
    _once(found, "fetched", lock, _fetch)
    _once(found, "built", _digest_of(_sources()), _build)
    return found


def _has_node() -> bool:
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        return False
    version = subprocess.run([node, "--version"], capture_output=True, text=True, check=True).stdout
    return int(version.removeprefix("v").partition(".")[0]) >= _OLDEST_NODE


def _once(found: Package, step: str, made_of: bytes, do: Any) -> None:
    stamp, wanted = found.folder / f".{step}", hashlib.sha256(made_of).hexdigest()
    if not stamp.is_file() or stamp.read_text() != wanted:
        stamp.unlink(missing_ok=True)
        do(found)
        stamp.write_text(wanted)


def _fetch(found: Package) -> None:
    for name in ("package.json", "package-lock.json", ".npmrc"):
        shutil.copy(PACKAGE / name, found.folder)
    command = ["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts", *_RETRIES]
    try:
        done = subprocess.run(
            command, cwd=found.folder, capture_output=True, text=True, check=False, timeout=_FETCHED_WITHIN_IN_S
        )
    except subprocess.TimeoutExpired:
        pytest.skip(NO_PACKAGES)
    if done.returncode != 0:
        # A lock that is wrong is our own fault, and no reason to skip.
        assert "EUSAGE" not in done.stderr, done.stderr
        pytest.skip(NO_PACKAGES)


def _build(found: Package) -> None:
    for path in found.folder.iterdir():
        if path.name in ("src", "tests", "dist", "examples", "guides"):
            shutil.rmtree(path)
    for path in _sources():
        copy = found.folder / path.relative_to(PACKAGE)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, copy)
    found.checked("npm", "run", "build")
    found.compiled("examples", examples())


def _sources() -> list[Path]:
    paths = [path for part in _PARTS for path in PACKAGE.glob(part)]
    return sorted(each for path in paths for each in ([path] if path.is_file() else path.rglob("*")) if each.is_file())


def _digest_of(paths: Sequence[Path]) -> bytes:
    return b"".join(hashlib.sha256(str(path).encode() + path.read_bytes()).digest() for path in paths)


@dataclass
class Driver:
    """A process of Node that makes the calls of one client after the other."""

    process: "subprocess.Popen[str]" = field(repr=False)

    def make(self, call: Call, base_url: str, max_retries: int) -> Reply:
        """Make a call, and give the reply as the caller of the client learns of it."""
        options: dict[str, Any] = {"headers": dict(call.headers)}
        if call.idempotency_key is not None:
            options["idempotencyKey"] = call.idempotency_key
        order = {
            "client": {"apiKey": call.key, "baseUrl": base_url, "maxRetries": max_retries},
            "method": camel_case(call.method),
            "arguments": [_as_json(each) for each in call.arguments],
            "options": options,
        }
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(order) + "\n")
        self.process.stdin.flush()
        told = json.loads(self.process.stdout.readline() or '{"thrown": "the driver has ended"}')
        assert "thrown" not in told, told["thrown"]
        return Reply(told["status"], told["headers"], base64.b64decode(told["body"]))


def driving(built: Package) -> Iterator[Driver]:
    """Run a driver of a build until there is nothing more to do."""
    command = ["node", str(Path(__file__).with_name("typescript_driver.js")), str(built.folder / "dist" / "esm")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield Driver(process)
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(30) == 0


def camel_case(name: str) -> str:
    """Give the name in TypeScript of what has this name in Python."""
    return re.sub("_(.)", lambda found: found[1].upper(), name)


def _as_json(value: Any) -> Any:
    if isinstance(value, Upload):
        return {"$upload": value.name, "data": base64.b64encode(value.data).decode()}
    if isinstance(value, Mapping):
        return {name: _as_json(each) for name, each in value.items()}
    return value
