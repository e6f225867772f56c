"""The child process of `scratch.py`: runs in an environment of its own, knows nothing of Imageplane."""

import json
import sys
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageOps
from smartcrop import SmartCrop

# thumbor's settings: its face cascade, the hair it adds, and the features it takes when there is no face.
_CASCADE = cv2.CascadeClassifier(str(Path(cv2.data.haarcascades) / "haarcascade_frontalface_alt.xml"))
_SCALE, _NEIGHBORS, _HAIR = 1.2, 4, 0.12
_FEATURES, _QUALITY, _DISTANCE = 20, 0.04, 1.0


def by_smartcrop(image: Image.Image, _: list[int], shape: list[int]) -> list[int]:
    """Give the best window of smartcrop.py; it may be a tenth smaller than the largest."""
    crop = SmartCrop().crop(image, *shape)["top_crop"]
    return [crop["x"], crop["y"], crop["width"], crop["height"]]


def by_thumbor(image: Image.Image, size: list[int], _: list[int]) -> list[int]:
    """Give the largest window around the center of mass of Haar faces, weighed by area, or else of good features."""
    gray = np.asarray(image.convert("L"))
    least = max(20, min(gray.shape) // 15)
    faces = _CASCADE.detectMultiScale(gray, _SCALE, _NEIGHBORS, minSize=(least, least))
    points = [(x + w / 2, max(0, y - h * _HAIR) + h / 2, w * h) for x, y, w, h in faces]
    if not points:
        corners = cv2.goodFeaturesToTrack(gray, _FEATURES, _QUALITY, _DISTANCE)
        points = [(x, y, 1) for x, y in corners.reshape(-1, 2)] if corners is not None else []
    points = points or [(gray.shape[1] / 2, gray.shape[0] / 2, 1)]
    mass = sum(weight for _, _, weight in points)
    across = sum(x * weight for x, _, weight in points) / mass
    down = sum(y * weight for _, y, weight in points) / mass
    left = min(max(across - size[0] / 2, 0), image.width - size[0])
    top = min(max(down - size[1] / 2, 0), image.height - size[1])
    return [round(float(left)), round(float(top)), *size]


def main() -> None:
    """Answer one order a line."""
    for line in sys.stdin:
        order = json.loads(line)
        with Image.open(order["photo"]) as opened:
            image = ImageOps.exif_transpose(opened).convert("RGB")
        crop = {"smartcrop": by_smartcrop, "thumbor": by_thumbor}[order["peer"]]
        print(json.dumps(crop(image, order["size"], order["shape"])), flush=True)


if __name__ == "__main__":
    main()
