"""Lengths and numbers as SVG writes them."""

import math
import re

_FONT_SIZE_IN_PX = 16.0
_UNITS_IN_PX = {
    "": 1.0,
    "px": 1.0,
    "pt": 96 / 72,
    "pc": 16.0,
    "in": 96.0,
    "cm": 96 / 2.54,
    "mm": 96 / 25.4,
    "q": 96 / 101.6,
    "em": _FONT_SIZE_IN_PX,
    "rem": _FONT_SIZE_IN_PX,
    "ex": _FONT_SIZE_IN_PX / 2,
}
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")
_LENGTH = re.compile(rf"\s*({_NUMBER.pattern})\s*([a-zA-Z]*)\s*")


def length_in_px(text: str) -> float | None:
    """Give an absolute length in CSS pixels, `em` being 16; None for percentages, `auto` and what is no length."""
    found = _LENGTH.fullmatch(text[:64])
    unit = _UNITS_IN_PX.get(found[2].lower()) if found else None
    if found is None or unit is None:
        return None
    length = float(found[1]) * unit
    return length if math.isfinite(length) else None


def numbers(text: str) -> list[float]:
    """Give the numbers in a list that is separated by spaces or commas."""
    return [float(number) for number in _NUMBER.findall(text)]


def number(text: str | None, default: float) -> float:
    """Give the first number in a text."""
    found = _NUMBER.search(text) if text else None
    return float(found[0]) if found else default
