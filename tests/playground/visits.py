"""What a visitor of the playground does."""

import re
import secrets
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import pictures
from PIL import Image
from playwright.sync_api import Page, expect

WIDTH, HEIGHT = 731, 487
Visit = Callable[..., Page]


def sign_up(page: Page) -> str:
    """Sign up from the first page of a server, and give the key that is shown."""
    page.goto("/")
    page.get_by_role("link", name="Sign up").click()
    page.get_by_label("E-mail address").fill(f"{secrets.token_hex(8)}@example.com")
    page.get_by_label("Password").fill("four unrelated words here")
    page.get_by_role("button", name="Sign up").click()
    key = page.get_by_label("API key", exact=True).input_value()
    assert key.startswith("ip_live_")
    return key


def photo(width: int = WIDTH, height: int = HEIGHT) -> dict[str, Any]:
    """Give a photo as a file input takes it."""
    file = BytesIO()
    Image.fromarray(pictures.photo(width, height)).save(file, "JPEG", quality=92)
    return {"name": "photo.jpg", "mimeType": "image/jpeg", "buffer": file.getvalue()}


def choose(page: Page, **options: Any) -> None:
    """Choose a photo, and wait until the page shows it."""
    page.get_by_label("Choose a file").set_input_files({**photo(), **options})
    expect(page.locator("#photo-facts")).not_to_be_empty()


def run(page: Page) -> None:
    """Run, and wait for the result."""
    page.get_by_role("button", name="Run", exact=True).click()
    expect(page.locator("#status")).to_contain_text("Done in")


def types(page: Page) -> list[str]:
    """Give the operations in their order, as the page shows them."""
    return page.locator("#chain > li h3 code").all_inner_texts()


def add(page: Page, kind: str) -> None:
    """Add an operation of a kind."""
    page.get_by_label("Add an operation").select_option(kind)
    page.get_by_role("button", name="Add", exact=True).click()


def clear(page: Page) -> None:
    """Remove all operations."""
    while (button := page.get_by_role("button", name=re.compile("^Remove "))).count():
        button.first.click()


def downloaded(page: Page, folder: Path) -> Path:
    """Give the file of the result."""
    with page.expect_download() as download:
        page.get_by_role("link", name="Download the result").click()
    file = folder / download.value.suggested_filename
    download.value.save_as(file)
    return file
