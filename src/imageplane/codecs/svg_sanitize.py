"""SVG text to a tree that holds shapes and nothing else: no script, no network, no file, no unbounded text.

The renderer sees only what `write_svg` makes from that tree, so what is not understood here is not drawn.
"""

import contextlib
import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from xml.parsers import expat
from xml.sax.saxutils import escape, quoteattr

from imageplane.codecs.svg_images import embedded_image
from imageplane.codecs.svg_length import number
from imageplane.errors import ImageTooLarge, UndecodableImage

SVG_NAMESPACE = "http://www.w3.org/2000/svg"
XLINK_NAMESPACE = "http://www.w3.org/1999/xlink"
MAX_TEXT_IN_BYTES = 32 * 1024 * 1024
START_IN_BYTES = 256 * 1024
MAX_ELEMENTS = 200_000
MAX_DEPTH = 96
MAX_ENTITY_IN_CHARACTERS = 100_000
MAX_ENTITY_LEVELS = 20
MAX_OCTAVES = 8  # an octave adds half of the one before: the ninth is below one step of 8 bits
GZIP_MAGIC = b"\x1f\x8b"

_DRAWN = frozenset(
    re.findall(
        r"\w+",
        "a circle clipPath defs ellipse filter g image line linearGradient marker mask path pattern polygon polyline"
        " radialGradient rect stop style svg switch symbol text textPath tspan use feBlend feColorMatrix"
        " feComponentTransfer feComposite feConvolveMatrix feDiffuseLighting feDisplacementMap feDistantLight"
        " feDropShadow feFlood feFuncA feFuncB feFuncG feFuncR feGaussianBlur feImage feMerge feMergeNode feMorphology"
        " feOffset fePointLight feSpecularLighting feSpotLight feTile feTurbulence",
    )
)
_WITH_TEXT = frozenset({"text", "textPath", "tspan", "style", "a"})
_NUMBERS_ONLY = frozenset({"d", "points", "transform", "id", "class"})
_URL = re.compile(r"""url\(\s*(["']?)\s*(.*?)\s*\1\s*\)""", re.IGNORECASE | re.DOTALL)
_AT_RULE = re.compile(r"@font-face[^{}]*\{[^{}]*\}|@[^{};]*;", re.IGNORECASE)
_COMMENT = re.compile(r"/\*.*?(?:\*/|\Z)", re.DOTALL)
_ENTITY = re.compile(r"&([^#;&\s][^;&\s]*);")


@dataclass(slots=True, eq=False)
class Element:
    """One element that may be drawn, without its namespace; `pixels` counts those of an embedded picture."""

    tag: str
    attributes: dict[str, str]
    children: "list[Element | str]" = field(default_factory=list)
    pixels: int = 0


class _RootFound(Exception):
    """Stops the parser once the attributes of the root are known."""


def text_start(data: bytes) -> bytes:
    """Give the first part of the text, unpacked, for a look at what it is."""
    if data.startswith(GZIP_MAGIC):
        try:
            data = zlib.decompressobj(wbits=31).decompress(data, START_IN_BYTES)
        except zlib.error:
            return b""
    return _without_space(data[:START_IN_BYTES])


def unpacked(data: bytes) -> bytes:
    """Give the text of an SVG, taken out of gzip where it is an svgz."""
    if data.startswith(GZIP_MAGIC):
        unzip = zlib.decompressobj(wbits=31)
        try:
            data = unzip.decompress(data, MAX_TEXT_IN_BYTES + 1)
        except zlib.error as error:
            raise UndecodableImage("The compressed SVG is damaged.", detail=str(error)) from None
        if len(data) <= MAX_TEXT_IN_BYTES and not unzip.eof:
            raise UndecodableImage("The compressed SVG is cut short.")
    if len(data) > MAX_TEXT_IN_BYTES:
        raise ImageTooLarge(f"The SVG holds more than {MAX_TEXT_IN_BYTES >> 20} MB of text.")
    return _without_space(data)


def _without_space(text: bytes) -> bytes:
    return text if text.startswith((b"\xff\xfe", b"\xfe\xff")) else text.lstrip()


def root_attributes(text: bytes) -> Mapping[str, str]:
    """Give the attributes of the root without reading on; what is not an SVG is `UndecodableImage`."""
    reader = _Reader(only_root=True, max_pixels=0)
    with contextlib.suppress(_RootFound):
        reader.read(text)
    return reader.tree().attributes


def read_svg(text: bytes, max_pixels: int) -> Element:
    """Give the tree of everything in an SVG that may be drawn.

    Method: a stream parser (expat) that fetches nothing and ignores external entities; elements are kept by an
    allow-list, references only where they point inside the document or are an embedded JPEG, PNG, GIF or WebP.
    Errors: `UndecodableImage` for broken or boundless text, `ImageTooLarge` for too large an embedded picture.
    """
    reader = _Reader(only_root=False, max_pixels=max_pixels)
    reader.read(text)
    return reader.tree()


def write_svg(root: Element) -> str:
    """Give the text of a tree for the renderer."""
    pieces: list[str] = []
    _write(root, pieces, f' xmlns="{SVG_NAMESPACE}"')
    return "".join(pieces)


def _write(element: Element, pieces: list[str], extra: str = "") -> None:
    attributes = "".join(f" {name}={quoteattr(value)}" for name, value in element.attributes.items())
    pieces.append(f"<{element.tag}{extra}{attributes}>")
    for child in element.children:
        if isinstance(child, str):
            pieces.append(escape(child))
        else:
            _write(child, pieces)
    pieces.append(f"</{element.tag}>")


def clean_css(css: str) -> str:
    """Give style text whose every `url()` points inside the document; `@import` and `@font-face` are taken out."""
    css = _AT_RULE.sub("", _COMMENT.sub("", css).replace("\\", ""))
    css = _URL.sub(lambda found: f"url({found[2]})" if found[2].startswith("#") else "none", css)
    folded = css.casefold()
    return css if folded.count("url(") == folded.count("url(#") and "@import" not in folded else ""


class _Reader:
    """Handlers of one parse; elements that are not drawn are skipped with all that they hold."""

    def __init__(self, *, only_root: bool, max_pixels: int) -> None:
        self._only_root = only_root
        self._max_pixels = max_pixels
        self._root: Element | None = None
        self._open: list[Element] = []
        self._scopes: list[dict[str, str]] = [{"xlink": XLINK_NAMESPACE}]
        self._scope_of: list[bool] = []
        self._skipped = 0
        self._elements = 0
        self._ids: set[str] = set()
        self._entities: dict[str, str] = {}
        self._ampersands = 0
        self._characters_read = 0

    def read(self, text: bytes) -> None:
        self._ampersands = text.count(b"&")
        parser = expat.ParserCreate()
        parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._characters
        parser.EntityDeclHandler = self._entity
        parser.EndDoctypeDeclHandler = self._check_entities
        try:
            parser.Parse(text, True)  # noqa: FBT003 - expat takes it by position only
        except expat.ExpatError as error:
            message = f"The SVG is broken: it is not well-formed XML (line {error.lineno})."
            raise UndecodableImage(message, detail=str(error)) from None
        except (LookupError, ValueError) as error:
            raise UndecodableImage("The SVG is in an unknown text encoding.", detail=str(error)) from None

    def tree(self) -> Element:
        if self._root is None:
            raise UndecodableImage("The file is not an SVG.")
        return self._root

    def _entity(self, name: str, is_parameter: bool, value: str | None, *_external: str | None) -> None:  # noqa: FBT001
        if value is not None and not is_parameter:
            self._entities.setdefault(name, value)

    def _check_entities(self) -> None:
        """Refuse before any is expanded; they may name later ones, so this waits for the end of the declarations."""
        lengths: dict[str, int] = {}
        longest = max((self._expanded_length(name, lengths, 0) for name in self._entities), default=0)
        if longest > MAX_ENTITY_IN_CHARACTERS or longest * self._ampersands > MAX_TEXT_IN_BYTES:
            raise UndecodableImage("The SVG defines entities that would expand without bound.")

    def _expanded_length(self, name: str, lengths: dict[str, int], level: int) -> int:
        if name not in lengths:
            value = self._entities.get(name, "")
            if level > MAX_ENTITY_LEVELS:
                raise UndecodableImage("The SVG defines entities that would expand without bound.")
            inner = sum(self._expanded_length(other, lengths, level + 1) for other in _ENTITY.findall(value))
            lengths[name] = len(value) + inner
        return lengths[name]

    def _count_characters(self, count: int) -> None:
        self._characters_read += count
        if self._characters_read > 2 * MAX_TEXT_IN_BYTES:
            raise UndecodableImage("The SVG expands to too much text.")

    def _start(self, name: str, raw: dict[str, str]) -> None:
        self._elements += 1
        self._count_characters(sum(map(len, raw.values())))
        if self._elements > MAX_ELEMENTS:
            raise UndecodableImage(f"The SVG has more than {MAX_ELEMENTS:,} elements.")
        if self._skipped:
            self._skipped += 1
            return
        self._enter_scope(raw)
        tag = self._svg_name(name)
        if self._root is None and tag != "svg":
            raise UndecodableImage("The file is not an SVG.")
        if tag is None or tag not in _DRAWN:
            self._leave_scope()
            self._skipped = 1
            return
        if len(self._open) >= MAX_DEPTH:
            raise UndecodableImage(f"The SVG nests elements deeper than {MAX_DEPTH} levels.")
        self._add(self._element(tag, raw))

    def _add(self, element: Element) -> None:
        if self._open:
            self._open[-1].children.append(element)
        else:
            self._root = element
            if self._only_root:
                raise _RootFound
        self._open.append(element)

    def _end(self, _name: str) -> None:
        if self._skipped:
            self._skipped -= 1
            return
        closed = self._open.pop()
        self._leave_scope()
        if closed.tag == "style":
            closed.children = [clean_css("".join(child for child in closed.children if isinstance(child, str)))]

    def _characters(self, text: str) -> None:
        self._count_characters(len(text))
        if not self._skipped and self._open and self._open[-1].tag in _WITH_TEXT:
            self._open[-1].children.append(text)

    def _enter_scope(self, raw: dict[str, str]) -> None:
        declared = {name[6:]: uri.strip() for name, uri in raw.items() if name == "xmlns" or name.startswith("xmlns:")}
        self._scope_of.append(bool(declared))
        if declared:
            self._scopes.append(self._scopes[-1] | declared)

    def _leave_scope(self) -> None:
        if self._scope_of.pop():
            self._scopes.pop()

    def _svg_name(self, name: str) -> str | None:
        """Give the local name of an SVG element; a document that declares no namespace at all is taken as SVG."""
        prefix, _, local = name.rpartition(":")
        uri = self._scopes[-1].get(prefix, SVG_NAMESPACE if not prefix else None)
        return local if uri == SVG_NAMESPACE else None

    def _element(self, tag: str, raw: dict[str, str]) -> Element:
        element = Element(tag, {})
        href: str | None = None
        for name, value in raw.items():
            prefix, _, local = name.rpartition(":")
            if local == "href" and (not prefix or self._scopes[-1].get(prefix) == XLINK_NAMESPACE):
                href = value if not prefix or href is None else href
            elif (not prefix and not local.startswith(("on", "xmlns"))) or name == "xml:space":
                self._keep(element, name, value)
        if href is not None and "href" not in element.attributes:
            self._refer(element, href.strip())
        return element

    def _keep(self, element: Element, name: str, value: str) -> None:
        if name == "id":
            # The renderer and the cost estimate must agree on which element an id names.
            if value in self._ids:
                return
            self._ids.add(value)
        elif name == "numOctaves":
            value = str(MAX_OCTAVES) if number(value, 1) > MAX_OCTAVES else value
        elif name not in _NUMBERS_ONLY and ("(" in value or "\\" in value):
            value = clean_css(value)
        if value or name == "id":
            element.attributes[name] = value

    def _refer(self, element: Element, href: str) -> None:
        if element.tag == "a" or (element.tag == "image" and not href.startswith("data:")):
            return
        if href.startswith("#"):
            element.attributes["href"] = href
        elif element.tag in {"image", "feImage"}:
            image = embedded_image(href, self._max_pixels)
            if image is not None:
                element.attributes["href"], element.pixels = image.uri, image.pixels
