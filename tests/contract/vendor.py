"""Iteration Layer's own Python client: the current one, and the last of its first generation."""

import base64
import contextlib
import importlib
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any, Final

import pytest
from picture_server import PICTURES
from server import Server

CURRENT: Final = "2.0.5"
FIRST: Final = "1.1.7"


@dataclass(frozen=True)
class Vendor:
    """One version of the client; the first has other names for its methods, and leaves base64 to its user."""

    version: str
    module: ModuleType
    _clients: dict[tuple[str, str], Any] = field(default_factory=dict, repr=False)

    @property
    def error(self) -> type[Exception]:
        found: type[Exception] = self.module.IterationLayerError
        return found

    def file(self, source: str, name: str, pictures_url: str) -> dict[str, Any]:
        """Give a picture as `url` or `base64`, as the types of the client want it."""
        if source == "url":
            return {"type": "url", "name": name, "url": f"{pictures_url}/{name}"}
        data = PICTURES[name]
        return {"type": "base64", "name": name, "base64": data if self.version == CURRENT else _text(data)}

    def transform(self, server: Server, key: str, file: Any, operations: Any) -> dict[str, str]:
        """Give `buffer`, as base64, and `mime_type`."""
        client = self.client(server, key)
        if self.version == FIRST:
            return dict(client.transform(file=file, operations=operations))
        found = client.transform_image(file=file, operations=operations)
        return {"buffer": _text(found["buffer"]), "mime_type": found["mime_type"]}

    def start(self, server: Server, key: str, file: Any, webhook_url: str) -> Any:
        client = self.client(server, key)
        start = client.transform_async if self.version == FIRST else client.transform_image_async
        return start(file=file, operations=[], webhook_url=webhook_url)

    def client(self, server: Server, key: str) -> Any:
        """Give a client as its users make it, the same for the same key: to make one takes longer than to ask."""
        found = self._clients.get((server.url, key))
        if found is None:
            found = self._clients[server.url, key] = self.module.IterationLayer(key, base_url=server.url)
        return found

    def close(self) -> None:
        for client in self._clients.values():
            client.close()


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()


@pytest.fixture(scope="session", params=[CURRENT, FIRST])
def vendor(request: pytest.FixtureRequest) -> Iterator[Vendor]:
    """Give each version of the client."""
    with contextlib.closing(_installed(request)) as found:
        yield found


def _installed(request: pytest.FixtureRequest) -> Vendor:
    if request.param == CURRENT:
        return Vendor(CURRENT, importlib.import_module("iterationlayer"))
    cache = request.config.cache
    assert cache is not None
    folder = cache.mkdir(f"iterationlayer-{FIRST}")
    if not (folder / "iterationlayer").is_dir():
        _fetch(folder)
    return Vendor(FIRST, _imported_from(folder))


def _fetch(folder: Path) -> None:
    # What it needs is what the current client needs.
    wanted = ["--no-deps", "--target", str(folder), f"iterationlayer=={FIRST}"]
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    if subprocess.run([*pip, "install", *wanted], capture_output=True, check=False).returncode != 0:
        pytest.skip(f"iterationlayer {FIRST} can't be fetched by pip here; with a package index in reach this runs")


def _imported_from(folder: Path) -> ModuleType:
    current = _taken_out()
    sys.path.insert(0, str(folder))
    try:
        return importlib.import_module("iterationlayer")
    finally:
        sys.path.remove(str(folder))
        _taken_out()
        sys.modules.update(current)


def _taken_out() -> dict[str, ModuleType]:
    names = [name for name in sys.modules if name.split(".")[0] == "iterationlayer"]
    return {name: sys.modules.pop(name) for name in names}
