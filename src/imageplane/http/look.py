"""The look of every page: colors and type, before what a page has of its own."""

from importlib.resources import files
from typing import Final

_LOOK: Final = (files("imageplane.http") / "look.css").read_text("utf-8")


def styled(own: str) -> str:
    """Give the whole style of a page, in CSS, from what it has of its own."""
    return _LOOK + own
