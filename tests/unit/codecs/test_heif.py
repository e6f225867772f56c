"""HEIF through pillow-heif, where the extra is installed."""

import sys

import colors
import encoded
import numpy as np
import pictures
import pytest
from absent import NO_HEIC

from imageplane.codecs import heif
from imageplane.codecs.decode import Amount, decode
from imageplane.codecs.header import read_header
from imageplane.codecs.heif import decode_heif, encode_heif, heif_size
from imageplane.errors import UndecodableImage, UnsupportedFormat
from imageplane.limits import Limits

PHOTO, ALPHA = pictures.photo(), pictures.alpha()
WHOLE = Amount(shrink=1, rows=149, frames=1)


@pytest.fixture
def pillow() -> None:
    """Let Pillow read and write HEIF, or skip where the extra is left out."""
    pytest.importorskip("pillow_heif", reason=NO_HEIC).register_heif_opener()


@pytest.mark.usefixtures("pillow")
class TestWithTheExtra:
    @pytest.mark.parametrize("picture", [PHOTO, ALPHA], ids=["rgb", "rgba"])
    def test_what_is_written_is_read_by_pillow(self, picture: np.ndarray) -> None:
        data = encode_heif(picture, 91, None)
        delta = np.abs(np.asarray(encoded.opened(data)).astype(float) - picture)
        assert delta[..., :3].mean() < 2
        assert delta[..., 3:].sum() < 2 * picture.shape[0] * picture.shape[1]

    @pytest.mark.parametrize(("width", "height"), [(1, 1), (3, 5), (64, 63), (473, 121)])
    def test_every_size_is_kept(self, width: int, height: int) -> None:
        data = encode_heif(pictures.photo(width, height), 71, None)
        assert heif_size(data) == (width, height)
        assert decode_heif(data)[0].shape == (height, width, 3)

    def test_a_lower_quality_is_smaller(self) -> None:
        sizes = [len(encode_heif(PHOTO, quality, None)) for quality in (1, 31, 61, 91, 100)]
        assert sizes == sorted(sizes)
        assert sizes[0] < sizes[-1] / 4

    @pytest.mark.parametrize("picture", [PHOTO, ALPHA], ids=["rgb", "rgba"])
    def test_what_pillow_writes_is_read(self, picture: np.ndarray) -> None:
        data = encoded.saved(picture, "HEIF", quality=91)
        header = read_header(data, Limits())
        assert (header.format, header.size) == ("heif", (217, 149))
        (frame,) = decode(data, header, WHOLE, Limits()).frames
        delta = np.abs(frame.numpy().astype(float) - np.asarray(encoded.opened(data)))
        assert delta.max() <= 1

    def test_a_wide_gamut_becomes_srgb(self) -> None:
        profile = encoded.matrix_profile(colors.DISPLAY_P3, 2.2)
        data = encoded.saved(PHOTO, "HEIF", quality=100, icc_profile=profile)
        (frame,) = decode(data, read_header(data, Limits()), WHOLE, Limits()).frames
        expected = colors.to_srgb(np.asarray(encoded.opened(data)), colors.DISPLAY_P3, 2.2)
        assert np.abs(frame.numpy() - expected).mean() < 1

    @pytest.mark.parametrize("orientation", range(1, 9))
    def test_every_orientation_is_made_upright(self, orientation: int) -> None:
        data = encoded.saved(PHOTO, "HEIF", quality=91, exif=encoded.exif(Orientation=orientation))
        header = read_header(data, Limits())
        (frame,) = decode(data, header, WHOLE, Limits()).frames
        assert (frame.width, frame.height) == header.size
        expected = encoded.pixels(encoded.saved(PHOTO, "PNG", exif=encoded.exif(Orientation=orientation)))
        assert frame.numpy().shape == expected.shape
        assert np.abs(frame.numpy().astype(float) - expected).mean() < 2

    @pytest.mark.parametrize("share", [0.02, 0.2, 0.5, 0.9])
    def test_a_truncated_file_is_refused(self, share: float) -> None:
        data = encoded.saved(PHOTO, "HEIF")
        with pytest.raises(UndecodableImage, match="HEIF image is damaged"):
            decode_heif(data[: int(len(data) * share)])

    def test_a_file_without_a_picture_is_refused(self) -> None:
        with pytest.raises(UndecodableImage):
            heif_size(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic")


def test_it_can_be_switched_off() -> None:
    with pytest.raises(UnsupportedFormat) as caught:
        read_header(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", Limits(), is_heic_enabled=False)
    assert caught.value.status == 400


def test_without_the_extra_it_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    heif.is_heic_available.cache_clear()
    heif._library.cache_clear()
    try:
        monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
        with pytest.raises(UnsupportedFormat):
            read_header(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", Limits())
        with pytest.raises(UnsupportedFormat):
            encode_heif(PHOTO, 60, None)
    finally:
        monkeypatch.undo()
        heif.is_heic_available.cache_clear()
        heif._library.cache_clear()
