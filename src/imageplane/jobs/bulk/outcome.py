"""What became of one item, and what is told of it."""

from dataclasses import dataclass
from typing import Any, Literal

from imageplane.errors import ImageplaneError
from imageplane.jobs.bulk.items import Item


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one item.

    Takes: `error`, when it failed, after so many `tries`; `warnings` about its pictures.
    """

    item: Item
    status: Literal["made", "skipped", "failed"]
    error: ImageplaneError | None = None
    tries: int = 1
    warnings: tuple[str, ...] = ()

    @property
    def line(self) -> dict[str, Any]:
        """What a report says of a failure, without what may be secret in a URL."""
        told: dict[str, Any] = {"name": self.item.name, self.item.kind: self.item.shown_place, "status": self.status}
        if self.item.line:
            told["line"] = self.item.line
        if self.error is not None:
            told |= {"code": self.error.code, "reason": self.error.message}
        return {**told, "tries": self.tries}
