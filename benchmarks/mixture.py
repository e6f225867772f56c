"""What a worker is soaked in: uploads of every format and requests of every kind, in the same order in every run."""

import random
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from benchmarks.jobs import JOBS
from benchmarks.uploads import Upload
from imageplane.request import TransformRequest

# One upload in so many is a photo of the folder, the others are made by code and smaller.
ONE_PHOTO_IN = 6
_COMMON_JOBS = ("J1", "J2", "J4", "J5")
_COMMON = 3
_PEAK_JOBS = ("J1", "J2", "J5", "J6")

_OTHERS: tuple[list[dict[str, Any]], ...] = (
    [{"type": "rotate", "angle_in_degrees": 90}, {"type": "convert", "format": "jpeg", "quality": 80}],
    [{"type": "resize", "width_in_px": 473, "height_in_px": 473, "fit": "inside"}, {"type": "blur", "sigma": 2.1}],
    [{"type": "grayscale"}, {"type": "resize", "width_in_px": 641, "height_in_px": 359, "fit": "contain"}],
    [{"type": "smart_crop", "width_in_px": 321, "height_in_px": 401}, {"type": "convert", "format": "png"}],
    [
        {"type": "resize", "width_in_px": 1201, "height_in_px": 1201, "fit": "inside"},
        {"type": "convert", "format": "jpeg"},
        {"type": "compress_to_size", "max_file_size_in_bytes": 61_000},
    ],
    JOBS["J6"].wanted[0].operations,
)


def mixture(uploads: Sequence[Upload], count: int) -> Iterator[tuple[Upload, TransformRequest]]:
    """Give so many transforms."""
    chance = random.Random(473)  # noqa: S311 - the same mixture for every allocator
    requests = [_request(JOBS[name].requests) for name in _COMMON_JOBS * _COMMON]
    requests += [_request([operations]) for operations in _OTHERS]
    photos = [upload for upload in uploads if not upload.is_made]
    others = [upload for upload in uploads if upload.is_made]
    for _ in range(count):
        yield (
            chance.choice(photos if photos and chance.randrange(ONE_PHOTO_IN) == 0 else others),
            chance.choice(requests),
        )


def peak_requests() -> dict[str, TransformRequest]:
    """Give the jobs whose peak memory is asked for, by name; the last is the whole picture, turned."""
    turned = [{"type": "rotate", "angle_in_degrees": 90}, {"type": "convert", "format": "jpeg", "quality": 80}]
    return {name: _request(JOBS[name].requests) for name in _PEAK_JOBS} | {"turned, full size": _request([turned])}


def _request(requests: Sequence[Sequence[Mapping[str, Any]]]) -> TransformRequest:
    outputs = [{"name": f"o{index}", "operations": list(operations)} for index, operations in enumerate(requests)]
    return TransformRequest.parse({"outputs": outputs})
