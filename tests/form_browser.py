"""A browser of forms: pages, links and forms as HTML tells them, and a jar of cookies; no script, as on these pages."""

import http.client
from dataclasses import dataclass, field
from html.parser import HTMLParser
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import urlencode

from server import Reply, Server

_VOID = {"meta", "link", "input", "br", "img", "hr"}


@dataclass
class Form:
    """One form: where it goes, what it holds, and the words on its buttons."""

    action: str
    method: str
    fields: dict[str, str] = field(default_factory=dict)
    words: str = ""


class Page(HTMLParser):
    """What a page says and offers."""

    def __init__(self, reply: Reply) -> None:
        super().__init__()
        self.status = reply.status
        self.headers = reply.headers
        self.html = reply.body.decode()
        self.forms: list[Form] = []
        self.links: dict[str, str] = {}
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.words = ""
        self.title = ""
        self._open: list[tuple[str, dict[str, str]]] = []
        self._form: Form | None = None
        self.feed(self.html)
        self.close()
        assert not self._open, f"never closed: {self._open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        self.tags.append((tag, found))
        if tag not in _VOID:
            self._open.append((tag, found))
        if tag == "form":
            self._form = Form(found["action"], found["method"])
            self.forms.append(self._form)
        if tag == "input" and self._form is not None and "name" in found:
            self._form.fields[found["name"]] = found.get("value", "")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in _VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        opened = self._open.pop()[0]
        assert opened == tag, f"</{tag}> closes <{opened}>"
        self._form = None if tag == "form" else self._form

    def handle_data(self, data: str) -> None:
        self.words += f" {data}"
        inside = [tag for tag, _ in self._open]
        if inside[-1:] == ["title"] and "svg" not in inside:
            self.title += data
        if self._form is not None and "button" in inside:
            self._form.words += data
        for tag, found in self._open:
            if tag == "a":
                self.links[data.strip()] = found["href"]

    @property
    def text(self) -> str:
        """All words of the page, with single spaces between them."""
        return " ".join(self.words.split())

    def named(self, tag: str, **attributes: str) -> list[dict[str, str]]:
        """Give the attributes of all elements of a kind that have these."""
        return [found for name, found in self.tags if name == tag and attributes.items() <= found.items()]

    def value(self, place: str) -> str:
        """Give what stands in the field with an id."""
        return self.named("input", id=place)[0]["value"]

    def form(self, words: str) -> Form:
        """Give the form with a button of these words."""
        found = [form for form in self.forms if words in " ".join(form.words.split())]
        assert len(found) == 1, f"{len(found)} forms say {words!r}: {self.text}"
        return found[0]


@dataclass
class Browser:
    """One browser that visits one server."""

    server: Server
    headers: dict[str, str] = field(default_factory=dict)
    cookies: dict[str, str] = field(default_factory=dict)
    last_cookie: dict[str, Any] = field(default_factory=dict)

    def get(self, path: str) -> Page:
        """Follow a link, and where it sends one."""
        return self._page("GET", path)

    def send(self, form: Form, **filled_in: str) -> Page:
        """Fill in a form and send it as a browser does, and go where that sends one."""
        unknown = filled_in.keys() - form.fields.keys()
        assert not unknown, f"the form has no field {unknown}"
        return self.post(form.action, {**form.fields, **filled_in})

    def post(self, path: str, fields: dict[str, str], headers: dict[str, str] | None = None) -> Page:
        """Send fields, whether or not a form has them."""
        ours = {"Origin": self.server.url, "Sec-Fetch-Site": "same-origin"} if headers is None else headers
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        return self._page("POST", path, urlencode(fields).encode(), kind | ours)

    def _page(self, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None) -> Page:
        reply = self.ask(method, path, body, headers)
        for _ in range(5):
            if reply.status not in (302, 303):
                return Page(reply)
            reply = self.ask("GET", reply.headers["location"])
        raise AssertionError("it never stops sending one on")

    def ask(self, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None) -> Reply:
        """Send one request with the cookies, and keep those that come back."""
        told = {"Accept": "text/html", **self.headers, **(headers or {})}
        if self.cookies:
            told["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=60)
        try:
            connection.request(method, path, body, told)
            answer = connection.getresponse()
            for line in answer.headers.get_all("set-cookie") or []:
                self._keep(line)
            named = {name.lower(): value for name, value in answer.getheaders()}
            return Reply(answer.status, named, answer.read())
        finally:
            connection.close()

    def _keep(self, line: str) -> None:
        (name, morsel), *_ = SimpleCookie(line).items()
        self.last_cookie = {"name": name, **morsel}
        if morsel["max-age"] == "0":
            self.cookies.pop(name, None)
        else:
            self.cookies[name] = morsel.value


PASSWORD = "seven quiet lanterns"  # noqa: S105 - of nobody


def signed_up(server: Server, email: str, **headers: str) -> tuple[Browser, Page]:
    """Give a browser of somebody who has just signed up, and the page that came of it."""
    browser = Browser(server, headers)
    page = browser.send(browser.get("/dashboard/sign-up").form("Sign up"), email=email, password=PASSWORD)
    assert page.status == 200, page.text
    return browser, page
