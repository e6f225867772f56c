"""Requests for next to nothing, so that what a database does for them is seen, and not what engines do."""

import io
import itertools
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from PIL import Image

from benchmarks.load.pictures import tail
from benchmarks.scaling import asking
from benchmarks.scaling.asking import Question
from imageplane.database.stamps import new_id

# How many of them are not done or not delivered.
OPEN: Final = """
    SELECT (SELECT count(*) FROM jobs WHERE ended_at_in_ms IS NULL)
        + (SELECT count(*) FROM deliveries WHERE status = 'pending')
"""
_NUMBERS: Final[Iterator[int]] = itertools.count()


@dataclass(frozen=True, slots=True)
class Kind:
    """So many requests of a kind, so many at once."""

    name: str
    at_once: int
    count: int
    is_job: bool = False
    has_key: bool = False
    has_webhook: bool = False
    webhook_url: str = ""

    def told(self, url: str) -> "Kind":
        """Give the same with a receiver, where it wants one."""
        return replace(self, webhook_url=url) if self.has_webhook else self

    def question(self, _number: int) -> Question:
        """Give a request that nobody has sent before."""
        data = _TINY + tail(".png", next(_NUMBERS))
        question = asking.to_webhook(data, self.webhook_url) if self.webhook_url else asking.in_multipart(data)
        if self.is_job:
            question = asking.for_later(question)
        return question.with_headers({"Idempotency-Key": new_id()}) if self.has_key else question


KINDS: Final = (
    Kind("one at a time", 1, 150),
    Kind("64 at once", 64, 800),
    Kind("64 at once, Idempotency-Key", 64, 400, has_key=True),
    Kind("jobs, 64 at once", 64, 400, is_job=True),
    Kind("jobs with webhooks, 64 at once", 64, 400, is_job=True, has_webhook=True),
)


def _tiny() -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (8, 8), "teal").save(file, "PNG")
    return file.getvalue()


_TINY: Final = _tiny()
