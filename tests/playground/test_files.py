"""The files of the playground: how they are served, and that they name nothing that is declared elsewhere."""

import re
from pathlib import Path
from typing import Any

import pytest
from server import Server

from imageplane.http.app import create_app
from imageplane.http.playground import CONTENT_SECURITY_POLICY, page, router
from imageplane.operations import catalog
from imageplane.settings import DashboardSettings, HttpSettings, Settings

FOLDER = Path(__file__).parents[2] / "src" / "imageplane" / "playground"
FILES = sorted(path.name for path in FOLDER.iterdir() if path.is_file())
_WORD = re.compile(r"""["'`]([a-z_]+)["'`]""")
_IMPORT = re.compile(r'from "\./([a-z]+\.js)"')


@pytest.mark.parametrize("name", FILES)
def test_no_file_names_an_operation(name: str) -> None:
    assert not set(_WORD.findall((FOLDER / name).read_text("utf-8"))) & set(catalog())


@pytest.mark.parametrize("name", FILES)
def test_a_file_stays_small_enough_to_read(name: str) -> None:
    assert len((FOLDER / name).read_text("utf-8").splitlines()) <= 300


def test_every_file_is_used_and_served_as_what_it_is(server: Server) -> None:
    html = server.request("GET", "/playground").body.decode()
    used = set(re.findall(r'(?:src|href)="playground/([a-z.]+)"', html))
    for name in FILES:
        used |= set(_IMPORT.findall((FOLDER / name).read_text("utf-8")))
    assert used == set(FILES) - {"page.html"}
    kinds = {".js": "text/javascript", ".css": "text/css"}
    for name in used:
        reply = server.request("GET", f"/playground/{name}")
        assert reply.status == 200
        assert reply.headers["content-type"].partition(";")[0] == kinds[Path(name).suffix]


def test_a_page_may_load_nothing_but_its_own(server: Server) -> None:
    headers = server.request("GET", "/playground").headers
    assert headers["content-security-policy"] == CONTENT_SECURITY_POLICY
    assert "unsafe" not in CONTENT_SECURITY_POLICY
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"


def test_what_has_not_changed_is_not_sent_again(server: Server) -> None:
    for path in ("/playground", "/playground/app.js", "/playground/style.css"):
        first = server.request("GET", path)
        assert first.headers["cache-control"] == "no-cache"
        again = server.request("GET", path, headers={"If-None-Match": first.headers["etag"]})
        assert (again.status, again.body, again.headers["etag"]) == (304, b"", first.headers["etag"])


@pytest.mark.parametrize(
    "name", ["page.html", "__init__.py", "..%2Fsettings%2F__init__.py", "%2e%2e/app.py", "x" * 300]
)
def test_nothing_else_is_served(server: Server, name: str) -> None:
    reply = server.request("GET", f"/playground/{name}")
    assert (reply.status, reply.json["success"]) == (404, False)


@pytest.mark.parametrize("is_on", [True, False])
def test_it_can_be_switched_off(is_on: bool) -> None:
    # Books are only opened and closed by what runs the application.
    settings = Settings.model_construct(http=HttpSettings(playground=is_on), dashboard=DashboardSettings(enabled=False))
    app: Any = create_app(settings, None)._app  # type: ignore[arg-type, attr-defined]
    assert any(getattr(route, "original_router", None) is router for route in app.routes) == is_on


def test_it_has_no_link_to_a_dashboard_that_is_off(server: Server) -> None:
    link = 'href="dashboard"'
    assert link in server.request("GET", "/playground").body.decode()
    assert link not in page(has_dashboard=False).text
