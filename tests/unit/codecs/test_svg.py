"""SVG: what is drawn, how large, and what is refused."""

import gzip
import re
from pathlib import Path

import numpy as np
import pytest
from drawings import RED, data_uri, png_bytes, svg

from imageplane.codecs.svg import looks_like_svg, render_svg, svg_size
from imageplane.codecs.svg_fonts import generic_families
from imageplane.errors import ImageTooLarge, UndecodableImage

MAX_PIXELS = 50_000_000


@pytest.mark.parametrize(
    ("attributes", "size"),
    [
        ('width="121" height="473"', (121, 473)),
        ('width="121px" height="47.5"', (121, 48)),
        ('width="1in" height="2.54cm"', (96, 96)),
        ('width="25.4mm" height="72pt"', (96, 96)),
        ('width="6pc" height="2em"', (96, 32)),
        ('viewBox="5 5 121 473"', (121, 473)),
        ('viewBox="0,0,24,24" width="100%" height="100%"', (24, 24)),
        ('viewBox="0 0 100 50" width="30"', (30, 15)),
        ('viewBox="0 0 100 50" height="30" width="auto"', (60, 30)),
        ('width="0.2" height="3"', (1, 3)),
    ],
)
def test_size_follows_width_height_and_view_box(attributes: str, size: tuple[int, int]) -> None:
    data = svg("<rect width='999' height='999'/>", attributes)
    assert svg_size(data) == size
    assert render_svg(data, 1.0, MAX_PIXELS).shape == (size[1], size[0], 4)


@pytest.mark.parametrize(
    "attributes",
    ["", 'width="9"', 'width="0" height="9"', 'width="-3" height="9"', 'width="1e999" height="9"', 'viewBox="0 0 0 9"'],
)
def test_no_usable_size_is_refused(attributes: str) -> None:
    for call in (svg_size, lambda data: render_svg(data, 1.0, MAX_PIXELS)):
        with pytest.raises(UndecodableImage, match="states"):
            call(svg("", attributes))


@pytest.mark.parametrize("scale", [0.01, 0.37, 1.0, 2.5])
def test_render_fills_the_scaled_size_to_its_last_row(scale: float) -> None:
    data = svg('<rect width="121" height="47" fill="#102030"/>', 'width="121" height="47" viewBox="0 0 121 47"')
    pixels = render_svg(data, scale, MAX_PIXELS)
    assert pixels.shape == (max(1, round(47 * scale)), max(1, round(121 * scale)), 4)
    assert (pixels == (0x10, 0x20, 0x30, 255)).all()


def test_alpha_is_straight() -> None:
    pixels = render_svg(svg('<rect width="20" height="10" fill="#ff8000" opacity=".5"/>'), 1.0, MAX_PIXELS)
    np.testing.assert_allclose(pixels[5, 5], (255, 128, 0, 128), atol=1)
    assert pixels[15, 5, 3] == 0


def test_preserve_aspect_ratio_is_kept_where_it_shows() -> None:
    body = '<rect width="10" height="10" fill="red"/>'
    letterboxed = render_svg(svg(body, 'width="40" height="20" viewBox="0 0 10 10"'), 1.0, MAX_PIXELS)
    stretched = svg(body, 'width="40" height="20" viewBox="0 0 10 10" preserveAspectRatio="none"')
    assert letterboxed[10, [2, 20, 37], 3].tolist() == [0, 255, 0]
    assert (render_svg(stretched, 1.0, MAX_PIXELS)[..., 3] == 255).all()


@pytest.mark.parametrize("side", ["96", "1in", "25.4mm", "72pt", "6pc", "50%", "6em"])
def test_units_inside_the_drawing_are_css_units(side: str) -> None:
    body = f'<rect width="{side}" height="{side}" font-size="16"/>'
    pixels = render_svg(svg(body, 'width="192" height="192"'), 1.0, MAX_PIXELS)
    assert (pixels[..., 3] > 128).sum() == 96 * 96


def test_gradient_goes_from_its_first_to_its_last_color() -> None:
    stops = '<stop offset="0" stop-color="#f00"/><stop offset="1" stop-color="#00f"/>'
    body = f'<linearGradient id="g">{stops}</linearGradient><rect width="100" height="9" fill="url(#g)"/>'
    row = render_svg(svg(body, 'width="100" height="9"'), 1.0, MAX_PIXELS)[4].astype(int)
    assert row[0, 0] > 250
    assert row[-1, 2] > 250
    np.testing.assert_allclose(row[:, 0] + row[:, 2], 255, atol=2)


@pytest.mark.parametrize("family", ["sans-serif", "serif", "monospace", "No Such Font"])
def test_text_is_drawn_with_whatever_font_is_installed(family: str) -> None:
    if generic_families().serif is None:
        pytest.skip("no fonts are looked for or found on this system")
    body = f'<text x="2" y="18" font-size="18" font-family="{family}">Hi</text>'
    assert (render_svg(svg(body), 1.0, MAX_PIXELS)[..., 3] > 128).sum() > 20


@pytest.mark.parametrize(
    "data",
    [
        gzip.compress(RED),
        b"\n  " + RED,
        b"\xef\xbb\xbf" + RED,
        '<?xml version="1.0" encoding="UTF-16"?>'.encode("utf-16") + RED.decode().encode("utf-16")[2:],
        b'<?xml version="1.0" encoding="ISO-8859-1"?><!-- \xe9 -->' + RED,
        RED.replace(b"<rect", b"<s:rect")
        .replace(b"<svg", b'<s:svg xmlns:s="http://www.w3.org/2000/svg"')
        .replace(b"</svg", b"</s:svg"),
        b'<svg width="20" height="20"><rect width="20" height="20" fill="red"/></svg>',
        RED.replace(b"<svg", b'<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://127.0.0.1:1/svg11.dtd"><svg'),
        RED.replace(b'"http://www.w3.org/2000/svg"', b'"&ns;"').replace(
            b"<svg", b'<!DOCTYPE svg [<!ENTITY ns "http://www.w3.org/2000/svg">]><svg'
        ),
        RED.replace(b"/></svg>", b' inkscape:label="x"/><sodipodi:namedview/><use xlink:href="#no"/></svg>'),
    ],
    ids=["gz", "space", "bom", "utf16", "latin1", "prefix", "no-namespace", "doctype", "illustrator", "unbound"],
)
def test_ways_to_write_an_svg(data: bytes) -> None:
    assert looks_like_svg(data)
    assert (render_svg(data, 1.0, MAX_PIXELS) == (255, 0, 0, 255)).all()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"<",
        b'{"svg": "<svg>"}',
        b"<!DOCTYPE html><html><svg></svg></html>",
        b"<html><body><svg/></body></html>",
        b"<?php echo 1; ?>" + RED,
        b"GIF89a<svg/>",
        b"svg",
        b"\x1f\x8b broken",
        gzip.compress(b"<html/>", mtime=0),
        png_bytes(),
        b'<svg xmlns="http://example.com/"/>',
        b"<data/>",
    ],
)
def test_what_is_no_svg_is_not_taken_for_one(data: bytes) -> None:
    assert not looks_like_svg(data)


@pytest.mark.parametrize(
    "data", [b"", RED[:-6], RED[:30], gzip.compress(RED)[:-9], b"\x1f\x8b broken", b"<data/>", RED + b"<b/>"]
)
def test_broken_files_are_refused_in_one_sentence(data: bytes) -> None:
    with pytest.raises(UndecodableImage) as refusal:
        render_svg(data, 1.0, MAX_PIXELS)
    assert re.fullmatch(r"The [^\n/]*\.", refusal.value.message)


def test_drawings_above_the_pixel_limit_are_too_large() -> None:
    assert render_svg(svg("", 'width="1000" height="1000"'), 0.1, 10_000).shape == (100, 100, 4)
    with pytest.raises(ImageTooLarge):
        render_svg(svg("", 'width="1000" height="1000"'), 0.11, 10_000)
    with pytest.raises(ImageTooLarge):
        svg_size(svg("", 'width="10000000" height="10000000" viewBox="0 0 1 1"'))


def test_embedded_pictures_are_drawn_up_to_the_limit() -> None:
    data = svg(f'<image width="20" height="20" href="{data_uri(png_bytes())}"/>')
    assert (render_svg(data, 1.0, MAX_PIXELS) == (255, 0, 0, 255)).all()
    old = data.replace(b" href=", b" xlink:href=").replace(b"image/png", b"image/jpeg")
    assert (render_svg(old, 1.0, MAX_PIXELS) == (255, 0, 0, 255)).all()
    with pytest.raises(ImageTooLarge):
        render_svg(svg(f'<image href="{data_uri(png_bytes(size=(300, 300)))}"/>'), 1.0, 80_000)


@pytest.mark.timeout(20)
@pytest.mark.corpus("odd", "*.svg*")
def test_corpus_file_is_drawn_or_refused_as_its_manifest_says(row: dict[str, str]) -> None:
    data = Path(row["path"]).read_bytes()
    try:
        pixels = render_svg(data, 1.0, MAX_PIXELS)
    except (UndecodableImage, ImageTooLarge) as error:
        refusal: UndecodableImage | ImageTooLarge | None = error
    else:
        refusal = None
    if refusal is not None:
        assert "4xx" in row["expected"]
        assert re.fullmatch(r"The [^\n/]*\.", refusal.message)
        assert row["file"] != "images_giant.svg" or isinstance(refusal, ImageTooLarge)
        return
    promised = re.match(r"decodes to (\d+)x(\d+)", row["expected"])
    assert promised is not None or row["expected"].endswith("|decode")
    if promised is not None:
        size = int(promised[1]), int(promised[2])
        assert looks_like_svg(data)
        assert svg_size(data) == size
        assert pixels.shape == (size[1], size[0], 4)
