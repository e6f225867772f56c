"""Every odd, broken and hostile upload is shown as its manifest says, or refused in one clear sentence.

All of them go through one engine, one after the other, so that nothing that one leaves behind may harm the next.
"""

import contextlib
import re
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
import pyvips

from imageplane.engine.pool import Pool
from imageplane.errors import ImageplaneError
from imageplane.pipeline import Options, Picture
from imageplane.request import TransformRequest
from imageplane.transform import Transformer

TO_PNG = TransformRequest.parse({"operations": [{"type": "convert", "format": "png"}]})
LONGEST_IN_S = 10
MOST_MEMORY_IN_BYTES = 1_000_000_000
MEAN_TOLERANCE = 3

# What a person must never be shown.
INNARDS = re.compile(
    r"vips|Traceback|\.py\b|0x[0-9a-f]{4}|<_io|/\w+/|errno|libpng|libjpeg|resvg|heif_|b'|\n", re.IGNORECASE
)


@pytest.fixture(scope="module")
def transformer() -> Iterator[Transformer]:
    """Give one engine that is kept over all files."""
    with Pool(count=1, deadline_in_s=LONGEST_IN_S, memory_in_bytes=900_000_000, recycle_after=1000) as pool:
        yield Transformer(pool, Options())


@pytest.mark.corpus("odd")
def test_every_odd_file_is_right_or_refused(row: dict[str, str], transformer: Transformer) -> None:
    path = Path(row["path"])
    start_measuring(transformer.pool)
    try:
        picture = transformer.transform(path, TO_PNG).result(timeout=LONGEST_IN_S).picture
    except ImageplaneError as error:
        check_refusal(error, row)
    else:
        assert "decode" in row["expected"], f"shown as {picture.width_in_px}×{picture.height_in_px}"
        check_picture(picture, row)
    assert peak_memory_in_bytes(transformer.pool) < MOST_MEMORY_IN_BYTES


def check_refusal(error: ImageplaneError, row: dict[str, str]) -> None:
    assert "4xx" in row["expected"], f"refused with {error.message!r} ({error.detail})"
    assert 400 <= error.status < 500
    assert error.code != "engine_crashed"
    assert 10 < len(error.message) < 200
    assert row["file"] not in error.message
    assert not INNARDS.search(error.message), error.message


def check_picture(picture: Picture, row: dict[str, str]) -> None:
    shown = pyvips.Image.pngload_buffer(picture.data, access="sequential")
    assert (shown.width, shown.height) == (picture.width_in_px, picture.height_in_px)
    if row["upright_WxH"]:
        assert f"{shown.width}x{shown.height}" == row["upright_WxH"]
    if row["mean_rgb_srgb"]:
        flat = shown.flatten(background=[255, 255, 255]) if shown.hasalpha() else shown
        # The first row of the statistics is that of all bands; the fifth column is the mean.
        means = [float(mean) for mean in flat.stats().numpy()[1:, 4]]
        means = means * 3 if len(means) == 1 else means
        expected = [float(value) for value in row["mean_rgb_srgb"].split(",")]
        assert all(abs(mean - value) <= MEAN_TOLERANCE for mean, value in zip(means, expected, strict=True)), means


def start_measuring(pool: Pool) -> None:
    for engine in pool.engine_ids():
        with contextlib.suppress(OSError):
            Path(f"/proc/{engine}/clear_refs").write_text("5")


def peak_memory_in_bytes(pool: Pool) -> int:
    """Give the most that a living engine held since measuring started; without /proc, what it holds now."""
    peaks = [0]
    for engine in pool.engine_ids():
        status = Path(f"/proc/{engine}/status")
        with contextlib.suppress(OSError, psutil.NoSuchProcess):
            found = re.search(r"VmHWM:\s+(\d+)", status.read_text()) if status.exists() else None
            peaks.append(int(found[1]) * 1024 if found else psutil.Process(engine).memory_info().rss)
    return max(peaks)
