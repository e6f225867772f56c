"""198 odd, broken and hostile uploads: each gives the picture that it should, or is refused for the right reason."""

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import psutil
import pytest
import pyvips

from imageplane.engine.pool import Pool
from imageplane.errors import ImageplaneError
from imageplane.pipeline import Options
from imageplane.transform import Transformer, TransformRequest

REQUEST = TransformRequest.parse({"operations": [{"type": "convert", "format": "png"}]})
MEMORY_IN_BYTES, DEADLINE_IN_S = 900_000_000, 10
MEAN_DELTA = 3
NO_SENTENCE_FOR_A_PERSON = re.compile(r"Traceback|0x[0-9a-f]{6}|/[a-z]+/[a-z]|Vips|vips|\n")


@pytest.fixture(scope="module")
def transformer() -> Iterator[Transformer]:
    with Pool(count=1, deadline_in_s=DEADLINE_IN_S, memory_in_bytes=MEMORY_IN_BYTES, recycle_after=10_000) as pool:
        yield Transformer(pool, Options())


def mean_color(png: bytes) -> np.ndarray:
    image = pyvips.Image.pngload_buffer(png)
    flat = image.flatten(background=255) if image.hasalpha() else image
    color = flat.colourspace("srgb")
    return np.array([color[band].avg() for band in range(3)])


def peak_in_bytes(pool: Pool) -> int:
    """Give the most memory that any living engine ever held; without /proc, what it holds now."""
    peaks = [0]
    for engine in pool.engine_ids():
        status = Path(f"/proc/{engine}/status")
        if status.exists():
            peaks.append(1024 * int(re.findall(r"VmHWM:\s+(\d+)", status.read_text())[0]))
        else:
            peaks.append(psutil.Process(engine).memory_info().rss)
    return max(peaks)


@pytest.mark.corpus("odd")
def test_an_odd_upload(row: dict[str, str], transformer: Transformer) -> None:
    expected = row["expected"]
    future = transformer.transform(Path(row["path"]), REQUEST)
    error = future.exception(DEADLINE_IN_S + 5)
    assert peak_in_bytes(transformer.pool) < 1_000_000_000
    if error is not None:
        assert isinstance(error, ImageplaneError)
        assert "refuse" in expected or "4xx" in expected, error.message
        assert 400 <= error.status < 500, error.detail
        assert not NO_SENTENCE_FOR_A_PERSON.search(error.message), error.message
        return
    assert "decode" in expected, "this should be refused"
    picture = future.result().picture
    if row["upright_WxH"]:
        assert f"{picture.width_in_px}x{picture.height_in_px}" == row["upright_WxH"]
    if row["mean_rgb_srgb"]:
        wanted = np.array([float(part) for part in row["mean_rgb_srgb"].split(",")])
        assert np.abs(mean_color(picture.data) - wanted).max() <= MEAN_DELTA
