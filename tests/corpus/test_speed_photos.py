"""The plan for a small cover of a large photo shows what the naive plan shows."""

from pathlib import Path
from typing import Any

import encoded
import numpy as np
import pytest
import simplejpeg
from absent import NO_HEIC
from PIL import Image
from skimage.metrics import structural_similarity

from imageplane.codecs.heif import is_heic_available
from imageplane.codecs.jpeg import decode_jpeg
from imageplane.deadline import Deadline
from imageplane.operations import parse
from imageplane.pipeline import Options, Output, execute, explain

COVER = {"type": "resize", "width_in_px": 200, "height_in_px": 200, "fit": "cover"}
WEBP = {"type": "convert", "format": "webp", "quality": 80}
PNG = {"type": "convert", "format": "png"}
OUTPUT = Output("avatar", parse([COVER, WEBP])[0])
# The codec's own noise hides what the plan does, so likeness is measured without it, and with it only the loss.
LEAST_SSIM, MOST_SSIM_LOST = 0.99, 0.002


def shown(data: bytes, convert: dict[str, Any], *, is_naive: bool) -> np.ndarray:
    output = Output("avatar", parse([COVER, convert])[0])
    (picture,) = execute(data, [output], Options(), Deadline(), is_naive=is_naive).pictures
    assert (picture.width_in_px, picture.height_in_px, picture.format) == (200, 200, convert["format"])
    return np.asarray(encoded.opened(picture.data).convert("RGB"))


def likeness(one: np.ndarray, other: np.ndarray) -> float:
    return float(structural_similarity(one, other, channel_axis=2))


@pytest.mark.corpus("speed")
def test_planned_looks_like_naive(row: dict[str, str]) -> None:
    if row["file"].endswith(".heic") and not is_heic_available():
        pytest.skip(NO_HEIC)
    data = Path(row["path"]).read_bytes()
    reference = shown(data, PNG, is_naive=True)
    assert likeness(shown(data, PNG, is_naive=False), reference) >= LEAST_SSIM
    planned, naive = (likeness(shown(data, WEBP, is_naive=is_naive), reference) for is_naive in (False, True))
    assert planned >= naive - MOST_SSIM_LOST


@pytest.mark.corpus("speed", "*.jpg")
def test_large_photos_are_shrunk_by_their_decoder(row: dict[str, str]) -> None:
    data = Path(row["path"]).read_bytes()
    assert "shrunk by 8," in explain(data, [OUTPUT], Options())


@pytest.mark.corpus("speed", "*_prog.jpg")
def test_a_progressive_photo_at_one_eighth_has_the_pixels_of_a_plain_decode(row: dict[str, str]) -> None:
    data = Path(row["path"]).read_bytes()
    pixels, is_damaged = decode_jpeg(data, 8)
    plain = simplejpeg.decode_jpeg(data, "RGB", min_height=pixels.shape[0], min_width=pixels.shape[1])
    assert not is_damaged
    assert np.array_equal(pixels, plain)
    # And Pillow, which knows nothing of this, sees the same.
    with Image.open(row["path"]) as image:
        image.draft("RGB", (1, 1))
        assert np.array_equal(pixels, np.asarray(image))
