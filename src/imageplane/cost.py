"""What work is thought to cost before anyone has tried it, so that it can be put in the right line."""

from dataclasses import dataclass
from typing import Final

# What a thumbnail of a large photo never reaches; AVIF, animations and networks do, where they are not tiny.
_HEAVY_FROM_IN_S: Final = 0.25


@dataclass(frozen=True, slots=True)
class Cost:
    """What one piece of work takes of an engine.

    Takes: CPU time of an ordinary core; the memory that it holds at its peak, beside what an idle engine has.
    """

    cpu_in_s: float = 0.05
    memory_in_bytes: int = 50_000_000

    @property
    def is_heavy(self) -> bool:
        """Whether so much that no small work should wait behind it."""
        return self.cpu_in_s >= _HEAVY_FROM_IN_S
