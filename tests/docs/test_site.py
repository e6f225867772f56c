"""The site of the docs: it builds without a warning, has every page, asks nobody else for anything, and can be read."""

import importlib.util
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml
from absent import NO_WEIGHTS, WEIGHTS
from browser import grave_findings, visiting
from playwright.sync_api import Browser

ROOT = Path(__file__).parents[2]
NO_MKDOCS = "MkDocs is not installed; `make docs` brings it"
# What a browser fetches by itself, in contrast to a link that somebody follows.
FETCHED = {
    "*.html": re.compile(r'<(?:(?:script|img|iframe|source)[^>]*\ssrc|link[^>]*\shref)="([^"]+)"'),
    "*.css": re.compile(r"""url\(["']?([^"')]+)"""),
}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the built site, or skip."""
    if importlib.util.find_spec("mkdocs") is None or importlib.util.find_spec("material") is None:
        pytest.skip(NO_MKDOCS)
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)]
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    run = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    return folder


def named(navigation: Any) -> Iterator[str]:
    if isinstance(navigation, str):
        yield navigation
    for entry in navigation if isinstance(navigation, list) else ():
        for below in entry.values():
            yield from named(below)


def test_every_page_is_in_the_navigation_once() -> None:
    pages = {str(page.relative_to(ROOT / "docs")) for page in (ROOT / "docs").rglob("*.md")}
    entries = list(named(yaml.safe_load((ROOT / "mkdocs.yml").read_text("utf-8"))["nav"]))
    assert len(entries) == len(set(entries))
    assert pages <= set(entries)


def test_every_page_of_the_navigation_is_built(site: Path) -> None:
    for entry in named(yaml.safe_load((ROOT / "mkdocs.yml").read_text("utf-8"))["nav"]):
        assert (site / entry).with_suffix(".html").is_file(), entry


def test_nothing_comes_from_another_host(site: Path) -> None:
    for kind, fetched in FETCHED.items():
        for path in site.rglob(kind):
            for address in fetched.findall(path.read_text("utf-8")):
                assert "//" not in address or address.startswith("data:"), f"{path.relative_to(site)}: {address}"


def test_every_picture_and_link_of_the_site_leads_somewhere(site: Path) -> None:
    for path in site.rglob("*.html"):
        if path.name != "404.html":
            for target in re.findall(r'(?:src|href)="([^"#?]+)', path.read_text("utf-8")):
                assert ":" in target or (path.parent / target).exists(), f"{path.relative_to(site)}: {target}"


@pytest.fixture(scope="module")
def address(site: Path) -> Iterator[str]:
    """Give where the site can be visited."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=site)) as web:
        thread = threading.Thread(target=web.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield f"http://127.0.0.1:{web.server_port}"
        web.shutdown()
        thread.join()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_everybody_can_read_it(address: str, browser: Browser, scheme: str) -> None:
    with visiting(browser, address, color_scheme=scheme) as page:
        for name in ("index", "guides/profile-pictures"):
            page.goto(f"/{name}.html")
            assert grave_findings(page) == []


def test_what_is_looked_for_is_found(address: str, browser: Browser) -> None:
    with visiting(browser, address) as page:
        page.goto("/index.html")
        search = page.get_by_role("textbox", name="Search")
        # It starts with the first click and listens to keys.
        search.click()
        search.press_sequentially("fetch_options")
        page.locator(".md-search-result").get_by_role("link").filter(has_text="Security").first.click()
        page.wait_for_url("**/guides/security.html*")


def test_pictures_are_what_the_guides_say() -> None:
    if WEIGHTS is None:
        pytest.skip(NO_WEIGHTS)
    command = [sys.executable, "tools/illustrations.py", "--check", "--models", str(WEIGHTS)]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 0, f"run `make generate`\n{run.stdout}{run.stderr}"
