from typing import Literal

import pyvips
from pydantic import AliasChoices, Field

from imageplane.operation import Absorption, CropChoice, Example, PixelOperation, SidePx, Size, Tools, Window
from imageplane.pixels.alpha import mixing
from imageplane.pixels.crop import attention_crop
from imageplane.pixels.geometry import scale_to, scaled_size


class SmartCrop(PixelOperation):
    """Scale and cut to exactly this size, keeping what draws the eye.

    Method: the picture is scaled to cover the box, then libvips `smartcrop` chooses the window by attention.
    """

    type: Literal["smart_crop"] = "smart_crop"
    width_in_px: SidePx = Field(validation_alias=AliasChoices("width_in_px", "width"), description="Exact width.")
    height_in_px: SidePx = Field(validation_alias=AliasChoices("height_in_px", "height"), description="Exact height.")

    examples = (
        Example("portrait", {"width_in_px": 61, "height_in_px": 121}),
        Example("wide", {"width_in_px": 121, "height_in_px": 53}, picture="alpha"),
    )

    @property
    def _box(self) -> Size:
        return Size(self.width_in_px, self.height_in_px)

    def size_after(self, size: Size) -> Size:
        return self._box

    def largest_on_the_way(self, size: Size) -> Size:
        return scaled_size(size, self._box, "cover")

    def absorb(self, size: Size) -> Absorption:
        return Absorption.of_scaling(size, scaled_size(size, self._box, "cover"))

    def apply(self, image: pyvips.Image, tools: Tools) -> pyvips.Image:
        return self.apply_to_frames([image], tools)[0]

    def apply_to_frames(self, frames: list[pyvips.Image], tools: Tools) -> list[pyvips.Image]:
        picture = self.picture_on(frames[0])
        size = scaled_size(picture.full, self._box, "cover")
        scaled = [mixing(frame, lambda bands: scale_to(bands, size, picture)) for frame in frames]
        cut = attention_crop(scaled, self._box)
        window = Window.on(picture.full, size, cut.left, cut.top, self._box)
        tools.choices.append(CropChoice("saliency", window))
        return cut.frames
