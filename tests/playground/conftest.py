"""The playground as a visitor with a key finds it."""

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from browser import visiting
from playwright.sync_api import Browser, Page, expect
from server import Server
from visits import Visit


@pytest.fixture
def visit(browser: Browser) -> Iterator[Visit]:
    """Give what opens the playground of a server as a new visitor who was handed its key."""
    with ExitStack() as open_pages:

        def opened(server: Server, key: str | None = None, **options: Any) -> Page:
            page = open_pages.enter_context(visiting(browser, server.url, **options))
            key = server.key if key is None else key
            page.goto("/playground" + (f"#key={key}" if key else ""))
            expect(page.locator("#chain > li")).to_have_count(3)
            return page

        yield opened


@pytest.fixture
def page(visit: Visit, server: Server) -> Page:
    """Give the page of the server that all tests share."""
    return visit(server)
