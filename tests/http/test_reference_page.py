"""The reference page is complete and true, and asks nobody for anything."""

import base64
import hashlib
import json
import re
import shlex
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import pictures
import pytest
from PIL import Image
from server import Server

from imageplane.http.catalog import described
from imageplane.http.reference import page
from imageplane.http.schemas import error_classes
from imageplane.operations import catalog, parse
from imageplane.settings import LimitSettings


class Page(HTMLParser):
    """What a page says: its links and anchors, what it loads, its code blocks, and what stands in each part."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.anchors: list[str] = []
        self.links: list[str] = []
        self.loads: list[str] = []
        self.blocks: list[str] = []
        self.inline: dict[str, str] = {}
        self.articles: dict[str, str] = {}
        self._open: list[str] = []
        self._article = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self._open.append(tag)
        self.anchors += [found["id"] or ""] if "id" in found else []
        if "href" in found:
            (self.links if tag == "a" else self.loads).append(found["href"] or "")
        self.loads += [value or "" for name, value in attrs if name in ("src", "srcset", "action", "data")]
        assert "style" not in found, "the policy allows no style on an element"
        assert not any(name.startswith("on") for name in found), "the policy allows no script on an element"
        if tag == "pre":
            self.blocks.append("")
        if tag == "article":
            self._article = found["id"] or ""
            self.articles[self._article] = ""
        if tag in ("meta", "link", "input"):
            self._open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag
        self._article = "" if tag == "article" else self._article

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1] in ("style", "script"):
            self.inline[self._open[-1]] = data
        if "pre" in self._open:
            self.blocks[-1] += data
        if self._article:
            self.articles[self._article] += data


@pytest.fixture(scope="module")
def text(server: Server) -> str:
    reply = server.request("GET", "/docs")
    assert reply.status == 200
    assert reply.headers["content-type"] == "text/html; charset=utf-8"
    return reply.body.decode()


@pytest.fixture(scope="module")
def reference(text: str) -> Page:
    return Page(text)


def test_the_policy_allows_nothing_but_what_is_on_the_page(server: Server, reference: Page) -> None:
    policy = dict(
        part.split(" ", 1) for part in server.request("GET", "/docs").headers["content-security-policy"].split("; ")
    )
    assert policy["default-src"] == "'none'"
    for name, directive in (("style", "style-src"), ("script", "script-src")):
        digest = base64.b64encode(hashlib.sha256(reference.inline[name].encode()).digest()).decode()
        assert policy[directive] == f"'sha256-{digest}'"
    assert not any("http" in value or "*" in value or "unsafe" in value for value in policy.values())


def test_the_page_loads_nothing(reference: Page) -> None:
    assert reference.loads == ["data:,"]
    assert "url(" not in reference.inline["style"]
    assert "@import" not in reference.inline["style"]
    assert not re.search(r"fetch|XMLHttpRequest|import\b|https?:", reference.inline["script"])


def test_every_link_leads_somewhere(reference: Page, server: Server) -> None:
    assert len(set(reference.anchors)) == len(reference.anchors)
    for link in reference.links:
        if link.startswith("#"):
            assert link[1:] in reference.anchors
        else:
            assert server.request("GET", f"/{link}").status == 200


@pytest.mark.parametrize("kind", catalog())
def test_every_operation_is_told_with_its_fields(kind: str, reference: Page) -> None:
    told = reference.articles[kind]
    for name, field in catalog()[kind].model_fields.items():
        assert name == "type" or name in told
        assert (field.description or "").replace("`", "") in told


def test_every_example_is_a_valid_operation(reference: Page) -> None:
    examples = [json.loads(block) for block in reference.blocks if block.startswith('{"type"')]
    assert len(examples) > 40
    assert parse(examples[:30])[1] == ()
    assert parse(examples[30:])[1] == ()


def test_every_error_and_every_limit_is_told(text: str) -> None:
    for error in error_classes():
        assert f"<code>{error.code}</code></td><td>{error.status}" in text
    for name, value in LimitSettings(requests_per_minute=1_000_000):
        assert not isinstance(value, int) or f"<code>{name}</code></td><td>{value:,}" in text


def test_the_quick_start_runs_as_printed(reference: Page, server: Server, tmp_path: Path) -> None:
    if shutil.which("curl") is None:
        pytest.skip("the curl program is not here; install it to run this test")
    Image.fromarray(pictures.photo(1203, 877)).save(tmp_path / "photo.jpg")
    command = reference.blocks[0].replace("YOUR_KEY", server.key)
    subprocess.run(["bash", "-euc", command], cwd=tmp_path, check=True)
    with Image.open(tmp_path / "avatar.webp") as picture:
        assert (picture.format, picture.size) == ("WEBP", (200, 200))


def test_the_quick_start_in_json_is_a_valid_request(reference: Page, server: Server) -> None:
    words = shlex.split(reference.blocks[1])
    assert words[:3] == ["curl", "-sS", f"{server.url}/image-transformation/v1/transform"]
    request = json.loads(words[words.index("-d") + 1])
    request["file"]["url"] = "https://127.0.0.1/photo.jpg"
    reply = server.post(request)
    assert [detail["path"] for detail in reply.json["details"]] == ["file.url"]


@pytest.mark.parametrize("host", ["api.example.com", "localhost:8000", "[::1]:8000"])
def test_commands_name_the_host_that_was_asked(host: str, server: Server) -> None:
    told = Page(server.request("GET", "/docs", headers={"Host": host}).body.decode())
    assert told.blocks[0].startswith(f"curl -sS http://{host}/")


@pytest.mark.parametrize("host", ["a;id", "a'b", "a$(id)", "<script>", "a b", "[", "é"])
def test_a_host_that_is_none_gets_into_no_command(host: str, server: Server) -> None:
    reply = server.request("GET", "/docs", headers={"Host": host.encode("latin-1").decode("latin-1")})
    if reply.status == 200:
        assert Page(reply.body.decode()).blocks[0].startswith("curl -sS http://localhost/")
    else:
        assert reply.status == 400


def test_the_page_reads_without_its_script(text: str) -> None:
    without = re.sub(r"<script>.*</script>", "", text, flags=re.DOTALL)
    assert '<input id="filter" type="search"' in without
    assert re.search(r'<input id="filter"[^>]* hidden>', without)
    assert Page(without).articles.keys() == catalog().keys()


def test_what_the_document_says_is_told_as_text() -> None:
    document = json.loads(json.dumps(described(LimitSettings())))
    document["info"]["description"] = "<img src=x> & `code`"
    told = page(document, LimitSettings(), "http://localhost")
    assert "&lt;img src=x&gt; &amp;" in told
