"""SVG: what an attacker does not get, neither a file nor a long wait."""

import gzip
import io
import re
import subprocess
import sys
from pathlib import Path

import pytest
import resvg_py
from drawings import RED, data_uri, png_bytes, svg
from PIL import Image

from imageplane.codecs.svg import render_svg
from imageplane.codecs.svg_sanitize import MAX_DEPTH, clean_css, read_svg, write_svg
from imageplane.errors import ImageTooLarge, UndecodableImage

MAX_PIXELS = 50_000_000


def sanitized(data: bytes) -> str:
    return write_svg(read_svg(data, MAX_PIXELS))


def outside_references(folder: Path) -> dict[str, bytes]:
    picture, drawing, text = folder / "red.png", folder / "red.svg", (folder / "red.svg").read_text()
    area = 'width="20" height="20"'
    filters = f'<filter id="f"><feImage href="{picture}"/></filter><rect {area} fill="blue" filter="url(#f)"/>'
    nested = svg(f'<image {area} href="{picture}"/>')
    escaped = nested.decode().replace("<", "%3C").replace('"', "%22")
    bodies = {
        "absolute": f'<image {area} href="{picture}"/>',
        "xlink": f'<image {area} xlink:href="{picture}"/>',
        "relative": f'<image {area} href="red.png"/>',
        "dot": f'<image {area} href=" ./red.png "/>',
        "file": f'<image {area} href="file://{picture}"/>',
        "svg": f'<image {area} href="{drawing}"/>',
        "both": f'<image {area} href="red.png" xlink:href="#a"/>',
        "use": f'<use href="{drawing}#r"/>',
        "use-data": f'<use href="{data_uri(text.encode(), "image/svg+xml")}#r"/>',
        "nested": f'<image {area} href="{data_uri(nested, "image/svg+xml")}"/>',
        "nested-text": f'<image {area} href="{data_uri(nested, "text/plain")}"/>',
        "nested-as-png": f'<image {area} href="{data_uri(nested, "image/png")}"/>',
        "nested-plain": f'<image {area} href="data:image/png,{escaped}"/>',
        "filter": filters,
        "base": f'<g xml:base="file://{folder}/"><image {area} href="red.png"/></g>',
        "foreign": f'<foreignObject {area}><img xmlns="http://www.w3.org/1999/xhtml" src="{picture}"/></foreignObject>',
        "css": f'<style>rect{{fill:url({picture});background:url("{picture}")}}</style><rect {area} fill="none"/>',
        "import": f'<style>@import "{folder}/red.css";@import url({folder}/red.css);</style><rect {area} fill="none"/>',
        "prefixed": f'<i:image xmlns:i="http://www.w3.org/2000/svg" {area} href="{picture}"/>',
        "unknown": f'<image xmlns="" {area} href="{picture}"/><iframe src="{picture}"/><embed src="{picture}"/>',
        "include": f'<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="{drawing}"/>',
    }
    sheet = f'<?xml-stylesheet href="{folder}/red.css"?>'
    entity = f'<!DOCTYPE svg [<!ENTITY e SYSTEM "{folder}/body.xml"><!ENTITY % p SYSTEM "{folder}/red.dtd"> %p;]>'
    external = f'<!DOCTYPE svg SYSTEM "{folder}/red.dtd">'
    path_by_entity = f'<!DOCTYPE svg [<!ENTITY p "{picture}">]>'
    return {name: svg(body) for name, body in bodies.items()} | {
        "stylesheet": svg(f'<rect {area} fill="none"/>', prolog=sheet),
        "entity": svg("&e;", prolog=entity),
        "dtd": svg("&e;", prolog=external),
        "entity-path": svg(f'<image {area} href="&p;"/>', prolog=path_by_entity),
    }


def test_nothing_outside_the_file_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "red.png").write_bytes(png_bytes())
    (tmp_path / "red.svg").write_bytes(RED.replace(b"<rect", b'<rect id="r"'))
    (tmp_path / "red.css").write_text("rect{fill:red!important}")
    (tmp_path / "body.xml").write_text('<rect width="20" height="20" fill="red"/>')
    (tmp_path / "red.dtd").write_text("<!ENTITY e \"<rect width='20' height='20' fill='red'/>\">")
    monkeypatch.chdir(tmp_path)
    for name, data in outside_references(tmp_path).items():
        pixels = render_svg(data, 1.0, MAX_PIXELS)
        assert not ((pixels[..., 0] > 0) & (pixels[..., 3] > 0)).any(), name
        assert "red." not in sanitized(data), name


def test_the_renderer_alone_would_read_files(tmp_path: Path) -> None:
    """Keeps the test above honest: the same file shows up when nothing is sanitized."""
    (tmp_path / "red.png").write_bytes(png_bytes())
    data = svg(f'<image width="20" height="20" href="{tmp_path / "red.png"}"/>')
    png = resvg_py.svg_to_bytes(svg_string=data.decode(), skip_system_fonts=True)
    assert Image.open(io.BytesIO(png)).getpixel((10, 10)) == (255, 0, 0, 255)


def test_active_content_is_taken_out() -> None:
    body = (
        '<script>alert(1)</script><rect onclick="alert(2)" width="20" height="20" fill="red"/>'
        '<a href="javascript:alert(3)"><g/></a><set attributeName="href" to="javascript:alert(4)"/>'
        '<handler xmlns="http://www.w3.org/2001/xml-events">alert(5)</handler><!-- alert(6) --><?php alert(7) ?>'
    )
    data = svg(body, 'width="20" height="20" onload="alert(8)"')
    text = sanitized(data)
    assert "alert" not in text
    assert "script" not in text
    assert (render_svg(data, 1.0, MAX_PIXELS) == (255, 0, 0, 255)).all()


@pytest.mark.parametrize(
    ("css", "cleaned"),
    [
        ("fill:url(#a)", "fill:url(#a)"),
        ("fill:URL( '#a' )", "fill:url(#a)"),
        ("fill:url(http://x/#a)", "fill:none"),
        (r"fill:u\rl(http://x)", "fill:none"),
        ('fill:url("x', ""),
        ("a{b:c}@import 'x';d{e:f}", "a{b:c}d{e:f}"),
        ("@im/**/port 'x'", ""),
        ("@font-face{src:url(x)}a{b:c}", "a{b:c}"),
    ],
)
def test_css_refers_to_nothing_outside(css: str, cleaned: str) -> None:
    assert clean_css(css) == cleaned


def laughs(count: int, *, is_reversed: bool = False) -> str:
    lines = ['<!ENTITY a0 "lol">', *(f'<!ENTITY a{i} "{f"&a{i - 1};" * 10}">' for i in range(1, count))]
    return f"<!DOCTYPE svg [{''.join(reversed(lines) if is_reversed else lines)}]>"


def chain(tag: str, levels: int, width: int = 10) -> str:
    parts = [f'<{tag} id="p0"><rect width="9" height="9"/></{tag}>']
    for level in range(1, levels):
        inside = f'<rect width="9" height="9" fill="url(#p{level - 1})"/>'
        if tag == "g":
            inside = f'<use href="#p{level - 1}"/>'
        parts.append(f'<{tag} id="p{level}" width="9" height="9">{inside * width}</{tag}>')
    return "".join(parts) + f'<rect width="20" height="20" fill="url(#p{levels - 1})"/>'


def by_style_sheet() -> str:
    rules = "".join(f".c{level}{{fill:url(#p{level})}}" for level in range(9))
    tiles = (f'<pattern id="p{i}">{f"""<path class="c{i + 1}" d="M0 0h9v9"/>""" * 10}</pattern>' for i in range(9))
    return f"<style>{rules}</style>{''.join(tiles)}<path class='c0' d='M0 0h9v9'/>"


def filtered(primitive: str) -> bytes:
    body = f'<filter id="f">{primitive}</filter><rect width="600" height="600" filter="url(#f)"/>'
    return svg(body, 'width="600" height="600"')


BOMBS = {
    "entities": svg("<text>&a8;</text>", prolog=laughs(9)),
    "entities-reversed": svg("<text>&a8;</text>", prolog=laughs(9, is_reversed=True)),
    "entity-chain": svg(
        "&a0;",
        prolog=f"<!DOCTYPE svg [{''.join(f'''<!ENTITY a{i} '&a{i + 1};'>''' for i in range(5000))}]>",
    ),
    "entity-often": svg(f"<text>{'&a;' * 90_000}</text>", prolog=f"<!DOCTYPE svg [<!ENTITY a '{'x' * 90_000}'>]>"),
    "attribute-defaults": svg("<rect/>" * 10_000, prolog=f"<!DOCTYPE svg [<!ATTLIST rect x CDATA '{'1' * 100_000}'>]>"),
    "uses": svg(chain("g", 9)),
    "patterns": svg(chain("pattern", 9)),
    "inherited-paint": svg(
        "".join(f'<pattern id="p{i}"><g fill="url(#p{i + 1})">{"<rect/>" * 10}</g></pattern>' for i in range(9))
        + '<rect fill="url(#p0)"/>'
    ),
    "style-sheet": svg(by_style_sheet()),
    "style-rules": svg("<style>" + ".a .b{fill:red}" * 9000 + "</style>" + "<rect/>" * 9000),
    "markers": svg(
        f'<marker id="m">{"<rect/>" * 100}</marker><path marker-mid="url(#m)" d="M0 0{" L5 9 9 4" * 5000}"/>'
    ),
    "deep": svg("<g>" * 20_000 + "</g>" * 20_000),
    "deep-uses": svg('<rect id="a0"/>' + "".join(f'<use id="a{i}" href="#a{i - 1}"/>' for i in range(1, 5000))),
    "deep-gradients": svg("".join(f'<linearGradient id="a{i}" href="#a{i + 1}"/>' for i in range(5000))),
    "elements": gzip.compress(svg("<rect/>" * 300_000)),
    "gzip": gzip.compress(svg(" " * (40 << 20))),
    "tile": svg(
        '<pattern id="p" width="1e5" height="1e5" patternUnits="userSpaceOnUse"><rect width="9" height="9"/></pattern>'
        '<rect width="20" height="20" fill="url(#p)"/>'
    ),
    "layers": svg('<g opacity=".9">' * 60 + "<rect/>" + "</g>" * 60, 'width="4000" height="4000"'),
    "morphology": filtered('<feMorphology radius="250"/>'),
    "convolution": filtered(f'<feConvolveMatrix order="99" kernelMatrix="{"1 " * 99 * 99}"/>'),
    "turbulence": filtered('<feTurbulence baseFrequency=".1" numOctaves="99"/>' * 40),
}


@pytest.mark.timeout(20)
@pytest.mark.parametrize("name", BOMBS)
def test_bombs_are_refused_before_they_are_drawn(name: str) -> None:
    with pytest.raises((UndecodableImage, ImageTooLarge)) as refusal:
        render_svg(BOMBS[name], 1.0, MAX_PIXELS)
    assert re.fullmatch(r"The SVG [^\n/]*\.", refusal.value.message)


@pytest.mark.parametrize(
    "body",
    [
        '<use id="s" href="#s"/>',
        '<g id="a"><use href="#b"/></g><g id="b"><use href="#a"/></g>',
        '<pattern id="p" width="9" height="9"><rect width="9" height="9" style="fill: url(#p)"/></pattern>'
        '<rect width="9" height="9" fill="url(#p)"/>',
        '<mask id="m"><rect mask="url(#m)" width="9" height="9"/></mask><rect mask="url(#m)" width="9" height="9"/>',
        '<filter id="f"><feImage href="#r"/></filter><g id="r"><g filter="url(#f)"/></g>',
        '<linearGradient id="g" href="#h"/><linearGradient id="h" href="#g"/><rect fill="url(#g)"/>',
    ],
)
def test_circles_are_cut(body: str) -> None:
    pixels = render_svg(svg(body + '<path fill="red" d="M0 10h20v10h-20"/>'), 1.0, MAX_PIXELS)
    assert (pixels[12:] == (255, 0, 0, 255)).all()


def test_ordinary_depth_and_repetition_are_drawn() -> None:
    depth = MAX_DEPTH - 2
    nested = "<g>" * depth + '<rect width="20" height="20" fill="red"/>' + "</g>" * depth
    assert (render_svg(svg(nested), 1.0, MAX_PIXELS) == (255, 0, 0, 255)).all()
    repeated = '<rect id="r" width="20" height="20" fill="red"/>' + '<use href="#r"/>' * 2000
    assert (render_svg(svg(repeated), 1.0, MAX_PIXELS) == (255, 0, 0, 255)).all()


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the peak memory of a process is read on Linux only")
def test_corpus_stays_within_500_mb(corpus: Path) -> None:
    program = """
import contextlib, pathlib, sys
from imageplane.codecs.svg import render_svg
from imageplane.errors import ImageplaneError
for file in sorted(pathlib.Path(sys.argv[1]).glob("*.svg*")):
    with contextlib.suppress(ImageplaneError):
        render_svg(file.read_bytes(), 1.0, 50_000_000)
print(pathlib.Path("/proc/self/status").read_text())
"""
    done = subprocess.run(
        [sys.executable, "-c", program, str(corpus / "odd")], capture_output=True, text=True, check=True
    )
    peak = re.search(r"VmHWM:\s+(\d+) kB", done.stdout)
    assert peak is not None
    assert int(peak[1]) < 500_000
