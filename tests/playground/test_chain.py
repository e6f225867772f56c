"""The list of operations on the page: forms as declared, the order that was asked for, faults in their place."""

import json
import re

from playwright.sync_api import Page, expect
from visits import add, choose, clear, run, types

from imageplane.operations import catalog


def test_every_operation_has_the_form_that_it_declares(page: Page) -> None:
    clear(page)
    for kind in catalog():
        add(page, kind)
    assert types(page) == list(catalog())
    for card, operation in zip(page.locator("#chain > li").all(), catalog().values(), strict=True):
        declared = {name: field for name, field in operation.model_fields.items() if name != "type"}
        # What may be left out is there too, one click away.
        names = card.locator(".field > label code").evaluate_all("each => each.map((code) => code.textContent)")
        assert sorted(names) == sorted(declared)
        required = card.locator("[aria-required]").evaluate_all("each => each.map((control) => control.id)")
        must = {name for name, field in declared.items() if field.is_required()}
        assert {name.split("-", 2)[2] for name in required} == must
        for name, field in declared.items():
            assert field.description is not None
            assert field.description.replace("`", "") in (card.locator(f"[id$='-{name}-hint']").text_content() or "")
    # What they are filled in with is valid.
    request = re.search(r"operations=(\[.*\])'", page.locator("#code").inner_text(), re.DOTALL)
    assert request is not None
    for given in json.loads(request[1]):
        catalog()[given["type"]].model_validate(given)


def test_operations_are_reordered_duplicated_and_removed(page: Page) -> None:
    first, second, third = types(page)
    status = page.locator("#status")
    page.get_by_role("button", name=f"Move up {third}").press("Enter")
    assert types(page) == [first, third, second]
    expect(status).to_have_text(f"{third} is now operation 2 of 3.")
    # The button stays under the finger; at the end of its way the other one takes over.
    expect(page.get_by_role("button", name=f"Move up {third}")).to_be_focused()
    page.keyboard.press("Enter")
    assert types(page) == [third, first, second]
    expect(page.get_by_role("button", name=f"Move down {third}")).to_be_focused()
    page.get_by_role("button", name=f"Duplicate {first}").press("Enter")
    assert types(page) == [third, first, first, second]
    expect(page.locator("#chain > li").nth(2).locator("input").first).to_be_focused()
    page.get_by_role("button", name=f"Remove {second}").press("Enter")
    assert types(page) == [third, first, first]
    expect(page.locator("#chain > li h3").nth(2)).to_be_focused()
    expect(status).to_have_text(f"{second} removed; 3 left.")


def test_operations_are_dragged_to_their_place(page: Page) -> None:
    first, second, third = types(page)
    cards = page.locator("#chain > li")
    cards.nth(2).scroll_into_view_if_needed()
    grip, place = cards.nth(2).locator(".grip").bounding_box(), cards.nth(0).bounding_box()
    assert grip is not None
    assert place is not None
    page.mouse.move(grip["x"] + 5, grip["y"] + 5)
    page.mouse.down()
    page.mouse.move(grip["x"] + 5, place["y"] + place["height"] + 20, steps=5)
    page.mouse.move(grip["x"] + 5, place["y"] + 5, steps=5)
    page.mouse.up()
    assert types(page) == [third, first, second]
    code = page.locator("#code").inner_text()
    assert code.index(f'"type": "{third}"') < code.index(f'"type": "{first}"')


def test_every_fault_is_shown_at_its_field(page: Page) -> None:
    choose(page)
    add(page, "blur")
    width = page.locator("[id$='-width_in_px']").first
    width.fill("-5")
    page.locator("[id$='-sigma']").last.fill("")
    page.get_by_role("button", name="Run", exact=True).click()
    expect(width).to_be_focused()
    for field in (width, page.locator("[id$='-sigma']").last):
        expect(field).to_have_attribute("aria-invalid", "true")
        error = page.locator(f"#{field.get_attribute('id')}-error")
        expect(error).to_be_visible()
        assert (error.get_attribute("id") or "?") in (field.get_attribute("aria-describedby") or "")
    problems = page.locator("#problems")
    expect(problems.get_by_role("link")).to_have_text(["operations[0].width_in_px", "operations[3].sigma"])
    problems.get_by_role("link").last.click()
    expect(page.locator("[id$='-sigma']").last).to_be_focused()
    page.keyboard.type("2")
    width.fill("120")
    expect(page.locator("[aria-invalid]")).to_have_count(0)
    run(page)
    expect(problems).to_be_hidden()


def test_a_fault_in_another_output_brings_that_output_up(page: Page) -> None:
    choose(page)
    page.get_by_role("button", name="All at once").click()
    page.get_by_role("radio", name="social").check()
    page.locator("[id$='-height_in_px']").first.fill("0")
    page.get_by_role("radio", name="avatar").check()
    page.get_by_role("button", name="Run", exact=True).click()
    expect(page.get_by_role("radio", name="social")).to_be_checked()
    expect(page.locator("[id$='-height_in_px']").first).to_be_focused()
    expect(page.locator("#problems").get_by_role("link")).to_have_text("outputs[2].operations[0].height_in_px")


def test_what_an_operation_cannot_do_is_said_at_the_operation(page: Page) -> None:
    choose(page)
    clear(page)
    add(page, "crop")
    page.locator("[id$='-left_in_px']").fill("5000")
    page.get_by_role("button", name="Run", exact=True).click()
    expect(page.locator("#chain > li").filter(has=page.locator(".error:visible"))).to_have_count(1)
    expect(page.locator("#problems")).to_contain_text("operations[0]")
