"""A store of a cloud as a source, page by page of its listing."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from imageplane.blobs import Blobs
from imageplane.jobs.bulk.items import Item, has_read_suffix, is_hidden, item_of_entry
from imageplane.jobs.bulk.source import Passed


@dataclass(frozen=True, slots=True)
class Bucket:
    """Every image under a prefix, by name, as S3, Google and Azure list them; hidden names are passed over."""

    blobs: Blobs
    passed: Passed = field(default_factory=Passed)
    is_checked_first: bool = False

    async def items(self) -> AsyncIterator[Item]:
        """Give every image. Errors: busy."""
        async for page in self.blobs.pages():
            for entry in page:
                if is_hidden(entry.name):
                    continue
                if not has_read_suffix(entry.name):
                    self.passed.others += 1
                    continue
                yield item_of_entry(entry)

    async def count(self) -> int:
        """Give how many images there are, by another listing. Errors: busy."""
        return sum(
            [
                sum(has_read_suffix(entry.name) and not is_hidden(entry.name) for entry in page)
                async for page in self.blobs.pages()
            ]
        )
