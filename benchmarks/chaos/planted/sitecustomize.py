"""Faults planted into decoders: Python loads this at the start of every process that finds it on its path.

In an engine, a file that ends in `chaos:DEED:NUMBER` has its decoder do one of the misdeeds of `tests/misdeeds.py`.
"""

import re
import sys
from typing import Any

_MARK = re.compile(rb"chaos:(\w+):\d+\Z")
_LONGEST_MARK_IN_BYTES = 64
_MORE_THAN_ALLOWED_IN_BYTES = 4_000_000_000


def _plant() -> None:
    import misdeeds  # type: ignore[import-not-found]  # noqa: PLC0415 - only an engine has use for them

    from imageplane.codecs import header  # noqa: PLC0415

    read_header = header.read_header

    def read_or_misbehave(data: Any, *arguments: Any, **named: Any) -> Any:
        found = _MARK.search(bytes(data[-_LONGEST_MARK_IN_BYTES:]))
        if found is None:
            return read_header(data, *arguments, **named)
        deed = found[1].decode()
        size = (_MORE_THAN_ALLOWED_IN_BYTES,) if deed == "fill_memory" else ()
        return getattr(misdeeds, deed)(data, *size, None)

    header.read_header = read_or_misbehave


if "imageplane.engine.worker" in getattr(sys, "orig_argv", ()):
    _plant()
