"""A newcomer in a browser: signs up, is given a key, takes it to the playground, and has a thumbnail."""

import secrets
from pathlib import Path

from browser import grave_findings, visiting
from PIL import Image
from playwright.sync_api import Browser, expect
from server import Server
from visits import photo, run


def test_from_signing_up_to_a_thumbnail(browser: Browser, server: Server, tmp_path: Path) -> None:
    with visiting(browser, server.url) as page:
        page.goto("/")
        page.get_by_role("link", name="Sign up").click()
        page.get_by_label("E-mail address").fill(f"{secrets.token_hex(8)}@example.com")
        page.get_by_label("Password").fill("four unrelated words here")
        page.get_by_role("button", name="Sign up").click()
        key = page.get_by_label("API key", exact=True).input_value()
        assert key.startswith("ip_live_")
        assert grave_findings(page) == []
        page.get_by_role("link", name="drop a photo into the playground").click()
        expect(page.locator("#key-note")).to_contain_text("1,000,000 credits left")
        assert key not in page.url
        page.get_by_label("Choose a file").set_input_files(photo())
        run(page)
        with page.expect_download() as download:
            page.get_by_role("link", name="Download the result").click()
        thumbnail = tmp_path / download.value.suggested_filename
        download.value.save_as(thumbnail)
        with Image.open(thumbnail) as kept:
            assert (kept.format, kept.size) == ("WEBP", (200, 200))
        page.get_by_role("link", name="Dashboard").click()
        expect(page.get_by_text("999,999").first).to_be_visible()
