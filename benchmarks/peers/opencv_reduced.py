"""OpenCV: reduced decode, INTER_AREA, its own unsharp mask; orientation by EXIF, but no color management."""

from typing import Any

import cv2
import numpy as np

from benchmarks.peers.child import NotAvailableError, Upload, serve

# What is added of the difference to a Gaussian blur; nearest in SSIM to the sharpening of the reference.
_AMOUNT = 1.2
_REDUCED = {8: cv2.IMREAD_REDUCED_COLOR_8, 4: cv2.IMREAD_REDUCED_COLOR_4, 2: cv2.IMREAD_REDUCED_COLOR_2}
_QUALITY = {"webp": cv2.IMWRITE_WEBP_QUALITY, "jpeg": cv2.IMWRITE_JPEG_QUALITY, "avif": cv2.IMWRITE_AVIF_QUALITY}


def make(upload: Upload) -> list[bytes]:
    """Make every picture from the bytes anew."""
    return [_picture(upload.data, wanted) for wanted in upload.wanted]


def _picture(data: bytes, wanted: dict[str, Any]) -> bytes:
    image = _scaled(data, wanted["width_in_px"], wanted["height_in_px"])
    if wanted["sigma"] is not None:
        blurred = cv2.GaussianBlur(image, (3, 3), wanted["sigma"])
        image = cv2.addWeighted(image, 1 + _AMOUNT, blurred, -_AMOUNT, 0)
    done, file = cv2.imencode(f".{wanted['format']}", image, [_QUALITY[wanted["format"]], wanted["quality"]])
    if not done:
        raise NotAvailableError("can't write this format")
    return file.tobytes()


def _scaled(data: bytes, width: int, height: int) -> np.ndarray:
    image = cv2.imdecode(np.frombuffer(data, np.uint8), _mode(data, width, height))
    if image is None:
        raise NotAvailableError("can't read this format")
    scale = max(width / image.shape[1], height / image.shape[0])
    size = (max(width, round(image.shape[1] * scale)), max(height, round(image.shape[0] * scale)))
    image = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    left, top = (size[0] - width) // 2, (size[1] - height) // 2
    return np.ascontiguousarray(image[top : top + height, left : left + width])


def _mode(data: bytes, width: int, height: int) -> int:
    """Give the largest reduction that leaves no less than what is asked for; OpenCV tells no size without decoding."""
    size = _jpeg_size(data)
    if size is None:
        return cv2.IMREAD_COLOR
    for shrink, mode in _REDUCED.items():
        if size[0] // shrink >= width and size[1] // shrink >= height:
            return mode
    return cv2.IMREAD_COLOR


def _jpeg_size(data: bytes) -> tuple[int, int] | None:
    if data[:2] != b"\xff\xd8":
        return None
    place = 2
    while place + 9 < len(data) and data[place] == 0xFF:
        marker, length = data[place + 1], int.from_bytes(data[place + 2 : place + 4], "big")
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            height, width = (int.from_bytes(data[place + at : place + at + 2], "big") for at in (5, 7))
            return width, height
        place += 2 + length
    return None


if __name__ == "__main__":
    cv2.setNumThreads(1)
    serve(make, {"opencv": cv2.__version__})
