"""Make the pictures of docs/pictures again, or with --check tell which of them are stale.

Drawings are those of the tests. Photos come with scikit-image and are in the public domain or under CC0. Results are
made by the requests that the guides print: a JSON block is followed by pictures `../pictures/PHOTO.NAME.SUFFIX`,
where NAME is that of an output, or anything where the request has one list of operations.
"""

import argparse
import io
import json
import re
import sys
from collections.abc import Iterator
from importlib.resources import files
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from imageplane.models import CARDS, ModelOptions
from imageplane.models.store import MENDING, Store
from imageplane.pipeline.runner import Options
from imageplane.settings import load
from imageplane.transform import transform_bytes

ROOT = Path(__file__).parents[1]
PICTURES = ROOT / "docs" / "pictures"
GUIDES = ROOT / "docs" / "guides"
PHOTOS = {"astronaut": "astronaut.png", "coffee": "coffee.png", "cat": "chelsea.png", "rocket": "rocket.jpg"}
# Other builds of codecs and networks differ by less than one sees.
_MEAN_DELTA = 3.0
_REQUEST = re.compile(
    r"^```json\n(?P<request>.*?)^```$|\(\.\./pictures/(?P<made>\w+\.\w+\.\w+)\)", re.MULTILINE | re.DOTALL
)
_QUALITY = 88


def drawings() -> Iterator[tuple[Path, bytes]]:
    """Give what the operations are shown on, as the tests draw it."""
    sys.path.insert(0, str(ROOT / "tests"))
    import pictures  # noqa: PLC0415 - it is found only now

    for name, draw in pictures.PICTURES.items():
        yield PICTURES / "drawings" / f"{name}.png", _saved(Image.fromarray(draw()), "PNG")


def photos() -> Iterator[tuple[Path, bytes]]:
    """Give the photos that the guides work on, as somebody might upload them."""
    for name, file in PHOTOS.items():
        with Image.open(io.BytesIO(files("skimage").joinpath("data", file).read_bytes())) as photo:
            photo.thumbnail((600, 600))
            yield PICTURES / f"{name}.jpg", _saved(photo.convert("RGB"), "JPEG")


def results(options: Options) -> Iterator[tuple[Path, bytes]]:
    """Give what the requests of the guides make of the photos as they are in docs/pictures."""
    for guide in sorted(GUIDES.glob("*.md")):
        request: dict[str, Any] = {}
        for found in _REQUEST.finditer(guide.read_text("utf-8")):
            if found["request"]:
                request = json.loads(found["request"])
                continue
            photo, name, _ = found["made"].split(".")
            lists = {output["name"]: output["operations"] for output in request.get("outputs", ())}
            operations = lists.get(name) or request["operations"]
            data = (PICTURES / f"{photo}.jpg").read_bytes()
            yield PICTURES / found["made"], transform_bytes(data, operations, options=options).picture.data


def is_stale(path: Path, data: bytes) -> bool:
    """Tell whether a picture is missing, or another one to the eye."""
    if not path.exists():
        return True
    with Image.open(path) as kept, Image.open(io.BytesIO(data)) as made:
        if (kept.size, kept.format) != (made.size, made.format):
            return True
        difference = np.abs(np.asarray(kept.convert("RGBA"), np.int16) - np.asarray(made.convert("RGBA"), np.int16))
        return bool(difference.mean() > _MEAN_DELTA)


def _saved(picture: Image.Image, kind: str) -> bytes:
    stream = io.BytesIO()
    picture.save(stream, kind, optimize=True, quality=_QUALITY)
    return stream.getvalue()


def main() -> int:
    """Write or check every picture; gives the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail when a picture is stale")
    parser.add_argument("--models", type=Path, default=load().models_dir, help="the folder of the networks' weights")
    arguments = parser.parse_args()
    makers = [drawings(), photos()]
    if all(Store(arguments.models).find(card) for card in CARDS):
        makers.append(results(Options(models=ModelOptions(arguments.models))))
    else:
        print(f"What the guides' requests make was left alone; it takes the networks: {MENDING}")
    stale, expected = 0, set()
    for path, data in chain.from_iterable(makers):
        expected.add(path)
        if is_stale(path, data):
            stale += 1
            print(f"{'stale' if arguments.check else 'wrote'}: {path.relative_to(ROOT)}")
            if not arguments.check:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(data)
    unused = sorted(set(PICTURES.rglob("*.*")) - expected) if len(makers) == 3 else []
    for path in unused:
        print(f"no guide shows it: {path.relative_to(ROOT)}")
    return 1 if arguments.check and (stale or unused) else 0


if __name__ == "__main__":
    sys.exit(main())
