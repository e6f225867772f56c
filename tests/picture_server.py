"""A web server with the pictures of `contract/images.json`, on loopback: for servers that fetch from there."""

import base64
import contextlib
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Final

import pytest

PICTURES: Final = {
    name: base64.b64decode(text)
    for name, text in json.loads((Path(__file__).parent / "contract" / "images.json").read_text("utf-8")).items()
}
# What a request for /folder/name has to carry.
_DEMANDS: Final = {
    "bearer": ("Authorization", "Bearer a-token"),
    "basic": ("Authorization", "Basic " + base64.b64encode(b"somebody:a:password").decode()),
    "header": ("X-Api-Key", "a-secret"),
    "agent": ("User-Agent", "Somebody/1.0"),
    "language": ("Accept-Language", "de-DE"),
}


class PictureServer:
    """Answers /NAME, after a redirect /redirect/NAME, and with the right header /FOLDER/NAME.

    /slow/NAME waits, and /away/NAME says that it is to be asked for later.

    Gives: `paths`, with their queries, in the order in which they were asked for.
    """

    def __init__(self) -> None:
        self.paths: list[str] = []
        self.may_go_on = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._answering())
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05})
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def close(self) -> None:
        self.may_go_on.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _answering(self) -> type[BaseHTTPRequestHandler]:
        seen = self

        class Answering(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                seen.paths.append(self.path)
                *folder, name = self.path.partition("?")[0].strip("/").split("/")
                kind = folder[0] if folder else ""
                if kind == "redirect":
                    self._say(302, b"", Location=f"/{name}")
                elif kind in _DEMANDS and self.headers[_DEMANDS[kind][0]] != _DEMANDS[kind][1]:
                    self._say(403)
                elif kind == "away":
                    self._say(503)
                elif name not in PICTURES:
                    self._say(404)
                else:
                    if kind == "slow":
                        seen.may_go_on.wait(60)
                    self._say(200, PICTURES[name])

            def _say(self, status: int, body: bytes = b"", **headers: str) -> None:
                with contextlib.suppress(ConnectionError):
                    self.send_response(status)
                    for field, value in {**headers, "Content-Length": str(len(body))}.items():
                        self.send_header(field, value)
                    self.end_headers()
                    self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                return

        return Answering


@pytest.fixture(scope="session")
def pictures() -> Iterator[PictureServer]:
    """Give a server of pictures that all tests share."""
    with contextlib.closing(PictureServer()) as server:
        yield server
