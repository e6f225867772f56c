"""The file that fits is the best one that fits, checked against every other that there is."""

import encoded
import numpy as np
import pictures
import pytest
import pyvips

from imageplane.codecs.encode import Extras, encode
from imageplane.codecs.fit_size import encode_to_fit
from imageplane.codecs.formats import OutputFormat, Target
from imageplane.deadline import Deadline
from imageplane.errors import DeadlineExceeded, UnreachableSize
from imageplane.pixels.alpha import mixing
from imageplane.pixels.geometry import Size, scale_to


def image(array: np.ndarray) -> pyvips.Image:
    return pyvips.Image.new_from_array(array).copy(interpretation="srgb")


SMALL, TALL = image(pictures.photo(121, 83)), image(pictures.photo(13, 473))


def fitted(picture: pyvips.Image, name: OutputFormat, limit: int, quality: int | None = None) -> bytes:
    data, size = encode_to_fit([picture], Target(name, quality, limit), Extras(), Deadline())
    assert len(data) <= limit
    assert encoded.opened(data).size == size
    return data


def sizes_by_quality(picture: pyvips.Image, name: OutputFormat) -> dict[int, int]:
    return {quality: len(encode([picture], Target(name, quality), Extras())) for quality in range(1, 101)}


@pytest.mark.parametrize("name", ["jpeg", "webp"])
@pytest.mark.parametrize("ceiling", [100, 61])
def test_the_largest_quality_that_fits(name: OutputFormat, ceiling: int) -> None:
    sizes = sizes_by_quality(SMALL, name)
    for share in (0.0, 0.03, 0.11, 0.23, 0.47, 0.71, 0.93, 1.2):
        limit = int(sizes[1] + share * (sizes[100] - sizes[1]))
        best = max(quality for quality, size in sizes.items() if size <= limit and quality <= ceiling)
        assert fitted(SMALL, name, limit, ceiling) == encode([SMALL], Target(name, best), Extras())


def test_the_default_quality_is_a_ceiling_too() -> None:
    assert fitted(SMALL, "webp", 10**9) == encode([SMALL], Target("webp"), Extras())


@pytest.mark.parametrize("name", ["jpeg", "webp", "png", "gif", "avif"])
def test_a_file_that_fits_is_left_alone(name: OutputFormat) -> None:
    plain = encode([SMALL], Target(name, 71), Extras())
    assert fitted(SMALL, name, len(plain), 71) == plain


@pytest.mark.parametrize(
    ("picture", "name", "share"),
    [(SMALL, "png", 0.31), (SMALL, "jpeg", 0.9), (SMALL, "webp", 0.7), (TALL, "png", 0.83), (TALL, "jpeg", 0.9)],
)
def test_then_the_largest_dimensions_that_fit(picture: pyvips.Image, name: OutputFormat, share: float) -> None:
    limit = int(len(encode([picture], Target(name, 1), Extras())) * share)
    found = Size(*encoded.opened(fitted(picture, name, limit, 71)).size)
    assert found < (picture.width, picture.height)
    assert abs(found.width / found.height / (picture.width / picture.height) - 1) < 1 / min(found)

    longest = max(picture.width, picture.height)
    fitting = [side for side in range(1, longest) if size_at(picture, name, side) <= limit]
    # Files grow with their dimensions except for a few bytes, so bisection may stop that close to the edge.
    assert max(found) >= max(fitting) * 0.97
    assert max(found) in fitting


def size_at(picture: pyvips.Image, name: OutputFormat, side: int) -> int:
    size = Size(*(max(1, round(length * side / max(picture.width, picture.height))) for length in size_of(picture)))
    return len(encode([mixing(picture, lambda bands: scale_to(bands, size))], Target(name, 1), Extras()))


def size_of(picture: pyvips.Image) -> tuple[int, int]:
    return picture.width, picture.height


def test_the_quality_rises_again_at_smaller_dimensions() -> None:
    limit = int(len(encode([SMALL], Target("jpeg", 1), Extras())) * 0.97)
    data = fitted(SMALL, "jpeg", limit)
    size = Size(*encoded.opened(data).size)
    scaled = scale_to(SMALL, size)
    best = max(quality for quality, bytes_ in sizes_by_quality(scaled, "jpeg").items() if bytes_ <= limit)
    assert data == encode([scaled], Target("jpeg", best), Extras())


@pytest.mark.parametrize("name", ["png", "gif"])
def test_a_lossless_format_shrinks_its_dimensions_only(name: OutputFormat) -> None:
    full = len(encode([SMALL], Target(name), Extras()))
    data = fitted(SMALL, name, full // 2, 17)
    found = Size(*encoded.opened(data).size)
    assert data == encode([scale_to(SMALL, found)], Target(name), Extras())


def test_transparency_survives() -> None:
    data = fitted(image(pictures.alpha(121, 83)), "png", 4000)
    assert encoded.pixels(data)[0, 0, 3] == 0


def test_an_animation_shrinks_as_one() -> None:
    frames = [SMALL, SMALL.fliphor(), SMALL.flipver()]
    full = len(encode(frames, Target("gif"), Extras()))
    data, _ = encode_to_fit(frames, Target("gif", None, full // 3), Extras(delays_in_ms=(70, 40, 90)), Deadline())
    assert len(data) <= full // 3
    assert encoded.durations(data) == [70, 40, 90]


@pytest.mark.parametrize("name", ["png", "jpeg", "webp", "gif", "avif"])
@pytest.mark.parametrize("picture", [SMALL, TALL], ids=["wide", "tall"])
def test_an_unreachable_size_is_refused(name: OutputFormat, picture: pyvips.Image) -> None:
    smallest = len(encode([scale_to(picture, Size(1, 1))], Target(name, 1), Extras()))
    with pytest.raises(UnreachableSize) as caught:
        fitted(picture, name, smallest - 1)
    assert (caught.value.status, caught.value.code) == (422, "unreachable_size")
    assert f"{smallest:,} bytes" in caught.value.message
    assert encoded.opened(fitted(picture, name, smallest + 1)).size[0] >= 1


def test_the_search_stops_at_the_deadline() -> None:
    with pytest.raises(DeadlineExceeded):
        encode_to_fit([SMALL], Target("jpeg", None, 900), Extras(), Deadline.after(0))


def test_a_picture_too_wide_for_its_format_is_made_smaller() -> None:
    wide = SMALL.embed(0, 0, 20_000, 3)
    data, size = encode_to_fit([wide], Target("webp", None, 50_000), Extras(), Deadline())
    assert encoded.opened(data).size == size == (16_383, 2)
