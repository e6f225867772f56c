"""The TypeScript client in a page: the program of its README in Chromium, through the proxy that it asks for."""

import http.client
from pathlib import Path
from typing import Final

import pytest
from browser import visiting
from picture_server import PICTURES
from playwright.sync_api import Browser, Page, Route
from server import Server
from typescript import Package, examples

ORIGIN: Final = "https://app.example"
PAGE: Final = """
<!doctype html><html lang="en"><title>Uploads</title><link rel="icon" href="data:,">
<input type="file" aria-label="A photo"><img alt="The avatar">
<script type="importmap">{"imports": {"imageplane-client": "/client/index.js"}}</script>
<script type="module">
  import { show } from "/program.js";
  const [input, image] = [document.querySelector("input"), document.querySelector("img")];
  input.addEventListener("change", () => show(input, image));
</script></html>
"""


class OwnServer:
    """The server of whoever owns the page: it gives the page and its scripts, and forwards what is for Imageplane."""

    def __init__(self, package: Package, program: Path, imageplane: Server) -> None:
        self.keys: list[str] = []
        self._scripts = package.folder / "dist" / "esm"
        self._program = program
        self._imageplane = imageplane

    def answer(self, route: Route) -> None:
        path = route.request.url.removeprefix(ORIGIN)
        if path.startswith("/images/"):
            self._forward(route, path.removeprefix("/images"))
        elif path.startswith("/client/"):
            script = self._scripts / path.removeprefix("/client/")
            route.fulfill(body=script.read_text("utf-8"), content_type="text/javascript")
        elif path == "/program.js":
            route.fulfill(body=self._program.read_text("utf-8"), content_type="text/javascript")
        else:
            route.fulfill(body=PAGE, content_type="text/html")

    def _forward(self, route: Route, path: str) -> None:
        asked = route.request
        self.keys.append(asked.headers["authorization"])
        headers = {**asked.headers, "authorization": f"Bearer {self._imageplane.key}"}
        host = self._imageplane.url.removeprefix("http://")
        connection = http.client.HTTPConnection(host, timeout=60)
        connection.request(asked.method, path, asked.post_data_buffer, headers)
        reply = connection.getresponse()
        route.fulfill(status=reply.status, headers=dict(reply.getheaders()), body=reply.read())
        connection.close()


@pytest.fixture
def own_server(typescript_package: Package, open_server: Server) -> OwnServer:
    """Give the server of a page with the program of the README."""
    (number,) = [number for number, text in enumerate(examples()) if "HTMLInputElement" in text]
    return OwnServer(typescript_package, typescript_package.example(number, {}), open_server)


def chosen(page: Page, name: str) -> None:
    page.set_input_files("input", {"name": name, "mimeType": "image/jpeg", "buffer": PICTURES[name]})


def test_a_page_shows_an_avatar_and_has_no_key(browser: Browser, own_server: OwnServer) -> None:
    with visiting(browser, ORIGIN) as page:
        page.route("**/*", own_server.answer)
        page.goto(ORIGIN)
        chosen(page, "photo.jpg")
        page.wait_for_function("document.querySelector('img').naturalWidth > 0")
        size = page.evaluate("(({naturalWidth, naturalHeight}) => [naturalWidth, naturalHeight])(document.images[0])")
    assert size == [200, 200]
    assert own_server.keys == ["Bearer added by our server"]
