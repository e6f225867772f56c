"""What outputs are named after: the source's own name, changed only where no store could hold it.

A name depends on its item alone and never on what else is in a run, so that a run that is resumed finds what was made.
"""

import re
from hashlib import blake2b
from typing import Final

from imageplane.sources import Location

# File systems take 255 bytes; the name of an output and a suffix come behind this.
_LONGEST_PART_IN_BYTES: Final = 160
_KEPT_OF_A_LONG_PART_IN_BYTES: Final = 120
_LONGEST_IN_BYTES: Final = 900
_UNFIT: Final = re.compile(r"[\x00-\x1f\x7f\\\ud800-\udfff]")
# Where the journal is.
OWN_FOLDER: Final = ".imageplane"


def fitted(name: str) -> str:
    """Give a path with slashes that every store takes: the same, or with a digest in every part that had to change."""
    parts = name.split("/")
    fit = "/".join(_fitted_part(part) for part in parts)
    if parts[0].casefold() == OWN_FOLDER:
        fit = _marked(f"_{fit}", name)
    if len(fit.encode()) > _LONGEST_IN_BYTES:
        return _marked(_cut(fit, _KEPT_OF_A_LONG_PART_IN_BYTES).replace("/", "_"), name)
    return fit


def name_of_url(url: Location) -> str:
    """Give what the outputs of a URL are named after: its host and path, and a digest where they don't tell it all."""
    path, _, query = url.target.partition("?")
    host = url.host.replace(":", "_")
    name = f"{host}{path}"
    is_all = url == Location("https", url.host, 443, path) and not path.endswith("/")
    return fitted(name if is_all and not query else _marked(name.rstrip("/"), url.text))


def key_of(name: str) -> bytes:
    """Give 16 bytes that tell a name from any other."""
    return blake2b(name.encode("utf-8", "surrogateescape"), digest_size=16).digest()


def _fitted_part(part: str) -> str:
    fit = _UNFIT.sub("_", part)
    if fit in ("", ".", ".."):
        fit = "_"
    if len(fit.encode()) > _LONGEST_PART_IN_BYTES:
        fit = _cut(fit, _KEPT_OF_A_LONG_PART_IN_BYTES)
    return fit if fit == part else _marked(fit, part)


def _marked(fit: str, whole: str) -> str:
    return f"{fit}-{key_of(whole).hex()[:16]}"


def _cut(text: str, size_in_bytes: int) -> str:
    return text.encode()[:size_in_bytes].decode("utf-8", "ignore")
