"""The compiled decoder at 1/8: libjpeg-turbo's pixels or none at all, whatever the file."""

import io
import shutil
import subprocess
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import simplejpeg
from encoded import opened, saved
from hypothesis import given, settings
from hypothesis import strategies as st

import imageplane.codecs.jpeg_eighth as compiled
from imageplane.codecs.jpeg_eighth import fill_eighth
from imageplane.codecs.jpeg_markers import read_frame

NATIVE = Path(compiled.__file__).parent / "native"

needs_compiled = pytest.mark.skipif(
    not compiled.is_available(), reason="there was no C compiler (Debian: apt install gcc) when this was installed"
)


def noisy(width: int, height: int, roughness: float = 20) -> np.ndarray:
    across, down = np.linspace(0, 9, width)[None, :, None], np.linspace(0, 5, height)[:, None, None]
    smooth = 127 + 100 * np.sin(across * [1, 1.3, 0.7] + down)
    noise = np.random.default_rng(width * height).normal(0, roughness, (height, width, 3))
    return np.clip(smooth + noise, 0, 255).astype(np.uint8)


def blank(data: bytes) -> np.ndarray:
    frame = read_frame(data)
    assert frame is not None
    return np.zeros((-(-frame.height // 8), -(-frame.width // 8), len(frame.components)), np.uint8)


def by_libjpeg(data: bytes) -> np.ndarray:
    pixels = blank(data)
    height, width, bands = pixels.shape
    simplejpeg.decode_jpeg(
        data, "GRAY" if bands == 1 else "RGB", min_height=height, min_width=width, buffer=pixels, strict=True
    )
    return pixels


def by_pillow(data: bytes) -> np.ndarray:
    picture = opened(data)
    picture.draft(picture.mode, (max(1, picture.width // 8), max(1, picture.height // 8)))
    return np.atleast_3d(np.asarray(picture))


def assert_same(data: bytes) -> None:
    pixels = blank(data)
    assert fill_eighth(pixels, data, len(pixels))
    np.testing.assert_array_equal(pixels, by_libjpeg(data))


def by_opencv(array: np.ndarray, *options: int) -> bytes:
    is_done, data = cv2.imencode(".jpg", array, options)
    assert is_done
    return bytes(data)


@needs_compiled
@pytest.mark.parametrize("size", [(473, 121), (16, 16), (17, 9), (1, 1), (8, 200), (1001, 65)])
@pytest.mark.parametrize("quality", [5, 60, 92, 100])
@pytest.mark.parametrize("subsampling", [0x111111, 0x211111, 0x221111, 0x121111])
def test_pixels_are_those_of_libjpeg(subsampling: int, quality: int, size: tuple[int, int]) -> None:
    factors = (cv2.IMWRITE_JPEG_SAMPLING_FACTOR, subsampling)
    assert_same(by_opencv(noisy(*size), cv2.IMWRITE_JPEG_QUALITY, quality, *factors))


@needs_compiled
@pytest.mark.parametrize("interval", [1, 3, 7, 60])
def test_restarts(interval: int) -> None:
    assert_same(by_opencv(noisy(473, 121), cv2.IMWRITE_JPEG_RST_INTERVAL, interval))


@needs_compiled
@pytest.mark.parametrize("optimize", [False, True])
def test_gray_and_own_tables(optimize: bool) -> None:
    assert_same(saved(noisy(473, 121)[:, :, 0], "JPEG", quality=88, optimize=optimize))
    assert_same(saved(noisy(473, 121), "JPEG", quality=97, optimize=optimize))


@needs_compiled
@pytest.mark.parametrize("array", [np.zeros((97, 203, 3), np.uint8), np.full((97, 203, 3), 255, np.uint8)])
def test_blocks_without_detail(array: np.ndarray) -> None:
    assert_same(saved(array, "JPEG", quality=90))


@needs_compiled
def test_blocks_full_to_the_last_coefficient_end_without_a_mark() -> None:
    harsh = np.random.default_rng(1).integers(0, 2, (120, 200, 3)).astype(np.uint8) * 255
    assert_same(saved(harsh, "JPEG", quality=100, subsampling=0))


@needs_compiled
def test_only_the_rows_that_are_wanted() -> None:
    data = saved(noisy(473, 321), "JPEG", quality=90)
    whole, top = blank(data), blank(data)
    assert fill_eighth(whole, data, len(whole))
    # What is below the rows is not even looked at: it need not be there.
    assert fill_eighth(top, data[: len(data) // 2], 11)
    np.testing.assert_array_equal(top[:11], whole[:11])


def _named_rgb() -> bytes:
    held = io.BytesIO()
    opened(saved(noisy(64, 64), "PNG")).save(held, "JPEG", keep_rgb=True)
    return held.getvalue()


def unusual() -> dict[str, bytes]:
    plain = saved(noisy(120, 90), "JPEG", quality=85)
    frame = read_frame(plain)
    assert frame is not None
    return {
        "progressive": saved(noisy(120, 90), "JPEG", progressive=True),
        "rgb": _named_rgb(),
        "cut short": plain[: len(plain) // 2],
        "without its end": plain[:-2],
        "data left over": plain[:-2] + b"\x00\x00\x00\xff\xd9",
        "higher than its data": plain[: frame.height_at] + b"\x03\x00" + plain[frame.height_at + 2 :],
        "411": simplejpeg.encode_jpeg(noisy(120, 90), quality=90, colorsubsampling="411"),
        "empty scan": plain[: plain.index(b"\xff\xda") + 14] + b"\xff\xd9",
    }


@needs_compiled
@pytest.mark.parametrize("name", unusual())
def test_what_is_unusual_is_left_to_libjpeg(name: str) -> None:
    data = unusual()[name]
    pixels = blank(data)
    assert not fill_eighth(pixels, data, len(pixels))


SOUND = [
    saved(noisy(150, 70), "JPEG", quality=80),
    saved(noisy(150, 70), "JPEG", quality=95, subsampling=0, optimize=True),
    saved(noisy(90, 70)[:, :, 1], "JPEG", quality=75),
    by_opencv(noisy(150, 70), cv2.IMWRITE_JPEG_RST_INTERVAL, 3),
]


@needs_compiled
@settings(max_examples=600, deadline=None)
@given(data=st.data())
def test_a_damaged_file_gives_the_same_pixels_or_none(data: st.DataObject) -> None:
    damaged = bytearray(SOUND[data.draw(st.integers(0, len(SOUND) - 1))])
    for _ in range(data.draw(st.integers(1, 4))):
        damaged[data.draw(st.integers(2, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    if read_frame(bytes(damaged)) is None:
        return
    pixels = blank(bytes(damaged))
    if pixels.size < 3_000_000 and pixels.shape[2] in (1, 3) and fill_eighth(pixels, bytes(damaged), len(pixels)):
        # By Pillow, as simplejpeg refuses files for warnings that say nothing of the pixels.
        np.testing.assert_array_equal(pixels, by_pillow(bytes(damaged)))


@needs_compiled
def test_real_and_odd_files(corpus: Path) -> None:
    done = 0
    for path in sorted([*corpus.glob("speed/*.jpg"), *corpus.glob("odd/*.jp*g")]):
        data = path.read_bytes()
        frame = read_frame(data)
        if frame is None or len(frame.components) not in (1, 3):
            continue
        pixels = blank(data)
        if fill_eighth(pixels, data, len(pixels)):
            np.testing.assert_array_equal(pixels, by_libjpeg(data), path.name)
            done += 1
    assert done > 20


def test_ten_thousand_damaged_files_touch_no_foreign_memory(tmp_path: Path) -> None:
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("needs a C compiler (Debian: apt install gcc)")
    program = tmp_path / "fuzz"
    sources = [str(Path(__file__).with_name("jpeg_eighth_fuzz.c")), "-I", str(NATIVE), "-o", str(program)]
    built = run(compiler, "-g", "-O1", "-fsanitize=address,undefined", "-fno-sanitize-recover=all", *sources)
    if built.returncode != 0:
        pytest.skip("needs a C compiler with address and undefined-behavior sanitizers")
    for number, sound in enumerate(SOUND):
        (tmp_path / f"{number}.jpg").write_bytes(sound)
    ran = run(str(program), "2500", *(str(tmp_path / f"{number}.jpg") for number in range(len(SOUND))))
    assert ran.returncode == 0, ran.stderr
    # Some of them still are pictures, and most are not.
    done, refused = map(int, ran.stdout.split())
    assert done + refused == 10_000
    assert done > 100
    assert refused > 100


def run(*command: str) -> "subprocess.CompletedProcess[Any]":
    return subprocess.run(command, capture_output=True, text=True, check=False)
