"""smart_crop, remove_background and upscale on pictures as people really send them, through an engine with networks.

Gray, transparent, 16-bit, CMYK, tiny, narrow and animated ones come out right; huge ones are refused in one sentence.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import encoded
import numpy as np
import pictures
import pytest
from absent import NO_WEIGHTS, WEIGHTS
from examples import TOOLS, array_of, image_of
from numpy.typing import NDArray
from PIL import Image

from imageplane.engine.pool import Pool
from imageplane.errors import ImageplaneError
from imageplane.operations import parse
from imageplane.settings import Settings
from imageplane.transform import Result, Transformer, TransformRequest, options_of, outfit_of

pytestmark = pytest.mark.skipif(WEIGHTS is None, reason=NO_WEIGHTS)

PNG = {"type": "convert", "format": "png"}
CROP = {"type": "smart_crop", "width_in_px": 121, "height_in_px": 90}
CUT = {"type": "remove_background"}
LARGE = {"type": "upscale", "factor": 2}
OUTPUTS = {"plain": [PNG], "crop": [CROP, PNG], "cut": [PNG, CUT], "large": [LARGE, PNG]}

ODD = [
    "image_basi0g16.png",
    "thumbor_grayscale-icc.jpg",
    "jpeg_grayscale_long.jpg",
    "sharp_16-bit-grey-alpha.png",
    "pillow_mode_16bit.png",
    "image_rgb32f_color.tiff",
    "image_tbbn3p08.png",
    "image_ball.png",
    "sharp_check.svg",
    "thumbor_cmyk.jpg",
    "pillow_tiff_strip_cmyk_jpeg.tif",
    "jpeg_jpg-size-1x1.jpg",
    "libavif_white_1x1.avif",
    "thumbor_940x2.png",
    "sharp_rotating-squares.gif",
    "payloadsal_ssrf_svg_image.svg",
]


@pytest.fixture(scope="module")
def transformer() -> Iterator[Transformer]:
    """Give one engine that is kept over all pictures."""
    assert WEIGHTS is not None
    settings = Settings.model_construct(models_dir=WEIGHTS)
    with Pool.of(settings.engine.model_copy(update={"count": 1}), outfit_of(settings)) as pool:
        yield Transformer(pool, options_of(settings))


def made(transformer: Transformer, source: bytes | Path, **outputs: list[dict[str, Any]]) -> Result:
    raw = [{"name": name, "operations": operations} for name, operations in outputs.items()]
    return transformer.transform(source, TransformRequest.parse({"outputs": raw})).result(60)


def rgba(data: bytes) -> NDArray[np.uint8]:
    return np.asarray(encoded.opened(data).convert("RGBA"))


def premultiplied(array: NDArray[np.uint8]) -> NDArray[np.float64]:
    alpha = array[..., 3:] / 255
    return np.concatenate([array[..., :3] * alpha, array[..., 3:]], axis=2)


def is_gray(array: NDArray[np.uint8]) -> bool:
    return not np.ptp(array[..., :3][array[..., 3] > 0], axis=1).any()


def check_all(transformer: Transformer, source: bytes | Path) -> None:
    """Do all three at once, and hold what comes of them against the picture as it is."""
    files = {picture.name: picture.data for picture in made(transformer, source, **OUTPUTS).pictures}
    plain, crop, cut, large = (rgba(files[name]) for name in OUTPUTS)
    height, width, _ = plain.shape
    assert (crop.shape[:2], cut.shape[:2], large.shape[:2]) == ((90, 121), (height, width), (2 * height, 2 * width))
    has_alpha = [encoded.opened(files[name]).has_transparency_data for name in OUTPUTS]
    assert has_alpha[2]
    assert has_alpha[1] == has_alpha[3] == has_alpha[0]
    # What was transparent can't come to the front.
    assert (cut[..., 3] <= plain[..., 3]).all()
    if is_gray(plain):
        assert is_gray(crop)
        assert is_gray(cut)
        assert is_gray(large)
    small = premultiplied(large).reshape(height, 2, width, 2, 4).mean(axis=(1, 3))
    assert np.abs(small - premultiplied(plain)).mean() < 8


@pytest.mark.parametrize("file", ODD)
def test_odd_files(file: str, corpus: Path, transformer: Transformer) -> None:
    check_all(transformer, corpus / "odd" / file)


@pytest.mark.parametrize("size", [(1, 1), (1, 300), (700, 5)], ids=str)
@pytest.mark.parametrize("mode", ["L", "LA", "RGBA", "I;16"])
def test_every_mode_in_every_shape(mode: str, size: tuple[int, int], transformer: Transformer) -> None:
    down, across = np.mgrid[0 : size[1], 0 : size[0]]
    planes = (
        40 + 120 * down / size[1],
        220 - 150 * across / size[0],
        90 + 40 * across / size[0],
        255 - 200 * down / size[1],
    )
    colors = Image.fromarray(np.rint(np.dstack(planes)).astype(np.uint8), "RGBA")
    image = (
        Image.fromarray(np.asarray(colors)[..., 1].astype(np.uint16) * 257) if mode == "I;16" else colors.convert(mode)
    )
    check_all(transformer, encoded.written(image, "PNG"))


@pytest.mark.parametrize("kind", ["GIF", "WEBP"])
def test_animations_stay_animated(kind: str, transformer: Transformer) -> None:
    frames = [np.roll(pictures.photo(90, 60), 20 * index, axis=1) for index in range(3)]
    data = encoded.animation(frames, kind, [70, 80, 90])
    done = made(transformer, data, crop=[CROP], cut=[CUT], large=[LARGE])
    sizes = {"crop": (121, 90), "cut": (90, 60), "large": (180, 120)}
    for picture in done.pictures:
        shown = encoded.frames(picture.data)
        assert {(frame.shape[1], frame.shape[0]) for frame in shown} == {sizes[picture.name]}
        assert encoded.durations(picture.data) == [70, 80, 90]
    # A GIF is filled with white, as JPEG is.
    assert encoded.opened(done.pictures[1].data).has_transparency_data == (kind == "WEBP")
    assert len(done.pictures[0].smart_crops) == 1


def test_cmyk_is_cut_out_and_filled(transformer: Transformer) -> None:
    data = encoded.written(Image.fromarray(pictures.photo()).convert("CMYK"), "JPEG")
    clear, filled = made(transformer, data, clear=[CUT, PNG], filled=[{**CUT, "hex_color": "#3060c0"}]).pictures
    # JPEG is the format in effect when the background goes, so it is white.
    assert encoded.opened(clear.data).mode == "RGB"
    assert (filled.mime_type, encoded.opened(filled.data).mode) == ("image/jpeg", "RGB")


@pytest.mark.parametrize("operation", [CROP, CUT, LARGE], ids=lambda operation: operation["type"])
def test_what_claims_to_be_huge_is_refused(operation: dict[str, Any], transformer: Transformer) -> None:
    with pytest.raises(ImageplaneError) as caught:
        made(transformer, encoded.png_claiming(60_000, 60_000), image=[operation])
    assert (caught.value.code, caught.value.status) == ("image_too_large", 413)


def test_the_largest_photo(corpus: Path, transformer: Transformer) -> None:
    huge = corpus / "odd" / "thumbor_9643x10328.jpg"
    (picture,) = made(transformer, huge, image=[CROP]).pictures
    assert (picture.width_in_px, picture.height_in_px) == (121, 90)
    for operation in (LARGE, CUT):
        # Twice as large is above the limit of pixels; to cut it out takes more memory than engines have.
        with pytest.raises(ImageplaneError) as caught:
            made(transformer, huge, image=[operation])
        assert (caught.value.status, caught.value.retryable) == (413, False)
        assert len(caught.value.message) < 200


def operation_of(raw: dict[str, Any]) -> Any:
    return parse([raw])[0][0]


@pytest.mark.parametrize("color", [(255, 255, 255), (0, 0, 0), (128, 128, 128), (250, 220, 40)], ids=str)
def test_what_is_cut_out_already_stays(color: tuple[int, int, int]) -> None:
    down, across = np.mgrid[0:300, 0:400]
    logo = np.zeros((300, 400, 4), np.uint8)
    logo[..., :3] = color
    logo[..., 3] = 255 * ((np.hypot(down - 150, across - 200) < 110) & (np.hypot(down - 150, across - 200) > 40))
    kept = array_of(operation_of(CUT).apply(image_of(logo), TOOLS))[..., 3]
    assert kept.sum() > 0.85 * logo[..., 3].sum()


@pytest.mark.parametrize("color", [0, 1, 128, 255])
def test_a_picture_of_one_color_has_nothing_in_front(color: int) -> None:
    picture = np.full((90, 130, 3), color, np.uint8)
    assert not array_of(operation_of(CUT).apply(image_of(picture), TOOLS)).any()


@pytest.mark.parametrize("factor", [2, 3, 4])
def test_transparent_edges_have_no_fringe_and_stay_in_place(factor: int) -> None:
    picture = np.zeros((50, 70, 4), np.uint8)
    picture[..., :3] = (0, 0, 0)
    picture[15:33, 20:52] = (40, 200, 90, 255)
    large = array_of(operation_of({**LARGE, "factor": factor}).apply(image_of(picture), TOOLS)).astype(float)
    seen = large[large[..., 3] > 0]
    assert np.abs(seen[:, :3] - (40, 200, 90)).max() <= 6
    rows, columns = np.nonzero(large[..., 3] > 127)
    # The pixels that are seen are those from the edges of the old ones.
    assert (columns.min(), columns.max() + 1) == (20 * factor, 52 * factor)
    assert (rows.min(), rows.max() + 1) == (15 * factor, 33 * factor)


def test_faint_colors_are_enlarged_as_they_are() -> None:
    picture = np.empty((40, 40, 4), np.uint8)
    picture[:] = (200, 120, 60, 40)
    large = array_of(operation_of(LARGE).apply(image_of(picture), TOOLS)).astype(int)
    assert np.abs(large - (200, 120, 60, 40)).max() <= 3
