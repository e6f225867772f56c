from dataclasses import replace
from typing import Literal

from pydantic import Field

from imageplane.codecs.formats import Target
from imageplane.operation import Example, OutputOperation


class Convert(OutputOperation):
    """Set the format of the result.

    The last `convert` of the list decides. Quality counts for JPEG, WebP, AVIF and HEIF, and is ignored for PNG.
    Transparency is laid on white when the format has none.
    """

    type: Literal["convert"] = "convert"
    format: Literal["png", "jpeg", "webp", "avif", "heif"] = Field(description="Format of the result.")
    quality: int | None = Field(default=None, ge=1, le=100, description="1 is smallest, 100 is best.")

    examples = (
        Example("webp", {"format": "webp", "quality": 71}, max_delta=24, mean_delta=1.0),
        Example("jpeg", {"format": "jpeg", "quality": 83}, picture="alpha", max_delta=24, mean_delta=1.0),
    )

    def retarget(self, target: Target) -> Target:
        return replace(target, format=self.format, quality=self.quality)
