"""Small test pictures made by code, with awkward sizes, so that no file and no license is needed."""

from collections.abc import Callable

import numpy as np
import pyvips

WIDTH, HEIGHT = 217, 149


def photo(width: int = WIDTH, height: int = HEIGHT) -> np.ndarray:
    """Give an opaque RGB picture with gradients, edges, texture and saturated spots, as (H, W, 3) uint8."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float64)
    u, v = x / width, y / height
    sky = np.stack([90 + 80 * v, 140 + 70 * v, 235 - 60 * v], axis=-1)
    ground = np.stack([120 + 70 * u, 95 + 50 * np.sin(9 * u) * v, 40 + 30 * v], axis=-1)
    picture = np.where((v > 0.62 + 0.06 * np.sin(7 * u))[..., None], ground, sky)
    picture += 14 * (np.sin(x * 0.9) * np.cos(y * 0.7))[..., None] * (v > 0.55)[..., None]
    disc = (u - 0.37) ** 2 + ((v - 0.45) * height / width) ** 2 < 0.021
    picture[disc] = [214, 158, 131]
    bar = (np.abs(u - 0.76) < 0.045) & (v > 0.2) & (v < 0.83)
    picture[bar] = [186, 23, 41]
    return np.clip(np.rint(picture), 0, 255).astype(np.uint8)


def alpha(width: int = WIDTH, height: int = HEIGHT) -> np.ndarray:
    """Give the photo under a soft round mask with fully clear corners, as (H, W, 4) uint8 with straight alpha."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float64)
    distance = np.hypot((x / width - 0.5) * 2, (y / height - 0.5) * 2)
    mask = np.clip(1.6 - 1.5 * distance, 0, 1) * 255
    return np.dstack([photo(width, height), np.rint(mask).astype(np.uint8)])


def bordered(width: int = WIDTH, height: int = HEIGHT) -> np.ndarray:
    """Give the photo within an uneven off-white border of 35 left, 61 top, 17 right and 9 bottom, (H, W, 3) uint8."""
    picture = np.full((height, width, 3), (250, 249, 247), np.uint8)
    picture[61 : height - 9, 35 : width - 17] = photo(width - 52, height - 70)
    return picture


def stamp(width: int = 41, height: int = 29) -> np.ndarray:
    """Give the photo in the size of a stamp, for what takes long."""
    return photo(width, height)


PICTURES: dict[str, Callable[[], np.ndarray]] = {"photo": photo, "alpha": alpha, "bordered": bordered, "stamp": stamp}


def image(name: str) -> pyvips.Image:
    """Give a picture by name as operations take it: 8-bit sRGB, 3 bands or 4."""
    return pyvips.Image.new_from_array(PICTURES[name]()).copy(interpretation="srgb")
