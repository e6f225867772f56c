"""What the dashboard withstands: forms of other sites, planted sessions, guessed passwords, script in names."""

import asyncio
import contextlib
import hashlib
import itertools
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any

import httpx
import pytest
from form_browser import PASSWORD, Browser, signed_up
from server import Server, serving
from sqlalchemy import text

from imageplane.accounts.books import Books
from imageplane.accounts.passwords import Passwords
from imageplane.http.app import create_app
from imageplane.http.dashboard.pages import STYLE_PATH
from imageplane.settings import DashboardSettings, Settings

SCRIPT = "<script>alert(1)</script>\"'"
FOREIGN = [
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site", "Origin": "https://evil.example.com"},
    {"Sec-Fetch-Site": "none"},
    {"Origin": "https://evil.example.com"},
    {"Origin": "null"},
]
_numbers = itertools.count()


def email() -> str:
    return f"careful-{next(_numbers)}@example.com"


@pytest.mark.parametrize("headers", FOREIGN, ids=str)
def test_a_form_of_another_site_does_nothing(server: Server, headers: dict[str, str]) -> None:
    browser, _ = signed_up(server, email())
    form = browser.get("/dashboard/keys").form("Make a key")
    assert browser.post(form.action, {**form.fields, "name": "planted"}, headers).status == 403
    assert "planted" not in browser.get("/dashboard/keys").text


def test_a_form_without_the_token_of_its_session_does_nothing(server: Server) -> None:
    browser, _ = signed_up(server, email())
    other, _ = signed_up(server, email())
    form = browser.get("/dashboard/keys").form("Make a key")
    foreign = other.get("/dashboard/keys").form("Make a key").fields["token"]
    token = form.fields["token"]
    assert foreign != token
    for wrong in ("", foreign, token[:-1], token.upper(), "é"):
        page = browser.post(form.action, {**form.fields, "name": "planted", "token": wrong})
        assert page.status == 403
        assert "out of date" in page.text
    del form.fields["token"]
    assert browser.post(form.action, {**form.fields, "name": "planted"}).status == 403
    assert "planted" not in browser.get("/dashboard/keys").text
    # A browser that says nothing of where a form came from, with the right token.
    assert browser.post(form.action, {"name": "planted", "cap": "", "token": token}, {}).status == 200


def test_every_form_has_a_token_and_no_link_changes_anything(server: Server) -> None:
    browser, _ = signed_up(server, email())
    guest = Browser(server)
    pages = [browser.get(f"/dashboard{place}") for place in ("", "/keys", "/account")]
    forms = [(browser, form) for page in pages for form in page.forms]
    forms += [(guest, form) for form in guest.get("/dashboard/sign-in").forms]
    assert len(forms) > 6
    for visitor, form in forms:
        assert form.method == "post"
        assert re.fullmatch("[0-9a-f]{64}", form.fields["token"])
        assert browser.ask("GET", form.action).status in (200, 303, 404, 405)
        assert visitor.post(form.action, {}).status == 403


@pytest.mark.parametrize("kind", ["application/json", "multipart/form-data; boundary=x", "text/plain", ""])
def test_only_a_form_is_read(server: Server, kind: str) -> None:
    browser, _ = signed_up(server, email())
    headers = {"Content-Type": kind, "Sec-Fetch-Site": "same-origin"}
    assert browser.ask("POST", "/dashboard/keys", b'{"name": "x"}', headers).status == 400


@pytest.mark.parametrize(("body", "status"), [(b"a=" + b"x" * 20_000, 413), (b"a=%ff", 400), (b"a=1&" * 50, 400)])
def test_a_form_that_is_none_is_refused(server: Server, body: bytes, status: int) -> None:
    browser, _ = signed_up(server, email())
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    reply = browser.ask("POST", "/dashboard/keys", body, headers)
    assert reply.status == status
    assert reply.headers["content-type"] == "text/html; charset=utf-8"


def test_signing_in_gives_a_session_that_nobody_knew(server: Server) -> None:
    name = email()
    first, _ = signed_up(server, name)
    known = dict(first.cookies)
    victim = Browser(server)
    victim.get("/dashboard/sign-in")
    planted = dict(victim.cookies)
    page = victim.send(victim.get("/dashboard/sign-in").form("Sign in"), email=name, password=PASSWORD)
    assert page.title == "Overview · Imageplane"
    assert victim.cookies["imageplane"] not in (planted["imageplane"], known["imageplane"])
    attacker = Browser(server, cookies=planted)
    assert attacker.get("/dashboard").title == "Sign in · Imageplane"
    # Who signs in again over an open session ends that one.
    stale = dict(victim.cookies)
    token = victim.get("/dashboard").forms[0].fields["token"]
    victim.post("/dashboard/sign-in", {"email": name, "password": PASSWORD, "token": token})
    assert Browser(server, cookies=stale).get("/dashboard").title == "Sign in · Imageplane"
    assert first.get("/dashboard").title == "Overview · Imageplane"


def test_what_the_browser_keeps_is_nowhere_else(server: Server) -> None:
    name = email()
    browser, page = signed_up(server, name)
    secret = browser.cookies["imageplane"]
    assert len(secret) == 43
    assert secret not in page.html
    with server.books() as books:
        rows = books.database.rows("SELECT * FROM sessions") + books.database.rows("SELECT * FROM users")
    assert any(hashlib.sha256(secret.encode()).digest() in map(_bytes, row) for row in rows)
    assert secret not in str(rows)
    assert PASSWORD not in str(rows)
    assert "$argon2id$v=19$m=19456,t=2,p=1$" in str(rows)
    for words in (secret, PASSWORD, name, page.value("new-key")):
        assert words not in server.output


def _bytes(value: object) -> object:
    return bytes(value) if isinstance(value, memoryview) else value


def test_the_cookie_is_closed_to_script_and_other_sites(server: Server) -> None:
    browser, _ = signed_up(server, email())
    cookie = browser.last_cookie
    assert cookie["name"] == "imageplane"
    assert cookie["httponly"]
    assert cookie["samesite"] == "lax"
    assert cookie["path"] == "/"
    assert not cookie["domain"]
    assert not cookie["secure"]
    # The proxy of this machine says that the browser came by https.
    reply = server.request("GET", "/dashboard/sign-in", headers={"X-Forwarded-Proto": "https"})
    ((name, morsel),) = SimpleCookie(reply.headers["set-cookie"]).items()
    assert name == "__Host-imageplane"
    assert morsel["secure"]
    assert morsel["httponly"]
    assert (morsel["path"], morsel["domain"]) == ("/", "")


def test_pages_let_nothing_in_and_are_kept_nowhere(server: Server) -> None:
    browser, page = signed_up(server, email())
    for shown in (page, browser.get("/dashboard/keys"), Browser(server).get("/dashboard"), browser.get("/dashboard/x")):
        policy = dict(part.split(" ", 1) for part in shown.headers["content-security-policy"].split("; "))
        assert policy["default-src"] == policy["base-uri"] == policy["frame-ancestors"] == "'none'"
        assert (policy["style-src"], policy["form-action"]) == ("'self'", "'self'")
        assert "script-src" not in policy
        assert shown.headers["cache-control"] == "no-store"
        assert shown.headers["x-content-type-options"] == "nosniff"
        assert shown.headers["referrer-policy"] == "same-origin"
        (style,) = shown.named("link", rel="stylesheet")
        reply = server.request("GET", style["href"])
        assert (reply.status, reply.headers["content-type"]) == (200, "text/css; charset=utf-8")
        assert "immutable" in reply.headers["cache-control"]
        assert b"url(" not in reply.body
        assert b"@import" not in reply.body


@contextlib.contextmanager
def usage_of(installation: Server, key_name: str) -> Iterator[None]:
    """Make up a usage of a key for a block; the ledger knows nothing of it, and others look whether both agree."""
    find = "SELECT organization_id, id FROM api_keys WHERE name = :name ORDER BY id DESC LIMIT 1"
    insert = "INSERT INTO usage_by_day VALUES (:owner, :day, :key, 'image_transformation', 5, 5)"
    with installation.books() as books, books.database.writing() as connection:
        owner, key = connection.execute(text(find), {"name": key_name}).one()
        day = datetime.now(UTC).date().isoformat()
        connection.execute(text(insert), {"owner": owner, "day": day, "key": key})
    try:
        yield
    finally:
        with installation.books() as books, books.database.writing() as connection:
            connection.execute(text("DELETE FROM usage_by_day WHERE organization_id = :owner"), {"owner": owner})


def test_script_in_names_and_errors_is_told_as_text(installation: Server) -> None:
    browser, page = signed_up(installation, email())
    key = page.value("new-key")
    made = browser.send(browser.get("/dashboard/keys").form("Make a key"), name=SCRIPT)
    asked = {"file": {"base64": "AAAA"}, "operations": [{"type": SCRIPT}]}
    for name in (key, made.value("new-key")):
        assert installation.post(asked, key=name, headers={"X-Request-Id": "script"}).status == 400
    seen = ""
    # They may be written one after the other.
    while seen.count("script</small>") < 2:
        seen = browser.get("/dashboard/requests").html
    sent = browser.post("/dashboard/sign-in", {"email": SCRIPT})
    wrong = browser.send(browser.get("/dashboard/keys").form("Make a key"), name=SCRIPT + "\n", cap=SCRIPT)
    guest = Browser(installation)
    refused = guest.send(guest.get("/dashboard/sign-in").form("Sign in"), email=SCRIPT, password=SCRIPT)
    with usage_of(installation, SCRIPT):
        places = ("/dashboard", f"/dashboard?days={SCRIPT}", "/dashboard/keys")
        overview, *others = [browser.get(place).html for place in places]
    for html in (seen, made.html, sent.html, wrong.html, refused.html, overview, *others):
        assert "<script" not in html
    for html in (seen, made.html, wrong.html, refused.html, overview):
        assert "&lt;script&gt;alert(1)&lt;/script&gt;&#34;&#39;" in html


def test_who_has_an_account_is_not_told(server: Server) -> None:
    name = email()
    signed_up(server, name)
    browser = Browser(server)
    form = browser.get("/dashboard/sign-in").form("Sign in")
    told = {
        browser.send(form, email=given, password="wrong quiet lanterns").html.replace(given, "")  # noqa: S106
        for given in (name, "nobody@example.com")
    }
    (only,) = {re.sub(r"req_\w+", "", html) for html in told}
    assert "The e-mail address or the password is wrong." in only


def test_a_wrong_password_costs_the_same_with_and_without_a_user() -> None:
    """Both ways compute one hash: counted, not timed."""
    passwords = Passwords(64, 1)
    kept = passwords.hash(PASSWORD)
    verified: list[str] = []
    verify = passwords._hasher.verify

    class Counting:
        def verify(self, against: str, password: str) -> bool:
            verified.append(against.split("$")[3])
            return verify(against, password)

    passwords._hasher = Counting()  # type: ignore[assignment]
    assert not asyncio.run(passwords.matches("wrong", kept))
    assert not asyncio.run(passwords.matches("wrong", None))
    assert not asyncio.run(passwords.matches("nobody has this password", None))
    assert asyncio.run(passwords.matches(PASSWORD, kept))
    passwords.close()
    assert verified == ["m=64,t=1,p=1"] * 4


@pytest.fixture(scope="module")
def strict(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    settings = {"DASHBOARD__TRIES_PER_ADDRESS": "6", "DASHBOARD__TRIES_PER_EMAIL": "3"}
    with serving(tmp_path_factory.mktemp("strict_dashboard"), **settings) as server:
        yield server


def test_tries_are_counted_by_address(strict: Server) -> None:
    browser = Browser(strict, {"X-Forwarded-For": "192.0.2.1"})
    form = browser.get("/dashboard/sign-in").form("Sign in")
    found = [browser.send(form, email=email(), password="x").status for _ in range(8)]  # noqa: S106
    assert found == [422] * 6 + [429] * 2
    page = browser.send(form, email=email(), password="x")  # noqa: S106
    assert "That was tried too often. Try again in 15 minutes." in page.text
    assert 60 < int(page.headers["retry-after"]) <= 900
    # A subscriber of IPv6 has more addresses than anybody could count.
    found = []
    for number in range(8):
        browser.headers = {"X-Forwarded-For": f"2001:db8::{number:x}"}
        found.append(browser.send(form, email=email(), password="x").status)  # noqa: S106
    assert found == [422] * 6 + [429] * 2
    browser.headers = {"X-Forwarded-For": "192.0.2.2"}
    assert browser.send(form, email=email(), password="x").status == 422  # noqa: S106


def test_tries_are_counted_by_email_from_anywhere(strict: Server) -> None:
    name, found = email(), []
    signed_up(strict, name, **{"X-Forwarded-For": "192.0.2.3"})
    browser = Browser(strict)
    form = browser.get("/dashboard/sign-in").form("Sign in")
    for number in range(5):
        browser.headers = {"X-Forwarded-For": f"198.51.100.{number}"}
        spelled = name.upper() if number % 2 else f" {name}"
        found.append(browser.send(form, email=spelled, password="wrong quiet lanterns").status)  # noqa: S106
    assert found == [422, 422, 422, 429, 429]
    # The right password is not tried any more either.
    assert browser.send(form, email=name, password=PASSWORD).status == 429


def test_accounts_are_not_made_by_the_dozen(strict: Server) -> None:
    found = []
    for _ in range(8):
        browser = Browser(strict, {"X-Forwarded-For": "192.0.2.4"})
        form = browser.get("/dashboard/sign-up").form("Sign up")
        found.append(browser.send(form, email=email(), password=PASSWORD).status)
    assert found == [200] * 6 + [429] * 2


def test_without_sign_up_accounts_are_made_by_the_operator(tmp_path_factory: pytest.TempPathFactory) -> None:
    with serving(tmp_path_factory.mktemp("closed"), DASHBOARD__SIGN_UP="false") as server:
        browser = Browser(server)
        page = browser.get("/dashboard")
        assert page.title == "Sign in · Imageplane"
        assert "Sign up" not in page.links
        assert browser.get("/dashboard/sign-up").status == 404
        fields = {**page.form("Sign in").fields, "email": email(), "password": PASSWORD}
        assert browser.post("/dashboard/sign-up", fields).status == 404


def test_without_a_dashboard_there_is_nothing(sqlite_books: Books, tmp_path: Path) -> None:
    settings = Settings.model_construct(data_dir=tmp_path, dashboard=DashboardSettings(enabled=False))
    app: Any = create_app(settings, sqlite_books)

    async def ask() -> list[httpx.Response]:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
            paths = ("/", "/dashboard", "/dashboard/sign-in", "/dashboard/keys", STYLE_PATH)
            looks = [await client.get(path, headers={"Accept": "text/html"}) for path in paths]
            return [*looks, await client.post("/dashboard/sign-up")]

    for reply in asyncio.run(ask()):
        assert (reply.status_code, reply.json()["code"]) == (404, "not_found")
    # Nothing is noted that nobody could look at.
    assert app._recent is None


def test_programs_find_nothing_at_the_root(server: Server) -> None:
    for accept in ({}, {"Accept": "*/*"}, {"Accept": "application/json"}):
        reply = server.request("GET", "/", headers=accept)
        assert (reply.status, reply.json["code"]) == (404, "not_found")
