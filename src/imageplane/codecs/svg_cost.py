"""What drawing an SVG tree would cost, known before anything is drawn.

References (`use`, paints, masks, clips, markers, filters) make a graph, and each may multiply what it points to.
The graph is walked once with memory; references that close a circle are cut, so that the count is exact and ends.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from imageplane.codecs.svg_length import length_in_px, number, numbers
from imageplane.codecs.svg_sanitize import MAX_DEPTH, Element
from imageplane.errors import ImageTooLarge, UndecodableImage

MAX_DRAWN_ELEMENTS = 200_000
MAX_LAYERED_PIXELS = 1 << 28  # 1 GB of layers that are held at once
MAX_FILTER_STEPS = 1_000_000_000
MAX_TILE_IN_PIXELS = 1 << 26
MAX_STYLE_MATCHES = 20_000_000
MIN_DASH_IN_PX = 0.01

_NOT_DRAWN_IN_PLACE = frozenset(
    {"defs", "symbol", "pattern", "clipPath", "mask", "marker", "filter", "linearGradient", "radialGradient", "style"}
)
_GRADIENTS = frozenset({"linearGradient", "radialGradient"})
_PAINTS = frozenset({"fill", "stroke"})
_MARKERS = frozenset({"marker", "marker-start", "marker-mid", "marker-end"})
_LAYERS = {"mask": 2, "filter": 2, "clip-path": 1, "opacity": 1, "mix-blend-mode": 1, "isolation": 1}
_EFFECTIVE = _PAINTS | _MARKERS | _LAYERS.keys() | {"stroke-dasharray"}
_WITHOUT_LAYER = frozenset({"none", "normal", "auto", "1", "1.0", "100%"})
_WEIGHT = {"pattern": 10, "mask": 10, "clipPath": 5, "marker": 2}
_FILTER_WEIGHT = 20
_MAX_FILTER_GROWTH = 25  # the renderer cuts filter regions to five times the drawing each way
_PIXELS_PER_ELEMENT = 5_000
_USE_LEVELS = 2  # the renderer puts two groups in the place of each use
_REFERENCE = re.compile(r"url\(#(.*?)\)", re.IGNORECASE)
_RULE = re.compile(r"([^{}]*)\{([^{}]*)\}")
_SELECTOR_KEY = re.compile(r"[.#]?[\w-]+")


class _Cost(NamedTuple):
    """Bounds for one element with all that it draws: elements drawn, shapes and vertices, levels, layers held."""

    elements: int
    shapes: int
    vertices: int
    levels: int
    layers: int

    def beside(self, other: "_Cost", *, levels: int = 0) -> "_Cost":
        return _Cost(
            self.elements + other.elements,
            self.shapes + other.shapes,
            self.vertices + other.vertices,
            max(self.levels, other.levels + levels),
            max(self.layers, other.layers),
        )


class _Property(NamedTuple):
    """One declared property and the attribute that it comes from; an empty one for a style sheet."""

    name: str
    value: str
    source: str


def check_cost(root: Element, pixels: int, scale_to_px: float) -> None:
    """Refuse a tree that would take too long or too much memory to draw, and cut circular references out of it.

    Takes: the pixels of the drawing, and its scale from user units to pixels.
    """
    _Walk(root, pixels, scale_to_px).check()


class _Walk:
    def __init__(self, root: Element, pixels: int, scale_to_px: float) -> None:
        self._root = root
        self._pixels = pixels
        self._scale = scale_to_px
        self._all = list(_elements(root))
        self._by_id = {element.attributes["id"]: element for element in self._all if "id" in element.attributes}
        self._sheet = _style_sheet(self._all)
        self._has_markers = any(element.tag == "marker" for element in self._all)
        self._costs: dict[int, _Cost] = {}
        self._active: set[int] = set()

    def check(self) -> None:
        cost = self._visit(self._root)
        if cost is not None and (cost.layers + 1) * self._pixels > MAX_LAYERED_PIXELS:
            raise ImageTooLarge("The SVG holds too many nested transparent layers to be drawn at this size.")

    def _visit(self, element: Element) -> _Cost | None:
        """Give the cost of an element; None where it is being visited already, which is a circle."""
        key = id(element)
        if key in self._costs:
            return self._costs[key]
        if key in self._active:
            return None
        self._active.add(key)
        cost = self._with_references(element, self._with_children(element))
        self._active.remove(key)
        if cost.elements > MAX_DRAWN_ELEMENTS:
            raise UndecodableImage(f"The SVG repeats itself to more than {MAX_DRAWN_ELEMENTS:,} elements.")
        if cost.levels > MAX_DEPTH:
            raise UndecodableImage(f"The SVG nests references deeper than {MAX_DEPTH} levels.")
        self._costs[key] = cost
        return cost

    def _with_children(self, element: Element) -> _Cost:
        levels = len(self._active)
        if levels > MAX_DEPTH:
            raise UndecodableImage(f"The SVG nests references deeper than {MAX_DEPTH} levels.")
        self._check_tile(element)
        self._check_filter(element)
        weight = _FILTER_WEIGHT if element.tag.startswith("fe") else _WEIGHT.get(element.tag, 1)
        weight += element.pixels // _PIXELS_PER_ELEMENT
        cost = _Cost(weight, 1, self._vertices(element), 1, 0)
        for child in element.children:
            inner = None if isinstance(child, str) else self._visit(child)
            if inner is not None and not isinstance(child, str):
                if child.tag in _NOT_DRAWN_IN_PLACE:
                    inner = _Cost(1, 0, 0, inner.levels, 0)
                cost = cost.beside(inner, levels=1)
        return cost

    def _with_references(self, element: Element, cost: _Cost) -> _Cost:
        href = element.attributes.get("href", "")
        target = self._by_id.get(href[1:]) if href.startswith("#") else None
        if target is not None:
            inner = self._visit(target)
            if inner is None:
                del element.attributes["href"]
            elif element.tag not in _GRADIENTS:
                cost = cost.beside(inner, levels=_USE_LEVELS)
        layered: set[str] = set()
        for prop in list(self._properties(element)):
            if prop.name in _LAYERS and prop.value.strip() not in _WITHOUT_LAYER:
                layered.add(prop.name)
            if prop.name == "stroke-dasharray":
                self._drop_fine_dashes(element, prop)
            else:
                cost = self._with_property(element, prop, cost)
        return cost._replace(layers=cost.layers + sum(_LAYERS[name] for name in layered))

    def _with_property(self, element: Element, prop: _Property, cost: _Cost) -> _Cost:
        """Add what one property draws: a paint once for each shape that may inherit it, a marker for each vertex."""
        factor = cost.shapes if prop.name in _PAINTS else cost.vertices if prop.name in _MARKERS else 1
        extra = _FILTER_WEIGHT * prop.value.count("(") if prop.name == "filter" else 0
        for name in _REFERENCE.findall(prop.value):
            target = self._by_id.get(name)
            inner = None if target is None else self._visit(target)
            if target is None or target.tag in _GRADIENTS:
                continue
            if inner is None:
                _cut(element, prop, f"url(#{name})")
                continue
            extra += factor * inner.elements
            layers = max(cost.layers, inner.layers + (target.tag == "pattern"))
            cost = cost._replace(levels=max(cost.levels, inner.levels + 1), layers=layers)
        return cost._replace(elements=cost.elements + extra)

    def _properties(self, element: Element) -> Iterator[_Property]:
        attributes = element.attributes
        for name in attributes.keys() & _EFFECTIVE:
            yield _Property(name, attributes[name], name)
        if "style" in attributes:
            yield from _declarations(attributes["style"], "style")
        if self._sheet:
            names = ["*", element.tag, *(f".{name}" for name in attributes.get("class", "").split())]
            for name in [*names, f"#{attributes.get('id', '')}"]:
                yield from self._sheet.get(name, ())

    def _vertices(self, element: Element) -> int:
        if not self._has_markers:
            return 0
        return 2 + len(numbers(element.attributes.get("d", "") or element.attributes.get("points", "")))

    def _check_filter(self, element: Element) -> None:
        """Refuse a filter that would loop too long over every pixel."""
        if element.tag != "filter":
            return
        steps = sum(self._steps_a_pixel(child) for child in element.children if not isinstance(child, str))
        attributes = element.attributes
        if attributes.get("filterUnits") == "userSpaceOnUse":
            sides = [length_in_px(attributes.get(side, "")) or 0 for side in ("width", "height")]
            grown = sides[0] * sides[1] * self._scale**2 / self._pixels
        else:
            grown = _box_fraction(attributes.get("width")) * _box_fraction(attributes.get("height"))
        if steps * self._pixels * min(max(grown, 1.0), _MAX_FILTER_GROWTH) > MAX_FILTER_STEPS:
            raise UndecodableImage("The SVG has a filter that is too large to be drawn.")

    def _steps_a_pixel(self, primitive: Element) -> float:
        attributes = primitive.attributes
        if primitive.tag == "feMorphology":
            radii = [abs(radius) * self._scale for radius in numbers(attributes.get("radius", "0"))]
            return (2 * max(radii, default=0) + 1) ** 2
        if primitive.tag == "feConvolveMatrix":
            return max((abs(order) for order in numbers(attributes.get("order", "3"))), default=3) ** 2
        return 20 * number(attributes.get("numOctaves"), 1) if primitive.tag == "feTurbulence" else 5

    def _check_tile(self, element: Element) -> None:
        if element.tag != "pattern":
            return
        attributes = element.attributes
        if attributes.get("patternUnits") == "userSpaceOnUse":
            sides = [length_in_px(attributes.get(side, "")) or 0 for side in ("width", "height")]
            factors = [1.0, *(abs(factor) for factor in numbers(attributes.get("patternTransform", "")))]
            area = sides[0] * sides[1] * self._scale**2 * max(factors) ** 2
        else:
            area = _box_fraction(attributes.get("width")) * _box_fraction(attributes.get("height")) * self._pixels
        if area > max(MAX_TILE_IN_PIXELS, self._pixels):
            raise UndecodableImage("The SVG has a pattern tile that is too large to be drawn.")

    def _drop_fine_dashes(self, element: Element, prop: _Property) -> None:
        dashes = numbers(prop.value)
        if dashes and sum(dashes) * self._scale < MIN_DASH_IN_PX:
            _cut(element, prop, prop.value)


def _cut(element: Element, prop: _Property, value: str) -> None:
    if not prop.source:
        raise UndecodableImage("The SVG draws a part of itself inside that same part.")
    attributes = element.attributes
    attributes[prop.source] = re.sub(re.escape(value), "none", attributes[prop.source], flags=re.IGNORECASE)


def _box_fraction(text: str | None) -> float:
    return abs(number(text, 0)) / (100 if text and "%" in text else 1)


def _elements(element: Element) -> Iterator[Element]:
    waiting = [element]
    while waiting:
        current = waiting.pop()
        yield current
        waiting.extend(child for child in current.children if not isinstance(child, str))


def _declarations(body: str, source: str) -> Iterator[_Property]:
    for declaration in body.split(";"):
        name, _, value = declaration.partition(":")
        name = name.strip().casefold()
        if name in _EFFECTIVE:
            yield _Property(name, value, source)


def _style_sheet(elements: list[Element]) -> dict[str, set[_Property]]:
    """Give the costly declarations by a class, id or tag that their selectors require, `*` where none is clear."""
    text = "".join(
        child for element in elements if element.tag == "style" for child in element.children if isinstance(child, str)
    )
    sheet: dict[str, set[_Property]] = {}
    rules = 0
    for selectors, body in _RULE.findall(text):
        declarations = {found for found in _declarations(body, "") if found.name in _LAYERS or "(" in found.value}
        for selector in selectors.split(","):
            rules += 1
            last = re.split(r"[\s>+~]+", selector.strip())[-1]
            start = None if "|" in last else _SELECTOR_KEY.match(last)
            key = start[0] if start else "*"
            if declarations:
                sheet.setdefault(key, set()).update(declarations)
    if rules * len(elements) > MAX_STYLE_MATCHES:
        raise UndecodableImage("The SVG has too many style rules for its many elements.")
    return sheet
