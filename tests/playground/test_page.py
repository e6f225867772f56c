"""The playground in a real browser: from a photo to its thumbnails, by pointer and keyboard, on a desk and a phone."""

import base64
from io import BytesIO
from typing import Any

import pytest
from absent import CORPUS, NO_CORPUS
from browser import DESK, PHONE, grave_findings
from picture_server import PictureServer
from PIL import Image
from playwright.sync_api import Page, Route, expect
from server import TRANSFORM, Server
from visits import HEIGHT, WIDTH, Visit, add, choose, clear, photo, run, types

_TWO_PEOPLE = CORPUS / "subject" / "s034_two_people.jpg"
_DROP = """([name, text]) => {
  const transfer = new DataTransfer();
  transfer.items.add(new File([Uint8Array.from(atob(text), (each) => each.charCodeAt(0))], name));
  const [kind, options] = %s;
  document.getElementById("drop").dispatchEvent(new kind(%s, {bubbles: true, cancelable: true, ...options}));
}"""


def color_at(page: Page, x: float, y: float) -> tuple[int, ...]:
    """Give the color of a place in the frame of the first result, in shares of its sides."""
    shot = Image.open(BytesIO(page.locator(".frame").first.screenshot())).convert("RGB")
    found = shot.getpixel((int(x * shot.width), int(y * shot.height)))
    assert isinstance(found, tuple)
    return found


def plain(color: str) -> dict[str, Any]:
    file = BytesIO()
    Image.new("RGB", (311, 223), color).save(file, "PNG")
    return {"name": "plain.png", "mimeType": "image/png", "buffer": file.getvalue()}


def test_the_key_that_was_handed_over_stays_in_the_tab_and_nowhere_else(page: Page, server: Server) -> None:
    assert server.key not in page.url
    assert "#" not in page.url
    expect(page.locator("#key-note")).to_contain_text("credits left")
    page.reload()
    expect(page.get_by_role("textbox", name="API key")).to_have_value(server.key)
    page.get_by_role("button", name="Forget it").click()
    assert page.evaluate("[sessionStorage.length, localStorage.length, document.cookie]") == [0, 0, ""]


def test_a_photo_becomes_a_thumbnail(page: Page) -> None:
    choose(page)
    run(page)
    result = page.get_by_alt_text("Result: 200 × 200 pixels")
    assert result.evaluate("image => image.decode().then(() => image.naturalWidth)") == 200
    with page.expect_download() as download:
        page.get_by_role("link", name="Download the result").click()
    assert download.value.suggested_filename == "photo-result.webp"
    with Image.open(download.value.path()) as kept:
        assert (kept.format, kept.size) == ("WEBP", (200, 200))
    facts = page.locator("#facts")
    expect(facts).to_contain_text(f"{WIDTH} × {HEIGHT}")
    expect(facts).to_contain_text("1 credit")
    expect(facts.get_by_role("rowheader", name="decode")).to_be_visible()
    expect(facts.locator(".plan li").last).to_have_text("encode webp at quality 85")


def test_a_photo_that_was_chosen_before_the_page_was_ready_is_not_lost(page: Page) -> None:
    held: list[Route] = []
    page.route("**/openapi.json", lambda route: held.append(route))  # noqa: PLW0108 - no built-in method will do
    page.reload(wait_until="commit")
    page.get_by_label("Choose a file").set_input_files(photo())
    while not held:
        page.wait_for_timeout(20)
    held[0].continue_()
    expect(page.locator("#photo-facts")).to_contain_text(f"{WIDTH} × {HEIGHT}")


def test_the_slider_lies_between_photo_and_result(page: Page) -> None:
    page.get_by_label("Choose a file").set_input_files(plain("#cc2211"))
    clear(page)
    add(page, "grayscale")
    run(page)
    slider = page.get_by_role("slider")
    expect(slider).to_have_attribute("aria-valuetext", "50% photo, 50% result")

    def is_red(place: float) -> bool:
        red, green, _ = color_at(page, place, 0.5)
        return red - green > 100

    assert (is_red(0.1), is_red(0.9)) == (True, False)
    slider.press("End")
    assert (is_red(0.1), is_red(0.9)) == (True, True)
    slider.press("Home")
    assert (is_red(0.1), is_red(0.9)) == (False, False)
    slider.click(position={"x": 0.7 * 311, "y": 20})
    assert (is_red(0.6), is_red(0.8)) == (True, False)


@pytest.mark.parametrize(
    ("kind", "event", "options"),
    [("DragEvent", "drop", "dataTransfer"), ("ClipboardEvent", "paste", "clipboardData")],
)
def test_a_photo_is_taken_where_it_is_dropped_or_pasted(page: Page, kind: str, event: str, options: str) -> None:
    script = _DROP % (f"[{kind}, {{{options}: transfer}}]", repr(event))
    page.evaluate(script, ["from elsewhere.jpg", base64.b64encode(photo()["buffer"]).decode()])
    expect(page.locator("#photo-facts")).to_contain_text(f"from elsewhere.jpg, {WIDTH} × {HEIGHT}")
    run(page)


def test_one_can_try_without_a_photo(page: Page) -> None:
    page.get_by_role("button", name="Take a sample drawing").click()
    expect(page.locator("#photo-facts")).to_contain_text("1600 × 1067")
    run(page)


def test_the_server_fetches_a_photo_from_the_web(visit: Visit, open_server: Server, pictures: PictureServer) -> None:
    page = visit(open_server)
    url = page.get_by_label("or have the server fetch one")
    url.fill("photo.jpg")
    url.press("Enter")
    expect(page.locator("#photo-error")).to_contain_text("This is no URL")
    url.fill(f"{pictures.url}/photo.jpg")
    url.press("Enter")
    expect(page.locator("#photo-facts")).to_contain_text(" × ")
    run(page)
    assert page.locator(".before img").evaluate("image => image.complete && image.naturalWidth > 0")
    url.fill(f"{pictures.url}/nothing.jpg")
    url.press("Enter")
    page.get_by_role("button", name="Run", exact=True).click()
    expect(url).to_be_focused()
    expect(url).to_have_attribute("aria-invalid", "true")


def test_a_key_that_is_missing_or_wrong_is_said_at_the_key(visit: Visit, server: Server) -> None:
    page = visit(server, key="")
    key = page.get_by_role("textbox", name="API key")
    page.get_by_role("button", name="Run", exact=True).click()
    expect(page.locator("#photo-error")).to_have_text("Choose a photo first.")
    choose(page)
    page.get_by_role("button", name="Run", exact=True).click()
    expect(key).to_be_focused()
    expect(page.locator("#key-error")).to_have_text("Paste a key first.")
    key.fill("ip_live_Größe")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#key-error")).to_have_text("Invalid API key")
    expect(key).to_have_attribute("aria-invalid", "true")
    key.fill(server.key)
    run(page)


def test_a_run_can_be_stopped(page: Page) -> None:
    choose(page)
    waiting: list[Route] = []
    page.route(f"**{TRANSFORM}", lambda route: waiting.append(route))  # noqa: PLW0108 - Playwright marks its handlers
    page.get_by_role("button", name="Run", exact=True).press("Enter")
    stop = page.get_by_role("button", name="Stop")
    expect(stop).to_be_focused()
    expect(page.locator("main")).to_have_attribute("aria-busy", "true")
    stop.press("Enter")
    expect(page.locator("#status")).to_have_text("Stopped.")
    expect(page.get_by_role("button", name="Run", exact=True)).to_be_focused()
    page.unroute(f"**{TRANSFORM}")
    run(page)


def test_a_server_that_is_gone_is_said_so(page: Page) -> None:
    choose(page)
    page.route(f"**{TRANSFORM}", lambda route: route.abort())
    page.get_by_role("button", name="Run", exact=True).click()
    expect(page.locator("#problems")).to_contain_text("The server can't be reached.")
    expect(page.locator("#problems")).to_be_focused()


def test_three_sizes_come_of_one_request(page: Page) -> None:
    choose(page)
    page.get_by_role("button", name="All at once").click()
    with page.expect_request(f"**{TRANSFORM}"):
        run(page)
    names = page.locator(".frame .after").evaluate_all("each => each.map((image) => image.alt)")
    assert names == [
        "Result: avatar, 200 × 200 pixels", "Result: card, 800 × 600 pixels", "Result: social, 1200 × 630 pixels",
    ]  # fmt: skip
    expect(page.locator(".sightings .window")).to_have_count(3)
    expect(page.locator(".sightings li")).to_have_count(3)
    expect(page.locator("#facts")).to_contain_text("1 credit")


def test_a_window_is_drawn_on_the_picture_that_was_looked_at(page: Page) -> None:
    choose(page)
    clear(page)
    add(page, "resize")
    add(page, "smart_crop")
    run(page)
    expect(page.locator(".sightings")).to_have_count(0)
    page.get_by_role("button", name="Show what operation 2 saw").click()
    stage = page.locator(".sightings")
    expect(stage.locator(".window")).to_have_count(1)
    # The resize of the example stays within 400 × 300, or is what the reference shows.
    box = stage.locator("svg").get_attribute("viewBox")
    assert box is not None
    assert float(box.split()[2]) < WIDTH


def test_subjects_are_drawn_where_they_are(visit: Visit, seeing_server: Server) -> None:
    if not _TWO_PEOPLE.is_file():
        pytest.skip(NO_CORPUS)
    page = visit(seeing_server)
    page.get_by_label("Choose a file").set_input_files(_TWO_PEOPLE)
    run(page)
    expect(page.locator(".sightings .subject text").filter(has_text="face")).to_have_count(2)
    stage, face = (page.locator(place).first.bounding_box() for place in (".stage", ".subject rect"))
    assert stage is not None
    assert face is not None
    assert stage["x"] - 3 <= face["x"]
    assert face["x"] + face["width"] <= stage["x"] + stage["width"] + 3
    expect(page.locator(".sightings figcaption")).to_contain_text("face decided")


def test_a_photo_that_the_browser_cannot_show_has_a_result_all_the_same(page: Page) -> None:
    file = BytesIO()
    Image.new("RGB", (97, 61), "#226644").save(file, "TIFF")
    page.get_by_label("Choose a file").set_input_files({**photo(), "name": "scan.tiff", "buffer": file.getvalue()})
    expect(page.locator("#photo-facts")).to_contain_text("your browser can't show it")
    run(page)
    expect(page.locator(".comparison .hint")).to_contain_text("can't show the photo")
    expect(page.get_by_role("slider")).to_have_count(0)


def test_all_of_it_goes_by_keyboard(page: Page) -> None:
    def tab_to(name: str) -> None:
        for _ in range(80):
            page.keyboard.press("Tab")
            label = page.evaluate(
                "(document.activeElement.labels?.[0] ?? document.activeElement).textContent.trim()"
                " || document.activeElement.ariaLabel"
            )
            if label.startswith(name):
                return
        raise AssertionError(f"no way to {name} by Tab")

    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the photo")).to_be_focused()
    page.keyboard.press("Enter")
    tab_to("Take a sample drawing")
    page.keyboard.press("Enter")
    expect(page.locator("#photo-facts")).to_contain_text("1600 × 1067")
    tab_to("card 800×600")
    page.keyboard.press("Enter")
    tab_to("Add an operation")
    page.keyboard.type("gray")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert types(page)[-1] == "grayscale"
    tab_to("Run")
    page.keyboard.press("Enter")
    expect(page.locator("#status")).to_contain_text("Done in")
    tab_to("How much of the photo")
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("slider")).to_have_attribute("aria-valuetext", "51% photo, 49% result")
    tab_to("curl")
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("radio", name="Python")).to_be_checked()


@pytest.mark.parametrize(
    "look",
    [{"viewport": DESK}, {"viewport": DESK, "color_scheme": "dark"}, {"viewport": PHONE, "has_touch": True}],
    ids=["light", "dark", "phone"],
)
def test_nobody_is_kept_out(visit: Visit, server: Server, look: dict[str, Any]) -> None:
    page = visit(server, **look)
    assert grave_findings(page) == []
    choose(page)
    page.get_by_role("button", name="All at once").click()
    run(page)
    page.locator("#chain summary").first.click()
    page.locator("[id$='-width_in_px']").first.fill("0")
    page.get_by_role("button", name="Run", exact=True).click()
    expect(page.locator("#problems")).to_be_visible()
    assert grave_findings(page) == []
    width = page.evaluate("document.documentElement.scrollWidth")
    assert width <= look["viewport"]["width"], f"the page is {width} pixels wide"
