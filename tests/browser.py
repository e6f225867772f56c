"""A real browser for the tests that want one: Chromium, driven through Playwright, and axe to judge what it shows."""

import contextlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from importlib.resources import files
from typing import Any, Final

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

_NAMES: Final = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_ABSENT: Final = (
    "there is no Chromium here: put `chromium` on the PATH (as root on Debian: apt-get install chromium), or run the "
    "tests as root where apt-get works"
)
_PATIENCE_IN_S: Final = 120
PHONE: Final = {"width": 390, "height": 844}
DESK: Final = {"width": 1280, "height": 900}
# What https://www.deque.com/axe calls the two worst of its four grades.
_WORST: Final = ("serious", "critical")


def _chromium() -> str | None:
    return next(filter(None, map(shutil.which, _NAMES)), None)


def _installed() -> str | None:
    """Give where Chromium is, after having tried to install it where that is possible."""
    if _chromium() is None and os.getuid() == 0 and shutil.which("apt-get"):
        # What is missing afterwards is said by the test that is skipped.
        with contextlib.suppress(subprocess.SubprocessError):
            for words in (["update"], ["install", "--yes", "--no-install-recommends", "chromium"]):
                subprocess.run(
                    ["apt-get", *words],
                    env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
                    capture_output=True,
                    timeout=_PATIENCE_IN_S,
                    check=True,
                )
    return _chromium()


@pytest.fixture(scope="session")
def chromium() -> str:
    """Give the path of Chromium, or skip."""
    found = _installed()
    if found is None:
        pytest.skip(_ABSENT)
    return found


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    """Give a browser for the tests of one file.

    It is none for the whole session, because while it is open no other test could run an event loop.
    """
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=chromium)
        yield opened
        opened.close()


@contextlib.contextmanager
def visiting(browser: Browser, url: str, **options: Any) -> Iterator[Page]:
    """Open a page as a new visitor, and see to it that no script of it failed and nothing was refused by its policy.

    Takes: `options` of a browser context, such as `color_scheme`.
    """
    context = browser.new_context(**{"viewport": DESK, "base_url": url, **options})
    complaints: list[str] = []
    page = context.new_page()
    page.set_default_timeout(20_000)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    # A reply that tells of a fault is a complaint to the browser too, and what such tests are about.
    page.on("console", lambda said: complaints.append(said.text) if _is_complaint(said.type, said.text) else None)
    try:
        yield page
        assert not complaints, complaints
    finally:
        context.close()


def _is_complaint(kind: str, text: str) -> bool:
    return kind == "error" and not text.startswith("Failed to load resource")


def grave_findings(page: Page) -> list[str]:
    """Give what axe finds on the page that keeps people out: the rule, its grade, and where."""
    page.evaluate((files("axe_playwright_python") / "axe.min.js").read_text("utf-8"))
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")["violations"]
    return [
        f"{each['impact']}: {each['id']}: {each['help']}: {node['target']}: {node['failureSummary']}"
        for each in found
        for node in each["nodes"]
        if each["impact"] in _WORST
    ]
