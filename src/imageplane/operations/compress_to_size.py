from dataclasses import replace
from typing import Literal

from pydantic import Field

from imageplane.codecs.formats import Target
from imageplane.operation import Example, OutputOperation


class CompressToSize(OutputOperation):
    """Make the file no larger than this.

    The largest quality that fits is taken; when even the lowest is too large, then the largest dimensions that fit.
    Lossless formats only shrink their dimensions. A size that nothing reaches is refused.
    """

    type: Literal["compress_to_size"] = "compress_to_size"
    max_file_size_in_bytes: int = Field(gt=0, description="The most bytes that the file may have.")

    examples = (Example("png", {"max_file_size_in_bytes": 9_973}, max_delta=3),)

    def retarget(self, target: Target) -> Target:
        return replace(target, max_size_in_bytes=self.max_file_size_in_bytes)
