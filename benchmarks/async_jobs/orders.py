"""What is handed in: small pictures, no two alike, each with what has to come of it."""

import base64
import io
import json
import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
import pyvips
from PIL import Image

OWNERS: Final = ("large", "middle", "small")
_SHARES: Final = (7, 2, 1)
_WIDTH_IN_PX, _HEIGHT_IN_PX = 480, 360
_NOISE: Final = 6.0
_ONE_LINK_IN: Final = 7
# Together they are another pair for every number, so that no job can pass for another.
_WIDTHS: Final = range(40, 40 + 89)
_HEIGHTS: Final = range(40, 40 + 97)
MOST: Final = len(_WIDTHS) * len(_HEIGHTS)
_MOST_OFF: Final = 8.0
UNDECODABLE: Final = "undecodable bytes"
OUT_OF_BOUNDS: Final = "a crop out of bounds"


@dataclass(frozen=True, slots=True)
class Wanted:
    """One picture that has to come."""

    name: str
    width_in_px: int
    height_in_px: int
    format: Literal["webp", "jpeg", "png"]

    @property
    def mime_type(self) -> str:
        return f"image/{self.format}"

    def fault(self, data: bytes, color: Sequence[int]) -> str | None:
        """Say what is wrong with a file that should be this picture, if anything."""
        try:
            with Image.open(io.BytesIO(data)) as image:
                image.load()
                found = ((image.format or "").lower(), *image.size)
                mean = np.asarray(image.convert("RGB"), np.float64).mean(axis=(0, 1))
        except OSError as error:
            return f"{self.name}: no picture, {error}"
        if found != (self.format, self.width_in_px, self.height_in_px):
            return f"{self.name}: {found} in place of {self}"
        is_it = np.abs(mean - color).max() <= _MOST_OFF
        return None if is_it else f"{self.name}: of the mean color {mean.round()} in place of {color}"


@dataclass(frozen=True, slots=True)
class Order:
    """One job to be. Takes: the pictures that it has to come to; without any, the `failure` that it has to end in."""

    number: int
    owner: str
    kind: str
    delivery: Literal["bytes", "link"]
    asks: dict[str, Any]
    pictures: tuple[Wanted, ...]
    color: tuple[int, int, int]

    @property
    def has_to_fail(self) -> bool:
        return not self.pictures

    def file(self) -> bytes:
        """Give its upload."""
        if self.kind == UNDECODABLE:
            return b"\x89PNG\r\n\x1a\n" + random.Random(self.number).randbytes(5000)  # noqa: S311 - no secret
        noise = pyvips.Image.gaussnoise(_WIDTH_IN_PX, _HEIGHT_IN_PX, sigma=_NOISE, mean=0, seed=self.number)
        image = (noise.bandjoin([noise, noise]) + list(self.color)).cast("uchar").copy(interpretation="srgb")
        data: bytes = image.jpegsave_buffer(Q=85)
        return data

    def body(self, webhook_url: str | None) -> bytes:
        """Give the request that hands it in."""
        asked = {"file": {"base64": base64.b64encode(self.file()).decode()}, **self.asks, "delivery": self.delivery}
        return json.dumps(asked if webhook_url is None else asked | {"webhook_url": webhook_url}).encode()


def orders(count: int, *, has_links: bool = True) -> list[Order]:
    """Give so many orders, the same in every run."""
    return [_order(number, has_links) for number in range(count)]


def _order(number: int, has_links: bool) -> Order:
    chance = random.Random(f"order {number}")  # noqa: S311 - the same in every run
    width, height = _WIDTHS[number % len(_WIDTHS)], _HEIGHTS[number % len(_HEIGHTS)]
    (owner,) = chance.choices(OWNERS, _SHARES)
    kind = chance.choices(list(_KINDS), [weight for weight, _ in _KINDS.values()])[0]
    asks, pictures = _KINDS[kind][1](width, height)
    color = (chance.randint(40, 215), chance.randint(40, 215), chance.randint(40, 215))
    is_link = has_links and bool(pictures) and number % _ONE_LINK_IN == 0
    return Order(number, owner, kind, "link" if is_link else "bytes", asks, pictures, color)


def _resized(width: int, height: int, fit: str, kind: str, *between: dict[str, Any]) -> list[dict[str, Any]]:
    size = {"width_in_px": width, "height_in_px": height}
    last = {"type": "convert", "format": kind} | ({} if kind == "png" else {"quality": 80})
    return [{"type": "resize", **size, "fit": fit}, *between, last]


def _filled(width: int, height: int) -> tuple[dict[str, Any], tuple[Wanted, ...]]:
    return {"operations": _resized(width, height, "fill", "webp")}, (Wanted("image", width, height, "webp"),)


def _covered(width: int, height: int) -> tuple[dict[str, Any], tuple[Wanted, ...]]:
    operations = _resized(width, height, "cover", "jpeg", {"type": "sharpen", "sigma": 0.5})
    return {"operations": operations}, (Wanted("image", width, height, "jpeg"),)


def _cropped(width: int, height: int) -> tuple[dict[str, Any], tuple[Wanted, ...]]:
    crop = {"type": "smart_crop", "width_in_px": width, "height_in_px": height}
    return {"operations": [crop, {"type": "convert", "format": "png"}]}, (Wanted("image", width, height, "png"),)


def _turned(width: int, height: int) -> tuple[dict[str, Any], tuple[Wanted, ...]]:
    operations = _resized(width, height, "cover", "webp", {"type": "flip"}, {"type": "blur", "sigma": 1.5})
    return {"operations": operations}, (Wanted("image", width, height, "webp"),)


def _several(width: int, height: int) -> tuple[dict[str, Any], tuple[Wanted, ...]]:
    pictures = (
        Wanted("avatar", width, height, "webp"),
        Wanted("card", 2 * width, 2 * height, "jpeg"),
        Wanted("icon", height, width, "png"),
    )
    outputs = [
        {"name": each.name, "operations": _resized(each.width_in_px, each.height_in_px, "cover", each.format)}
        for each in pictures
    ]
    return {"outputs": outputs}, pictures


def _out_of_bounds(width: int, height: int) -> tuple[dict[str, Any], tuple[Wanted, ...]]:
    crop = {"type": "crop", "left_in_px": _WIDTH_IN_PX, "top_in_px": 0, "width_in_px": width, "height_in_px": height}
    return {"operations": [crop]}, ()


def _undecodable(width: int, height: int) -> tuple[dict[str, Any], tuple[Wanted, ...]]:
    return {"operations": _resized(width, height, "cover", "webp")}, ()


# How many of a hundred, and what they ask for.
_KINDS: Final = {
    "fill": (24, _filled),
    "cover, sharpen": (24, _covered),
    "smart_crop": (12, _cropped),
    "flip, blur": (15, _turned),
    "three outputs": (15, _several),
    OUT_OF_BOUNDS: (3, _out_of_bounds),
    UNDECODABLE: (7, _undecodable),
}
