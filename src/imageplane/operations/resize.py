from typing import Literal

import pyvips
from pydantic import AliasChoices, Field

from imageplane.operation import Absorption, Example, HexColor, PixelOperation, SidePx, Size, Tools
from imageplane.pixels.alpha import mixing
from imageplane.pixels.color import opaque
from imageplane.pixels.crop import attention_crop, center_crop
from imageplane.pixels.geometry import Fit, scale_to, scaled_size


class Resize(PixelOperation):
    """Scale the picture to a box.

    `cover` fills the box and cuts what hangs over, `contain` fits inside and pads, `fill` stretches, `inside` only
    ever shrinks to fit, `outside` only ever enlarges to cover. Padding is black unless `hex_color` says otherwise.

    Method: libvips `resize` with Lanczos3, premultiplied; enlarging is bicubic.
    """

    type: Literal["resize"] = "resize"
    width_in_px: SidePx = Field(validation_alias=AliasChoices("width_in_px", "width"), description="Width of the box.")
    height_in_px: SidePx = Field(
        validation_alias=AliasChoices("height_in_px", "height"), description="Height of the box."
    )
    fit: Fit = Field(description="How the picture meets the box.")
    position: Literal["center", "smart_crop"] = Field(
        default="center", description="Which part `cover` keeps: the middle, or what draws the eye."
    )
    hex_color: HexColor = Field(default="#000000", description="Padding color of `contain`.")

    examples = (
        Example("cover", {"width_in_px": 121, "height_in_px": 83, "fit": "cover"}),
        Example("contain", {"width_in_px": 121, "height_in_px": 97, "fit": "contain", "hex_color": "#2266aa"}),
        Example("fill", {"width_in_px": 73, "height_in_px": 121, "fit": "fill"}, picture="alpha"),
        Example("inside", {"width_in_px": 121, "height_in_px": 473, "fit": "inside"}, picture="alpha"),
        Example("outside", {"width_in_px": 61, "height_in_px": 139, "fit": "outside"}),
    )

    @property
    def _box(self) -> Size:
        return Size(self.width_in_px, self.height_in_px)

    def size_after(self, size: Size) -> Size:
        return scaled_size(size, self._box, self.fit) if self.fit in ("inside", "outside") else self._box

    def largest_on_the_way(self, size: Size) -> Size:
        return scaled_size(size, self._box, "cover") if self.fit == "cover" else self.size_after(size)

    def absorb(self, size: Size) -> Absorption:
        scaled = scaled_size(size, self._box, self.fit)
        is_centered = self.fit == "cover" and self.position == "center"
        return Absorption.of_scaling(
            size, scaled, (scaled.height + self.height_in_px) / 2 / scaled.height if is_centered else 1
        )

    def apply(self, image: pyvips.Image, tools: Tools) -> pyvips.Image:
        return self.apply_to_frames([image], tools)[0]

    def apply_to_frames(self, frames: list[pyvips.Image], tools: Tools) -> list[pyvips.Image]:
        picture = self.picture_on(frames[0])
        size = scaled_size(picture.full, self._box, self.fit)
        scaled = [mixing(frame, lambda bands: scale_to(bands, size, picture)) for frame in frames]
        if self.fit == "cover":
            is_smart = self.position == "smart_crop"
            return attention_crop(scaled, self._box).frames if is_smart else center_crop(scaled, self._box)
        if self.fit == "contain":
            return [_padded(frame, self._box, self.hex_color) for frame in scaled]
        return scaled


def _padded(image: pyvips.Image, box: Size, hex_color: str) -> pyvips.Image:
    left, top = (box.width - image.width) // 2, (box.height - image.height) // 2
    return image.embed(left, top, *box, extend="background", background=opaque(hex_color, image.bands))
