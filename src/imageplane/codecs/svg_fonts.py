"""Which installed fonts stand in for the generic families.

The renderer takes them to be Times New Roman and Arial, and draws no text at all where those are not installed.
"""

import os
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

from PIL import ImageFont

_FOLDERS = ("/usr/share/fonts", "/usr/local/share/fonts", "~/.local/share/fonts", "~/.fonts")
_SUFFIXES = frozenset({".ttf", ".otf", ".ttc"})
_SERIF = ("times", "liberationserif-regular", "tinos-regular", "dejavuserif", "notoserif-regular")
_SANS_SERIF = ("arial", "liberationsans-regular", "arimo-regular", "dejavusans", "notosans-regular")
_MONOSPACE = ("cour", "liberationmono-regular", "cousine-regular", "dejavusansmono", "notosansmono-regular")


class GenericFamilies(NamedTuple):
    """The installed family for each generic one; None leaves the renderer's own default."""

    serif: str | None = None
    sans_serif: str | None = None
    monospace: str | None = None


@cache
def generic_families() -> GenericFamilies:
    """Give a serif, a sans and a monospace family that are installed; any font serves where the usual are missing.

    All are None where there is no font, or where the system brings the renderer's own defaults. The folders are
    looked through once in a process.
    """
    if not sys.platform.startswith("linux"):
        return GenericFamilies()
    files = {path.stem.lower(): path for path in sorted(_font_files(), reverse=True)}
    serif, sans_serif, monospace = (
        _first_family(files[stem] for stem in stems if stem in files) for stems in (_SERIF, _SANS_SERIF, _MONOSPACE)
    )
    any_family = sans_serif or serif or monospace or _first_family(iter(files.values()))
    return GenericFamilies(serif or any_family, sans_serif or any_family, monospace or any_family)


def _font_files() -> Iterator[Path]:
    for folder in _FOLDERS:
        # os.path leaves the ~ of a user without a home, as in some containers, where Path would raise.
        for path in Path(os.path.expanduser(folder)).rglob("*"):  # noqa: PTH111
            if path.suffix.lower() in _SUFFIXES:
                yield path


def _first_family(paths: Iterator[Path]) -> str | None:
    for path in paths:
        try:
            family = ImageFont.truetype(str(path)).getname()[0]
        except OSError:
            continue
        if family:
            return family
    return None
