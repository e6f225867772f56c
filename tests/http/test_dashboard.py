"""The dashboard as people use it: by its pages and forms, on both databases."""

import base64
import itertools
import re
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from form_browser import PASSWORD, Browser, Form, Page, signed_up
from picture_server import PICTURES, PictureServer
from receivers import Receiver, beside
from server import Server
from sqlalchemy import text

from imageplane.accounts.audit import verify

PATIENCE_IN_S = 60
PHOTO = {"base64": base64.b64encode(PICTURES["photo.png"]).decode()}
GOOD: dict[str, Any] = {"file": PHOTO, "operations": [{"type": "flip"}]}
FAILING: dict[str, Any] = {"file": {"base64": base64.b64encode(PICTURES["broken.png"]).decode()}, "operations": []}
_numbers = itertools.count()


def email() -> str:
    return f"person-{next(_numbers)}@example.com"


def until(look: Callable[[], Page], words: str) -> Page:
    """Load a page until it has these words."""
    end = time.monotonic() + PATIENCE_IN_S
    while words not in (page := look()).text:
        assert time.monotonic() < end, f"never there: {words}\n{page.text}"
        time.sleep(0.05)
    return page


def test_a_newcomer_makes_a_thumbnail(installation: Server, tmp_path: Path) -> None:
    browser, name = Browser(installation), email()
    landing = browser.get("/")
    assert (landing.status, landing.title) == (200, "Sign in · Imageplane")
    form = browser.get(landing.links["Sign up"]).form("Sign up")
    page = browser.send(form, email=f"  {name.upper()} ", password=PASSWORD)
    assert (page.status, page.title) == (200, "Overview · Imageplane")
    assert name in page.text
    assert "Credits left 1,000,000" in page.text
    assert page.links["drop a photo into the playground"] == f"/playground#key={page.value('new-key')}"
    # The printed line works as it stands, with the key that is shown this once.
    (tmp_path / "photo.jpg").write_bytes(PICTURES["photo.png"])
    command = re.search(r"<textarea[^>]*>(.*?)</textarea>", page.html, re.DOTALL)
    assert command is not None
    assert page.value("new-key") in command[1]
    line = command[1].replace("&#39;", "'").replace("&#34;", '"')
    subprocess.run(["bash", "-euc", line], cwd=tmp_path, check=True)
    assert (tmp_path / "avatar.webp").read_bytes()[8:12] == b"WEBP"
    again = browser.get("/dashboard")
    assert "Credits left 999,999" in again.text
    assert page.value("new-key") not in again.html
    bars = again.named("rect")
    assert len(bars) == 3, "one bar in the plot, the color of the key, and its bar"
    assert f"{datetime.now(UTC).date()}, default: 1" in again.text


def test_an_account_is_there_once_and_is_signed_in_to_again(installation: Server) -> None:
    name = email()
    browser, _ = signed_up(installation, name)
    other = Browser(installation)
    page = other.send(other.get("/dashboard/sign-up").form("Sign up"), email=name.title(), password=PASSWORD)
    assert page.status == 422
    assert "There is an account with this e-mail address already." in page.text
    out = browser.send(browser.get("/dashboard").form("Sign out"))
    assert out.title == "Sign in · Imageplane"
    assert browser.cookies.keys() <= {"imageplane"}
    back = browser.send(browser.get("/dashboard/keys").form("Sign in"), email=name.upper(), password=PASSWORD)
    assert back.title == "Overview · Imageplane"
    assert browser.get("/dashboard/sign-in").title == browser.get("/dashboard/sign-up").title == back.title


@pytest.mark.parametrize(
    ("filled_in", "places"),
    [
        ({"email": "ada", "password": PASSWORD}, ["email"]),
        ({"email": "ada@example.com", "password": "short"}, ["password"]),
        ({"email": "ada@example.com", "password": "ada@example.com"}, ["password"]),
        ({"email": "ada@example.com", "password": "aaaaaaaaaaaaaaaa"}, ["password"]),
        ({"email": "a@b\n", "password": "x" * 257}, ["password"]),
        ({"email": "", "password": ""}, ["email", "password"]),
        ({"email": "a\0@b.com", "password": PASSWORD}, ["email"]),
    ],
)
def test_what_is_wrong_is_told_beside_its_field(server: Server, filled_in: dict[str, str], places: list[str]) -> None:
    browser = Browser(server)
    page = browser.send(browser.get("/dashboard/sign-up").form("Sign up"), **filled_in)
    assert page.status == 422
    assert page.title.startswith("Problem: ")
    (summary,) = page.named("div", role="alert")
    assert summary["tabindex"] == "-1"
    for place in places:
        assert page.links[next(words for words, target in page.links.items() if target == f"#{place}")]
        (field,) = page.named("input", id=place)
        assert field["aria-invalid"] == "true"
        assert f"{place}-wrong" in field["aria-describedby"].split()
        assert page.named("p", id=f"{place}-wrong")
    assert page.named("input", id="password")[0]["value"] == ""
    assert page.value("email") == filled_in["email"] or "\n" in filled_in["email"]


def test_keys_are_made_capped_and_revoked(installation: Server) -> None:
    browser, _ = signed_up(installation, email())
    form = browser.get("/dashboard/keys").form("Make a key")
    made = browser.send(form, name="shop", cap="1")
    key = made.value("new-key")
    assert installation.post(GOOD, key=key).status == 200
    assert installation.post(GOOD, key=key).json["error"] == "Budget cap exceeded"
    # Sent twice, a form makes one key.
    again = browser.send(form, name="shop", cap="1")
    assert again.status == 422
    assert "There is an active key of the name &#39;shop&#39; already" in again.html
    changed = browser.send(browser.get("/dashboard/keys").form("Set the cap of shop"), cap="2")
    assert changed.status == 200
    assert key not in changed.html
    assert installation.post(GOOD, key=key).status == 200
    wrong = browser.send(changed.form("Set the cap of shop"), cap="-1")
    assert wrong.status == 422
    (field,) = [found for found in wrong.named("input", name="cap") if "aria-invalid" in found]
    assert field["id"].startswith("cap-")
    assert browser.send(wrong.form("Set the cap of shop"), cap="").status == 200
    assert installation.post(GOOD, key=key).status == 200
    gone = browser.send(browser.get("/dashboard/keys").form("Revoke shop"))
    assert "revoked" in gone.text
    end = time.monotonic() + PATIENCE_IN_S
    while installation.get("/v1/me", key=key).status != 401:
        assert time.monotonic() < end, "a revoked key is still believed"
        time.sleep(0.05)
    # The name is free again.
    assert browser.send(form, name="shop", cap="").value("new-key") != key
    for name in ("", " ", "x" * 101, "a\nb"):
        assert browser.send(form, name=name).status == 422
    with installation.books() as books:
        assert verify(books.database) == []


def test_recent_requests_are_told_with_their_errors(installation: Server) -> None:
    browser, page = signed_up(installation, email())
    key = page.value("new-key")
    headers = {"X-Request-Id": "good-1"}
    assert installation.post(GOOD, key=key, headers=headers).status == 200
    assert installation.post(FAILING, key=key, headers={"X-Request-Id": "bad-1"}).status == 422
    refused = {"file": {"url": "https://127.0.0.1/concealed/place?secret=pigeon"}, "operations": []}
    assert installation.post(refused, key=key, headers={"X-Request-Id": "bad-2"}).status == 400
    assert installation.get("/v1/me?secret=pigeon", key=key).status == 200
    assert installation.get("/v1/jobs/none?secret=pigeon", key=key).status == 404
    told = until(lambda: browser.get("/dashboard/requests"), "/v1/jobs/{job_id}")
    assert "good-1" in told.text
    assert "undecodable_image" in told.text
    assert "refused_source" in told.text
    assert "/v1/me" not in told.text
    for words in ("secret", "pigeon", "concealed", "jobs/none"):
        assert words not in told.html
    failed = browser.get("/dashboard/requests?only=failed")
    assert "good-1" not in failed.text
    assert "bad-1" in failed.text
    assert "bad-2" in browser.get("/dashboard").text
    stranger, _ = signed_up(installation, email())
    assert "bad-1" not in stranger.get("/dashboard/requests").text


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    with beside(Receiver()) as receiver:
        yield receiver


@pytest.fixture
def slow() -> Iterator[PictureServer]:
    with closing(PictureServer()) as pictures:
        yield pictures


def test_jobs_are_listed_replayed_and_sent_again(workshop: Server, receiver: Receiver) -> None:
    browser, page = signed_up(workshop, email())
    key = page.value("new-key")
    hook = receiver.url(f"/{email()}?secret=word")
    job_id = workshop.post(FAILING | {"webhook_url": hook}, key=key).json["job_id"]
    path = f"/dashboard/jobs/{job_id}"
    job = until(lambda: browser.get(path), "delivered")
    assert "undecodable_image" in job.text
    assert "secret" not in job.html
    assert job_id in browser.get("/dashboard/jobs").text
    assert job_id in browser.get("/dashboard/jobs?status=failed").text
    assert job_id not in browser.get("/dashboard/jobs?status=queued").text
    assert f"before={job_id}" not in browser.get(f"/dashboard/jobs?before={job_id}").html
    assert browser.send(job.form("Send it again")).status == 200
    until(lambda: browser.get(path), f" 2 {datetime.now(UTC).year}-")
    # A job is paid by a key that is still good.
    browser.send(browser.get("/dashboard/keys").form("Make a key"), name="second")
    browser.send(browser.get("/dashboard/keys").form("Revoke default"))
    assert browser.send(browser.get(path).form("Do it once more")).status == 200
    until(lambda: Page(browser.ask("GET", path)), "Send it again")
    stranger, _ = signed_up(workshop, email())
    token = stranger.get("/dashboard").forms[0].fields["token"]
    assert stranger.get(path).status == 404
    for action in ("replay", "cancel"):
        assert stranger.post(f"{path}/{action}", {"token": token}).status == 404
    delivery = re.search(r"/dashboard/deliveries/\w+/redeliver", job.html)
    assert delivery is not None
    assert stranger.post(delivery[0], {"token": token}).status == 404


def test_a_job_that_waits_is_cancelled(workshop: Server, slow: PictureServer) -> None:
    browser, page = signed_up(workshop, email())
    stalled = {"file": {"url": f"{slow.url}/slow/photo.png"}, "operations": []}
    accepted = workshop.post(stalled, key=page.value("new-key"), headers={"Prefer": "respond-async"})
    path = f"/dashboard/jobs/{accepted.json['job_id']}"
    ended = browser.send(browser.get(path).form("Cancel the job"))
    assert "cancelled" in ended.text
    assert "The request named no webhook." in ended.text
    # What has ended can't be cancelled, and that is said on a page.
    refused = browser.post(f"{path}/cancel", {"token": ended.forms[0].fields["token"]})
    assert (refused.status, refused.title) == (409, "That did not work · Imageplane")


def test_a_new_password_ends_every_other_session(installation: Server) -> None:
    name = email()
    first, _ = signed_up(installation, name)
    second = Browser(installation)
    second.send(second.get("/dashboard/sign-in").form("Sign in"), email=name, password=PASSWORD)
    form = first.get("/dashboard/account").form("Change it")
    assert first.send(form, current="wrong", password="other quiet lanterns").status == 422  # noqa: S106
    assert second.get("/dashboard").title == "Overview · Imageplane"
    before = dict(first.cookies)
    changed = first.send(form, current=PASSWORD, password="other quiet lanterns")  # noqa: S106
    assert "Your password is changed" in changed.text
    assert second.get("/dashboard").title == "Sign in · Imageplane"
    assert Browser(installation, cookies=before).get("/dashboard").title == "Sign in · Imageplane"
    assert first.get("/dashboard").title == "Overview · Imageplane"
    form = second.get("/dashboard/sign-in").form("Sign in")
    assert second.send(form, email=name, password=PASSWORD).status == 422
    entered = second.send(form, email=name, password="other quiet lanterns")  # noqa: S106
    assert entered.title == "Overview · Imageplane"
    out = first.send(first.get("/dashboard/account").form("Sign out everywhere"))
    assert out.title == "Sign in · Imageplane"
    assert second.get("/dashboard").title == "Sign in · Imageplane"


def move_ends(installation: Server, browser: Browser, to: str) -> None:
    """Change when the sessions of somebody end."""
    name = browser.get("/dashboard/account").text.split("E-mail address ")[1].split()[0]
    change = f"UPDATE sessions SET expires_at_in_ms = {to} WHERE user_id = (SELECT id FROM users WHERE email = :name)"  # noqa: S608
    with installation.books() as books, books.database.writing() as connection:
        assert connection.execute(text(change), {"name": name}).rowcount == 1


def test_a_session_slides_and_ends(installation: Server) -> None:
    browser, _ = signed_up(installation, email())
    assert browser.last_cookie["max-age"] == "604800"
    browser.last_cookie.clear()
    browser.get("/dashboard")
    assert not browser.last_cookie, "it is told again only when it is prolonged"
    move_ends(installation, browser, "expires_at_in_ms - 86400000")
    assert browser.get("/dashboard").status == 200
    assert browser.last_cookie["max-age"] == "604800"
    move_ends(installation, browser, "1")
    assert browser.get("/dashboard").title == "Sign in · Imageplane"


def test_every_page_can_be_used_by_keyboard_and_reader(installation: Server) -> None:
    browser, welcome = signed_up(installation, email())
    key = welcome.value("new-key")
    installation.post(GOOD, key=key)
    installation.post(FAILING, key=key)
    until(lambda: browser.get("/dashboard/requests"), "undecodable_image")
    guest = Browser(installation)
    pages = [welcome, guest.get("/dashboard/sign-in"), guest.get("/dashboard/sign-up"), guest.get("/dashboard/nowhere")]
    pages += [browser.get(f"/dashboard{place}") for place in ("", "/keys", "/requests", "/jobs", "/account")]
    for page in pages:
        assert page.named("html", lang="en")
        assert len(page.named("main")) == len(page.named("h1")) == 1
        assert page.tags[[tag for tag, _ in page.tags].index("body") + 1] == ("a", {"class": "skip", "href": "#main"})
        ids = [found["id"] for _, found in page.tags if "id" in found]
        assert len(ids) == len(set(ids))
        labels = {found["for"] for found in page.named("label")}
        for tag, found in page.tags:
            assert "style" not in found, "the policy allows no style on an element"
            assert not any(name.startswith("on") for name in found)
            assert tag != "script"
            if tag in ("input", "textarea") and found.get("type") != "hidden":
                assert found["id"] in labels
            for name in ("aria-describedby", "aria-labelledby"):
                assert set(found.get(name, "").split()) <= set(ids)
            if tag == "th":
                assert found["scope"] in ("col", "row")
        levels = [int(tag[1]) for tag, _ in page.tags if re.fullmatch(r"h[1-6]", tag)]
        assert all(after <= before + 1 for before, after in itertools.pairwise(levels))
        for form in page.forms:
            assert isinstance(form, Form)
            assert form.words.strip()
    (plot,) = pages[4].named("svg", role="img")
    assert plot["aria-labelledby"] == "plot-title plot-words"


def test_every_link_leads_somewhere(installation: Server) -> None:
    browser, page = signed_up(installation, email())
    for _, target in sorted(page.links.items()):
        if target.startswith("/"):
            assert browser.ask("GET", target).status == 200, target
