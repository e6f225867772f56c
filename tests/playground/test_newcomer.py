"""A newcomer in a browser: signs up, is given a key, takes it to the playground, and has a thumbnail."""

from pathlib import Path

from browser import grave_findings, visiting
from PIL import Image
from playwright.sync_api import Browser, expect
from server import Server
from visits import downloaded, photo, run, sign_up


def test_from_signing_up_to_a_thumbnail(browser: Browser, server: Server, tmp_path: Path) -> None:
    with visiting(browser, server.url) as page:
        key = sign_up(page)
        assert grave_findings(page) == []
        page.get_by_role("link", name="drop a photo into the playground").click()
        expect(page.locator("#key-note")).to_contain_text("1,000,000 credits left")
        assert key not in page.url
        page.get_by_label("Choose a file").set_input_files(photo())
        run(page)
        with Image.open(downloaded(page, tmp_path)) as thumbnail:
            assert (thumbnail.format, thumbnail.size) == ("WEBP", (200, 200))
        page.get_by_role("link", name="Dashboard").click()
        expect(page.get_by_text("999,999").first).to_be_visible()
