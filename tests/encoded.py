"""Image files made by code with Pillow, independent of the codecs under test, and read back with Pillow."""

import io
import struct
import zlib
from typing import Any

import numpy as np
from PIL import Image, ImageOps

ORIENTATION, ARTIST, COPYRIGHT = 0x0112, 0x013B, 0x8298


def saved(array: np.ndarray, kind: str, **options: Any) -> bytes:
    """Give an array of (H, W), (H, W, 2), (H, W, 3) or (H, W, 4) uint8 as a file of Pillow's format `kind`."""
    return written(Image.fromarray(array), kind, **options)


def written(image: Image.Image, kind: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data))


def pixels(data: bytes) -> np.ndarray:
    """Decode the first frame upright with Pillow to (H, W, 3), or (H, W, 4) where it has transparency."""
    image = ImageOps.exif_transpose(opened(data))
    return np.asarray(image.convert("RGBA" if image.has_transparency_data else "RGB"))


def frames(data: bytes) -> list[np.ndarray]:
    """Decode every frame of an animation with Pillow to (H, W, 4)."""
    image = opened(data)
    found = []
    for index in range(getattr(image, "n_frames", 1)):
        image.seek(index)
        found.append(np.asarray(image.convert("RGBA")))
    return found


def durations(data: bytes) -> list[int]:
    """Give how long every frame of an animation is shown, in ms."""
    image = opened(data)
    found = []
    for index in range(getattr(image, "n_frames", 1)):
        image.seek(index)
        image.load()
        found.append(int(image.info["duration"]))
    return found


def animation(pictures: list[np.ndarray], kind: str, delays_in_ms: list[int], **options: Any) -> bytes:
    """Give arrays of one shape as a GIF or a lossless WebP."""
    first, *rest = [Image.fromarray(picture) for picture in pictures]
    if kind == "WEBP":
        options |= {"lossless": True, "exact": True}
    return written(first, kind, save_all=True, append_images=rest, duration=delays_in_ms, **options)


def exif(**tags: Any) -> bytes:
    """Give an EXIF block; tags are named as in Pillow, such as `Orientation=6`."""
    numbers = {"Orientation": ORIENTATION, "Artist": ARTIST, "Copyright": COPYRIGHT, "ImageDescription": 0x010E}
    block = Image.Exif()
    for name, value in tags.items():
        block[numbers[name]] = value
    return block.tobytes()


def png_claiming(width: int, height: int) -> bytes:
    """Give a PNG of a few dozen bytes that claims this size."""
    return (
        b"\x89PNG\r\n\x1a\n"
        + _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
        + _chunk(b"IDAT", zlib.compress(b"\0"))
        + _chunk(b"IEND", b"")
    )


def _chunk(name: bytes, payload: bytes) -> bytes:
    return struct.pack(">I", len(payload)) + name + payload + struct.pack(">I", zlib.crc32(name + payload))


def gif_claiming(width: int, height: int) -> bytes:
    """Give a GIF of a few dozen bytes whose screen and only frame claim this size."""
    size = struct.pack("<HH", width, height)
    return (
        b"GIF89a" + size + b"\x80\0\0" + b"\0\0\0\xff\xff\xff"
        + b",\0\0\0\0" + size + b"\0" + b"\x02\x02\x4c\x01\0" + b";"
    )  # fmt: skip


def matrix_profile(primaries: np.ndarray, gamma: float) -> bytes:
    """Give an ICC v2 display profile.

    Takes: `primaries`, (3, 3), the columns being red, green and blue in CIE XYZ at D50.
    """

    def xyz(values: Any) -> bytes:
        return b"XYZ \0\0\0\0" + struct.pack(">3i", *(round(value * 65536) for value in values))

    curve = b"curv\0\0\0\0" + struct.pack(">IHxx", 1, round(gamma * 256))
    text = b"test\0"
    entries = {
        b"desc": b"desc\0\0\0\0" + struct.pack(">I", len(text)) + text + bytes(78),
        b"cprt": b"text\0\0\0\0" + text,
        b"wtpt": xyz((0.9642, 1.0, 0.8249)),
        **{name: xyz(column) for name, column in zip((b"rXYZ", b"gXYZ", b"bXYZ"), primaries.T, strict=True)},
        **dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), curve),
    }
    table, body = struct.pack(">I", len(entries)), b""
    start = 128 + 4 + 12 * len(entries)
    for name, payload in entries.items():
        table += struct.pack(">4sII", name, start + len(body), len(payload))
        body += payload + bytes(-len(payload) % 4)
    head = bytearray(128)
    head[0:4] = struct.pack(">I", start + len(body))
    head[8:12], head[12:24], head[36:40] = b"\x02\x10\0\0", b"mntrRGB XYZ ", b"acsp"
    head[68:80] = struct.pack(">3i", 63190, 65536, 54061)
    return bytes(head) + table + body
