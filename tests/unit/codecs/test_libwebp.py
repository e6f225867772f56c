"""WebP through libwebp's own API: the picture that went in, with its transparency, and better than the plain effort."""

import io

import encoded
import numpy as np
import pictures
import pytest
from PIL import Image
from skimage.metrics import structural_similarity

from imageplane.codecs import libwebp

needs_libwebp = pytest.mark.skipif(not libwebp.is_available(), reason="Pillow's wheel has no libwebp that can be used")


def plain(array: np.ndarray, quality: int) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(array).save(buffer, "WEBP", quality=quality, method=2)
    return buffer.getvalue()


def likeness(array: np.ndarray, data: bytes) -> float:
    return float(structural_similarity(array, encoded.pixels(data), channel_axis=2))


@needs_libwebp
@pytest.mark.parametrize("size", [(473, 321), (121, 83), (1, 1), (2, 517)])
def test_the_picture_comes_back(size: tuple[int, int]) -> None:
    array = np.ascontiguousarray(pictures.photo(*size))
    data = libwebp.encode_lossy(array, 90)
    assert data is not None
    assert data[:4] == b"RIFF"
    assert encoded.pixels(data).shape == array.shape
    # Chroma is kept at half the resolution, which a few pixels of noise show most.
    assert np.abs(encoded.pixels(data).astype(int) - array).mean() < 12


@needs_libwebp
def test_transparency_comes_back_exactly() -> None:
    array = np.ascontiguousarray(pictures.alpha(121, 83))
    data = libwebp.encode_lossy(array, 80)
    assert data is not None
    np.testing.assert_array_equal(encoded.pixels(data)[..., 3], array[..., 3])


@needs_libwebp
def test_it_is_nearer_to_the_picture_than_the_plain_effort_in_fewer_bytes(corpus: object) -> None:
    photo = Image.open(f"{corpus}/speed/j08_iphone_8mp_base.jpg")
    photo.draft("RGB", (1600, 1200))
    array = np.asarray(photo.convert("RGB").resize((800, 600), Image.Resampling.LANCZOS))
    ours = libwebp.encode_lossy(array, 85)
    assert ours is not None
    assert len(ours) < len(plain(array, 85))
    assert likeness(array, ours) > likeness(array, plain(array, 85))


@needs_libwebp
def test_what_libwebp_refuses_is_nothing() -> None:
    assert libwebp.encode_lossy(np.zeros((1, 16_384, 3), np.uint8), 80) is None
