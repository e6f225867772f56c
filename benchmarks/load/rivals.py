"""Other servers for the same work: thumbor and Sharp behind plain HTTP, with as many processes as there are cores."""

import contextlib
import http.client
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psutil

from benchmarks.jobs import Wanted
from benchmarks.load.picture_server import PictureServer
from benchmarks.load.pictures import Body, Picture
from benchmarks.load.server import free_port
from benchmarks.peers import PEERS, ROOT

_CACHE: Final = Path(__file__).parents[1] / ".peers"
_THUMBOR: Final = _CACHE / "thumbor"
_THUMBOR_VERSION: Final = "7.8.0"
_SHARP_SERVER: Final = Path(__file__).parents[1] / "peers" / "sharp_server.mjs"
_START_LIMIT_IN_S: Final = 60.0
# What thumbor keeps for the next request is not asked of the others; everything else is its default.
_THUMBOR_SETTINGS: Final = """
STORAGE = "thumbor.storages.no_storage"
RESULT_STORAGE = None
ALLOWED_SOURCES = ["127.0.0.1"]
HTTP_LOADER_REQUEST_TIMEOUT = 600
HTTP_LOADER_CONNECT_TIMEOUT = 600
HTTP_LOADER_MAX_CLIENTS = 1000
MAX_PIXELS = 1000000000.0
"""
Message = Callable[[Picture, int, Wanted, bool], Body]


@dataclass(frozen=True, slots=True)
class Rival:
    """A running server.

    Takes: `message`, which gives the request for a variant of a picture, with the best crop that the server knows or
    at the center; `versions` of what it is made of.
    """

    name: str
    label: str
    port: int
    process: psutil.Popen
    message: Message
    versions: dict[str, str]

    def cpu_in_s(self) -> float:
        """Give the user and system time of all its processes that live."""
        spent = 0.0
        for each in (self.process, *self.process.children(recursive=True)):
            with contextlib.suppress(psutil.Error):
                times = each.cpu_times()
                spent += times.user + times.system
        return spent


def thumbor_missing() -> str | None:
    """Install thumbor where it is not; give why it can't run here, or None."""
    program = _THUMBOR / "bin" / "thumbor"
    if not program.exists():
        _CACHE.mkdir(exist_ok=True)
        steps = (
            [sys.executable, "-m", "venv", str(_THUMBOR)],
            [str(_THUMBOR / "bin" / "pip"), "install", "--quiet", f"thumbor=={_THUMBOR_VERSION}"],
        )
        for step in steps:
            done = subprocess.run(step, capture_output=True, text=True, check=False)
            if done.returncode:
                shutil.rmtree(_THUMBOR, ignore_errors=True)
                reason = (done.stderr.strip().splitlines() or ["it gives no reason"])[-1]
                return f"pip could not install it: {reason[:200]}"
    return None


def sharp_missing() -> str | None:
    """Fetch Sharp where it is not; give why it can't run here, or None."""
    return PEERS["sharp"].missing()


@contextlib.contextmanager
def thumbor(folder: Path, pictures: PictureServer) -> Iterator[Rival]:
    """Run thumbor for a block; it fetches its pictures from the server of pictures."""
    settings = folder / "thumbor.conf"
    settings.write_text(_THUMBOR_SETTINGS)
    port = free_port()
    command = [str(_THUMBOR / "bin" / "thumbor"), "--port", str(port), "--ip", "127.0.0.1"]
    command += ["--conf", str(settings), "--processes", str(_cores()), "--log-level", "error"]

    def message(picture: Picture, number: int, wanted: Wanted, is_smart: bool) -> Body:
        filters = f"format({wanted.format}):quality({wanted.quality})"
        if wanted.sigma is not None:
            # Its sharpening has an amount of its own and a radius.
            filters = f"sharpen(1,{wanted.sigma},true):{filters}"
        size = f"{wanted.width_in_px}x{wanted.height_in_px}"
        crop = "smart/" if is_smart else ""
        path = f"/unsafe/{size}/{crop}filters:{filters}/{pictures.url(picture, number)}"
        return (f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode(),)

    with _running(command, folder, "/healthcheck", port) as process:
        yield Rival("thumbor", "thumbor, by URL", port, process, message, {"thumbor": _THUMBOR_VERSION})


@contextlib.contextmanager
def sharp(folder: Path, _pictures: PictureServer) -> Iterator[Rival]:
    """Run the server around Sharp for a block; pictures are uploaded to it as they are."""
    port = free_port()

    def message(picture: Picture, number: int, wanted: Wanted, is_smart: bool) -> Body:
        query = f"width={wanted.width_in_px}&height={wanted.height_in_px}"
        query += f"&format={wanted.format}&quality={wanted.quality}"
        query += "" if wanted.sigma is None else f"&sigma={wanted.sigma}"
        query += "&gravity=attention" if is_smart else ""
        body = picture.variant(number)
        head = f"POST /?{query} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {sum(map(len, body))}\r\n\r\n"
        return (head.encode(), *body)

    command = ["node", str(_SHARP_SERVER), str(port), str(_cores())]
    package = ROOT / "benchmarks" / "peers" / "sharp" / "node_modules" / "sharp" / "package.json"
    versions = {"sharp": json.loads(package.read_text())["version"]}
    with _running(command, folder, "/", port) as process:
        yield Rival("sharp", "Sharp behind plain HTTP", port, process, message, versions)


@contextlib.contextmanager
def _running(command: list[str], folder: Path, path: str, port: int) -> Iterator[psutil.Popen]:
    log = folder / "log"
    with log.open("wb") as written:
        process = psutil.Popen(command, stdout=written, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
    try:
        until = time.monotonic() + _START_LIMIT_IN_S
        while not _answers(port, path):
            if process.poll() is not None or time.monotonic() > until:
                raise RuntimeError(f"{command[0]} did not start: {log.read_text()[-1000:]}")
            time.sleep(0.2)
        yield process
    finally:
        # Workers may outlive whoever started them.
        for each in (*process.children(recursive=True), process):
            with contextlib.suppress(psutil.Error):
                each.kill()
        process.wait()


def _answers(port: int, path: str) -> bool:
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=5)) as connection:
        try:
            connection.request("GET", path)
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False


def _cores() -> int:
    return os.cpu_count() or 1


RIVALS: Final = {"thumbor": (thumbor_missing, thumbor), "sharp": (sharp_missing, sharp)}
