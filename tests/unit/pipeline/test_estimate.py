"""What work is thought to cost: large before small, and the slow things in the lane of the slow."""

import io
from itertools import islice
from typing import Any

import encoded
import imagesize
import numpy as np
import pictures
import pytest
from PIL import Image

from imageplane.codecs.glance import glance
from imageplane.codecs.header import read_header
from imageplane.codecs.jpeg_markers import read_frame, segments
from imageplane.cost import Cost
from imageplane.limits import Limits
from imageplane.operation import PixelOperation
from imageplane.operations import catalog
from imageplane.pipeline import estimate, plan
from imageplane.pixels.geometry import Size
from imageplane.request import TransformRequest

THUMBNAIL = {"type": "resize", "width_in_px": 200, "height_in_px": 200, "fit": "cover"}
WEBP = {"type": "convert", "format": "webp"}


def photo(width: int, height: int, **how: Any) -> bytes:
    file = io.BytesIO()
    noise = np.random.default_rng(7).integers(0, 256, (height // 8, width // 8, 3), np.uint8)
    Image.fromarray(noise).resize((width, height)).save(file, how.pop("format", "JPEG"), **how)
    return file.getvalue()


PHOTO = photo(4000, 3000)


def cost(source: bytes, *operations: dict[str, Any]) -> Cost:
    header = glance(source)
    assert header is not None
    request = TransformRequest.parse({"operations": list(operations)})
    return estimate(header, plan(header, request.outputs, Limits()))


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF", "TIFF", "BMP", "AVIF"])
def test_a_glance_sees_what_the_decoder_sees(kind: str) -> None:
    source = encoded.saved(pictures.photo(121, 473), kind)
    seen, known = glance(source), read_header(source, Limits())
    assert seen is not None
    assert (seen.format, seen.size, seen.frames) == (known.format, known.size, known.frames)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_glance_sees_a_sideways_photo_upright(orientation: int) -> None:
    source = photo(400, 296, exif=encoded.exif(Orientation=orientation))
    seen = glance(source)
    assert seen is not None
    assert seen.size == read_header(source, Limits()).size


@pytest.mark.parametrize(
    ("head", "again"),
    [
        (b"\xff\xd8", b"\xff"),
        (b"\xff\xd8", b"\xff\xe0\0\2"),
        (b"\xff\xd8\xff", b"\0"),
        (b"\0\0\0\x14ftypavif\0\0\0\0avif", b"\0\0\0\x08free"),
    ],
    ids=["fill", "segments", "zeros", "boxes"],
)
def test_a_glance_at_a_hostile_file_is_short(monkeypatch: pytest.MonkeyPatch, head: bytes, again: bytes) -> None:
    looked_at: list[int] = []
    monkeypatch.setattr(imagesize, "get", lambda file: looked_at.append(len(file.read())) or (0, 0))
    source = head + again * (2_000_000 // len(again))
    assert glance(source) is not None
    assert sum(looked_at) <= 262_144
    assert len(list(islice(segments(source), 5_000))) in {0, 5_000}
    assert read_frame(source) is None


def test_a_glance_sees_progress_and_frames() -> None:
    progressive = glance(photo(64, 64, progressive=True))
    assert progressive is not None
    assert progressive.is_progressive
    frames = [Image.new("RGB", (40, 30), color) for color in ("red", "green", "blue")]
    for kind in ("GIF", "WEBP"):
        file = io.BytesIO()
        frames[0].save(file, kind, save_all=True, append_images=frames[1:])
        seen = glance(file.getvalue())
        assert seen is not None
        assert seen.frames == 3


@pytest.mark.parametrize("source", [b"", b"no picture", b"<svg xmlns='http://www.w3.org/2000/svg'/>"])
def test_a_glance_at_no_photo_sees_nothing(source: bytes) -> None:
    assert glance(source) is None


def test_a_glance_at_a_damaged_header_guesses_by_the_size_of_the_file() -> None:
    seen = glance(b"\xff\xd8\xff" + b"\xff" * 600_000)
    assert seen is not None
    assert seen.size.pixels == pytest.approx(3_600_000, rel=0.01)


def test_a_glance_survives_any_bytes() -> None:
    chance = np.random.default_rng(11)
    sources = [encoded.saved(pictures.photo(60, 50), kind) for kind in ("JPEG", "PNG", "WEBP", "GIF", "TIFF", "AVIF")]
    for number in range(3000):
        source = sources[number % len(sources)]
        damaged = bytearray(source[: chance.integers(20, 4000)])
        for place in chance.integers(0, len(damaged), chance.integers(8)):
            damaged[place] = chance.integers(256)
        glance(bytes(damaged))


def test_thumbnails_of_large_photos_are_light() -> None:
    card = {"type": "smart_crop", "width_in_px": 1200, "height_in_px": 630}
    assert not cost(PHOTO, THUMBNAIL, WEBP).is_heavy
    assert not cost(PHOTO, card, {"type": "sharpen", "sigma": 0.5}, WEBP).is_heavy


@pytest.mark.parametrize(
    "operations",
    [
        [{"type": "convert", "format": "avif"}],
        [
            {"type": "resize", "width_in_px": 1600, "height_in_px": 1600, "fit": "cover"},
            {"type": "convert", "format": "avif"},
        ],
        [THUMBNAIL, {"type": "upscale", "factor": 2}],
        [THUMBNAIL, {"type": "remove_background"}],
        [{"type": "denoise", "size": 9}],
    ],
    ids=["avif in full", "a large avif", "upscale", "remove_background", "denoise"],
)
def test_slow_work_is_heavy(operations: list[dict[str, Any]]) -> None:
    assert cost(PHOTO, *operations).is_heavy


def test_an_animation_costs_every_frame() -> None:
    file = io.BytesIO()
    frames = [Image.effect_noise((400, 300), 90 + index).convert("P") for index in range(60)]
    frames[0].save(file, "GIF", save_all=True, append_images=frames[1:])
    still = encoded.saved(pictures.photo(400, 300), "GIF")
    assert cost(file.getvalue(), WEBP).cpu_in_s > 20 * cost(still, WEBP).cpu_in_s
    assert cost(file.getvalue(), WEBP).is_heavy


def test_what_is_decoded_whole_takes_more_memory_than_what_the_decoder_shrinks() -> None:
    assert cost(photo(4000, 3000, format="PNG"), THUMBNAIL).memory_in_bytes > 90_000_000
    assert cost(PHOTO, THUMBNAIL).memory_in_bytes < 50_000_000


def test_several_outputs_cost_one_decode() -> None:
    header = glance(PHOTO)
    assert header is not None
    sizes = [[{**THUMBNAIL, "width_in_px": side}, WEBP] for side in (200, 300)]
    outputs = [{"name": f"o{index}", "operations": operations} for index, operations in enumerate(sizes)]
    together = estimate(header, plan(header, TransformRequest.parse({"outputs": outputs}).outputs, Limits()))
    assert together.cpu_in_s < sum(cost(PHOTO, *operations).cpu_in_s for operations in sizes)


def test_every_operation_knows_what_it_costs() -> None:
    for kind in catalog().values():
        for example in kind.examples:
            operation = kind.model_validate({"type": kind.model_fields["type"].default, **example.fields})
            if isinstance(operation, PixelOperation):
                small, large = operation.cost(Size(300, 200)), operation.cost(Size(3000, 2000))
                assert 0 < small.cpu_in_s <= large.cpu_in_s
