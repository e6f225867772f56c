"""The most that one source, and everything made of it, may have."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from imageplane.errors import ImageTooLarge, TooLarge


class Limits(BaseModel):
    """What one source and everything made of it may have, checked before any pixel is decoded."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    max_source_in_bytes: Annotated[
        int, Field(ge=1, le=2_000_000_000, description="The largest source file, in bytes as it was sent.")
    ] = 50_000_000
    max_pixels: Annotated[
        int, Field(ge=1, le=2_000_000_000, description="The most pixels that one picture may have at any step.")
    ] = 100_000_000
    max_frames: Annotated[int, Field(ge=1, le=100_000, description="The most frames that an animation may have.")] = 300
    max_total_pixels: Annotated[
        int, Field(ge=1, le=2_000_000_000, description="The most pixels that all frames of an animation have together.")
    ] = 50_000_000

    max_operations: Annotated[
        int, Field(ge=1, le=1000, description="The most operations that one output may have.")
    ] = 30

    def check_source(self, size_in_bytes: int) -> None:
        """Raise when a source of this many bytes may not be read. Errors: too_large."""
        if size_in_bytes > self.max_source_in_bytes:
            raise TooLarge(f"The file has {size_in_bytes:,} bytes; the limit is {self.max_source_in_bytes:,}.")

    def check_pixels(self, width: int, height: int, frames: int = 1) -> None:
        """Raise when a picture of this size may not be made. Errors: image_too_large."""
        size, pixels = f"{width}×{height}", width * height
        if pixels > self.max_pixels:
            raise ImageTooLarge(f"the image has {size} pixels; the limit is {self.max_pixels:,} in all")
        if frames > 1 and frames > self.max_frames:
            raise ImageTooLarge(f"the animation has {frames} frames; the limit is {self.max_frames}")
        if frames > 1 and frames * pixels > self.max_total_pixels:
            raise ImageTooLarge(
                f"the animation has {frames} frames of {size} pixels; the limit is {self.max_total_pixels:,} in all"
            )
