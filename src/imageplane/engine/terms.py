"""What engines are given to work with."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Outfit:
    """What the work of engines needs beside their libraries.

    Takes: `readable`, files and folders such as those of models; `on_idle`, an importable function that an engine
    calls once whenever no order came for `idle_after_in_s`; `confined`, whether engines give up everything else.
    """

    readable: tuple[Path, ...] = ()
    on_idle: Callable[[], object] | None = None
    idle_after_in_s: float = 10.0
    confined: bool = True


@dataclass(frozen=True, slots=True)
class Terms:
    """What one engine is told before anything else: its outfit, and the most memory that it may hold."""

    memory_in_bytes: int
    outfit: Outfit
