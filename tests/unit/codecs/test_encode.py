"""What is written can be read by Pillow, looks right, and holds nothing that was not asked for."""

import encoded
import numpy as np
import pictures
import pytest
import pyvips
from absent import NO_HEIC

from imageplane.codecs.encode import Extras, encode
from imageplane.codecs.formats import FORMATS, OutputFormat, Target, written_as
from imageplane.codecs.heif import is_heic_available
from imageplane.errors import UnencodableImage

PHOTO, ALPHA = pictures.image("photo"), pictures.image("alpha")

FORMAT_NAMES = [
    pytest.param(name, marks=pytest.mark.skipif(name == "heif" and not is_heic_available(), reason=NO_HEIC))
    for name in FORMATS
]
every_format = pytest.mark.parametrize("name", FORMAT_NAMES)


@pytest.fixture(autouse=True)
def heif() -> None:
    """Let Pillow read HEIF where the extra is installed."""
    if is_heic_available():
        pytest.importorskip("pillow_heif", reason=NO_HEIC).register_heif_opener()


def written(image: pyvips.Image, name: OutputFormat, quality: int | None = None, extras: Extras | None = None) -> bytes:
    return encode([image], Target(name, quality), extras or Extras())


def mean_delta(actual: np.ndarray, expected: np.ndarray) -> float:
    assert actual.shape == expected.shape
    return float(np.abs(actual.astype(float) - expected).mean())


def test_png_is_exact() -> None:
    assert np.array_equal(encoded.pixels(written(PHOTO, "png")), PHOTO.numpy())
    assert np.array_equal(encoded.pixels(written(ALPHA, "png")), ALPHA.numpy())


@every_format
def test_an_opaque_picture_looks_right(name: OutputFormat) -> None:
    found = encoded.pixels(written(PHOTO, name, 95))
    assert mean_delta(found[..., :3], PHOTO.numpy()) < 4
    assert (found[..., 3:] == 255).all()


@pytest.mark.parametrize("name", ["png", "webp", "avif", "heif"])
def test_transparency_is_kept(name: OutputFormat) -> None:
    if name == "heif" and not is_heic_available():
        pytest.skip(NO_HEIC)
    found, source = encoded.pixels(written(ALPHA, name, 95)), ALPHA.numpy()
    assert mean_delta(found[..., 3], source[..., 3]) < 1.5
    is_seen = source[..., 3] > 0
    assert mean_delta(found[is_seen][:, :3], source[is_seen][:, :3]) < 4


def test_a_gif_keeps_clear_corners_clear() -> None:
    found = encoded.pixels(written(ALPHA, "gif"))
    assert found[0, 0, 3] == 0
    assert found[75, 108, 3] == 255


def test_transparency_in_a_jpeg_is_white() -> None:
    found, source = encoded.pixels(written(ALPHA, "jpeg", 97)), ALPHA.numpy().astype(float)
    weight = source[..., 3:] / 255
    assert mean_delta(found, source[..., :3] * weight + 255 * (1 - weight)) < 2
    assert (found[0, 0] >= 252).all()


@every_format
def test_the_smallest_picture(name: OutputFormat) -> None:
    for picture in (PHOTO, ALPHA):
        assert encoded.opened(written(picture.extract_area(108, 75, 1, 1), name)).size == (1, 1)


@every_format
@pytest.mark.parametrize("size", [(1, 149), (217, 1), (3, 2)])
def test_thin_pictures(name: OutputFormat, size: tuple[int, int]) -> None:
    assert encoded.opened(written(PHOTO.extract_area(0, 0, *size), name)).size == size


@pytest.mark.parametrize("name", ["png", "gif"])
def test_quality_is_ignored_where_it_has_no_meaning(name: OutputFormat) -> None:
    assert written(PHOTO, name, 1) == written(PHOTO, name) == written(PHOTO, name, 100)
    assert Target(name, 17).effective_quality is None


@pytest.mark.parametrize("name", ["jpeg", "webp", "avif", "heif"])
def test_quality_counts_elsewhere(name: OutputFormat) -> None:
    if name == "heif" and not is_heic_available():
        pytest.skip(NO_HEIC)
    files = [written(PHOTO, name, quality) for quality in (1, 37, 71, 100)]
    assert [len(file) for file in files] == sorted(len(file) for file in files)
    deltas = [mean_delta(encoded.pixels(file), PHOTO.numpy()) for file in files]
    assert deltas == sorted(deltas, reverse=True)
    assert written(PHOTO, name) == written(PHOTO, name, FORMATS[name].default_quality)


@pytest.mark.parametrize(
    ("name", "side"), [("webp", 16_383), ("avif", 16_384), ("jpeg", 65_500), ("png", 65_535), ("gif", 65_535)]
)
def test_the_largest_side(name: OutputFormat, side: int) -> None:
    line = pyvips.Image.black(side + 1, 1, bands=3).copy(interpretation="srgb")
    for image in (line, line.rot90()):
        with pytest.raises(UnencodableImage, match=str(side)) as caught:
            written(image, name)
        assert (caught.value.status, caught.value.code) == (422, "unencodable_image")
    if name != "avif":
        assert len(written(line.extract_area(0, 0, side, 1), name)) > 20


@every_format
def test_no_format_writes_what_the_source_carried(name: OutputFormat) -> None:
    loaded = PHOTO.copy()
    for field in ("icc-profile-data", "xmp-data", "iptc-data", "exif-data", "photoshop-data"):
        loaded.set_type(pyvips.GValue.blob_type, field, b"MARKER-" * 30)
    loaded.set_type(pyvips.GValue.gstr_type, "png-comment-0-Comment", "MARKER-text")
    loaded.set_type(pyvips.GValue.gstr_type, "exif-ifd3-GPSLatitude", "MARKER-gps")
    data = written(loaded, name)
    assert b"MARKER" not in data
    assert encoded.opened(data).size == (217, 149)


@pytest.mark.parametrize("name", ["jpeg", "webp", "avif", "heif", "png"])
def test_copyright_is_written_where_it_is_wanted(name: OutputFormat) -> None:
    if name == "heif" and not is_heic_available():
        pytest.skip(NO_HEIC)
    extras = Extras(copyright=((encoded.ARTIST, "Ada Byron"), (encoded.COPYRIGHT, "1843, all rights (c)")))
    tags = dict(encoded.opened(written(PHOTO, name, extras=extras)).getexif())
    assert tags[encoded.ARTIST].strip() == "Ada Byron"
    assert tags[encoded.COPYRIGHT].strip() == "1843, all rights (c)"


@pytest.mark.parametrize("name", ["gif", "webp"])
def test_an_animation(name: OutputFormat) -> None:
    pictured = [pictures.alpha(), *(np.roll(pictures.photo(), 13 * shift, axis=1) for shift in range(3))]
    # One frame with alpha gives alpha to all.
    frames = [pyvips.Image.new_from_array(frame).copy(interpretation="srgb") for frame in pictured]
    data = encode(frames, Target(name, 95), Extras(delays_in_ms=(70, 130, 40, 90), loop=3))
    assert encoded.durations(data) == [70, 130, 40, 90]
    assert encoded.opened(data).info["loop"] == (2 if name == "gif" else 3)
    first, *rest = encoded.frames(data)
    assert first[0, 0, 3] == 0
    for found, expected in zip(rest, pictured[1:], strict=True):
        assert mean_delta(found[..., :3], expected) < 6
        assert (found[..., 3] == 255).all()


@pytest.mark.parametrize("name", ["gif", "webp"])
def test_an_animation_without_delays_gets_some(name: OutputFormat) -> None:
    data = encode([PHOTO, PHOTO.fliphor()], Target(name), Extras())
    assert encoded.durations(data) == [100, 100]
    assert encoded.opened(data).info["loop"] == 0


@pytest.mark.parametrize(
    ("source", "result"),
    [("svg", "png"), ("bmp", "png"), ("tiff", "png"), *((name, name) for name in FORMATS)],
)
def test_the_format_of_the_result(source: str, result: str) -> None:
    assert written_as(source) == result  # type: ignore[arg-type]
