"""Random operation lists and random sources, drawn from what the catalog declares and from awkward numbers."""

import random
from typing import Any

import encoded
import numpy as np
import pictures

from imageplane.errors import RequestError
from imageplane.operation import Operation, PixelOperation
from imageplane.operations import catalog, parse

# Ugly on purpose, beside some that shrinks divide, so that plans can be clever and wrong.
AWKWARD_LENGTHS = (1, 2, 3, 5, 7, 11, 17, 35, 53, 61, 73, 83, 97, 121, 139, 217, 473)
EVEN_LENGTHS = (8, 12, 16, 24, 40, 48, 64, 88, 104, 120, 160, 240, 480)
AMOUNTS = (0.01, 0.37, 0.73, 1.3, 2.17, 7.0, 33.7, 61.0, 90.0, 90.0, 121.5, 180.0, 180.0, 270.0, -47.3, -90.0, 97.0)
COLORS = ("#1a2b3c", "f4d03f", "#fff", "2a6b1f")


def operations(chance: random.Random) -> list[dict[str, Any]]:
    """Give up to eight operations as on the wire; in most lists a decoder can help with one of the first."""
    kinds = [kind for kind, operation in sorted(catalog().items()) if not _takes_long(operation)]
    chosen = chance.choices(kinds, k=chance.randint(1, 3))
    if chance.random() < 0.85:
        followers = [kind for kind in kinds if _answers(catalog()[kind], "scaled_by")]
        absorbing = [kind for kind in kinds if _answers(catalog()[kind], "absorb")]
        # The more fields, the more there is to get wrong.
        weights = [len(catalog()[kind].model_fields) for kind in followers]
        first = chance.choices(followers, weights, k=chance.randint(0, 2))
        chosen = [*first, chance.choice(absorbing), *chosen]
    if chance.random() < 0.3:
        # Twice the same in a row is what fuses.
        at = chance.randrange(len(chosen))
        chosen.insert(at, chosen[at])
    return [_operation(chance, kind) for kind in chosen]


def _takes_long(operation: type[Operation]) -> bool:
    return issubclass(operation, PixelOperation) and operation.needs_models


def _answers(operation: type[Operation], hint: str) -> bool:
    return issubclass(operation, PixelOperation) and getattr(operation, hint) is not getattr(PixelOperation, hint)


def _operation(chance: random.Random, kind: str) -> dict[str, Any]:
    while True:
        drawn = {"type": kind, **_fields(chance, catalog()[kind])}
        try:
            parse([drawn])
        except RequestError:
            # Some fields must agree with one another, which the schema can't say.
            continue
        return drawn


def _fields(chance: random.Random, operation: type[Operation]) -> dict[str, Any]:
    if operation.examples and chance.random() < 0.2:
        return dict(chance.choice(operation.examples).fields)
    schema = operation.model_json_schema()
    required = schema.get("required", ())
    # All lengths of one operation are awkward, or none is: a shrink must divide all or none.
    lengths = EVEN_LENGTHS if chance.random() < 0.6 else AWKWARD_LENGTHS
    return {
        name: _value(chance, field, lengths)
        for name, field in schema["properties"].items()
        if name != "type" and (name in required or chance.random() < 0.5)
    }


def _value(chance: random.Random, schema: dict[str, Any], lengths: tuple[int, ...]) -> Any:
    if "anyOf" in schema:
        choices = [choice for choice in schema["anyOf"] if choice["type"] != "null"]
        return _value(chance, chance.choice(choices), lengths)
    if "enum" in schema:
        return chance.choice(schema["enum"])
    if schema["type"] == "boolean":
        return chance.random() < 0.5
    if schema["type"] == "string":
        return chance.choice(COLORS)
    numbers = lengths if schema["type"] == "integer" else AMOUNTS
    return chance.choice([number for number in numbers if _allows(schema, number)])


def _allows(schema: dict[str, Any], number: float) -> bool:
    if number <= schema.get("exclusiveMinimum", -1e9) or number < schema.get("minimum", -1e9):
        return False
    # Where nothing is allowed too, such as for an offset, small numbers keep most requests possible.
    most = 121 if schema.get("minimum") == 0 and schema["type"] == "integer" else schema.get("maximum", 1e9)
    return number <= most


def _jpeg(width: int, height: int, orientation: int = 1, **options: Any) -> bytes:
    exif = encoded.exif(Orientation=orientation)
    return encoded.saved(pictures.photo(width, height), "JPEG", quality=91, exif=exif, **options)


def _moving(width: int, height: int) -> bytes:
    frames = [np.roll(pictures.photo(width, height), 17 * shift, axis=1) for shift in range(3)]
    return encoded.animation(frames, "GIF", [70, 40, 90])


def _svg(width: float, height: float) -> bytes:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}">'
        f'<rect x="3" y="2" width="{width * 0.7}" height="{height * 0.6}" fill="#3a6ea5" opacity="0.7"/>'
        f'<circle cx="{width / 2}" cy="{height / 2}" r="{height / 3}" fill="#c31"/></svg>'
    ).encode()


SOURCES: dict[str, bytes] = {
    "jpeg-1203x877": _jpeg(1203, 877),
    "jpeg-473x121": _jpeg(473, 121),
    "jpeg-640x480": _jpeg(640, 480, subsampling=0),
    "jpeg-311x217": _jpeg(311, 217),
    "jpeg-217x473": _jpeg(217, 473),
    "jpeg-473x313": _jpeg(473, 313, subsampling=1),
    "jpeg-139x437": _jpeg(139, 437),
    "jpeg-1200x872-6": _jpeg(1200, 872, 6),
    "jpeg-1203x877-3": _jpeg(1203, 877, 3),
    **{f"jpeg-640x320-{orientation}": _jpeg(640, 320, orientation) for orientation in (2, 4, 5, 7, 8)},
    "jpeg-gray": encoded.saved(pictures.photo(473, 311)[..., 1], "JPEG", quality=91),
    "progressive-1203x877": _jpeg(1203, 877, progressive=True),
    "progressive-473x121-5": _jpeg(473, 121, 5, progressive=True),
    "png": encoded.saved(pictures.photo(121, 1203), "PNG"),
    "png-alpha": encoded.saved(pictures.alpha(311, 217), "PNG"),
    "webp": encoded.saved(pictures.photo(877, 603), "WEBP", quality=91),
    "webp-640x480": encoded.saved(pictures.photo(640, 480), "WEBP", quality=91),
    "webp-alpha": encoded.saved(pictures.alpha(473, 311), "WEBP", quality=91),
    "webp-oriented": encoded.saved(pictures.photo(480, 240), "WEBP", quality=91, exif=encoded.exif(Orientation=7)),
    "avif": encoded.saved(pictures.photo(473, 311), "AVIF", quality=91, speed=10),
    "gif-moving": _moving(121, 83),
    "svg-24": _svg(24, 24),
    "svg-121x83": _svg(121, 83.4),
}

_SHRINKABLE = sorted(name for name in SOURCES if name.startswith(("jpeg", "progressive", "webp", "avif", "svg")))


def source(chance: random.Random) -> str:
    """Give the name of a source, more often than not one whose decoder can shrink."""
    return chance.choice(_SHRINKABLE if chance.random() < 0.85 else sorted(SOURCES))
