"""The two tags that may be kept are read from every format and written alone."""

import encoded
import pictures
import pytest
from absent import NO_HEIC

from imageplane.codecs.exif import copyright_of, exif_block
from imageplane.codecs.heif import is_heic_available
from imageplane.codecs.sniff import sniff

PHOTO = pictures.photo(31, 17)
TEXTS = ["plain", "a, b (c)", "twice (twice)", "1, ASCII, 2 components, 3 bytes)", "x" * 900]


def found(data: bytes) -> dict[int, str]:
    kind = sniff(data)
    assert kind is not None
    return dict(copyright_of(data, kind))


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "AVIF", "TIFF", "HEIF"])
def test_they_are_read_from_every_format(kind: str) -> None:
    if kind == "HEIF":
        if not is_heic_available():
            pytest.skip(NO_HEIC)
        pytest.importorskip("pillow_heif", reason=NO_HEIC).register_heif_opener()
    exif = encoded.exif(Artist="Ada (L) Byron", Copyright="(c) 1843, all rights", ImageDescription="secret")
    assert found(encoded.saved(PHOTO, kind, exif=exif)) == {
        encoded.ARTIST: "Ada (L) Byron",
        encoded.COPYRIGHT: "(c) 1843, all rights",
    }


@pytest.mark.parametrize("text", TEXTS)
def test_any_text_is_read_whole_and_written_whole(text: str) -> None:
    block = exif_block(((encoded.ARTIST, text),))
    assert block is not None
    assert found(encoded.saved(PHOTO, "JPEG", exif=block)) == {encoded.ARTIST: text}


@pytest.mark.parametrize("text", ["", "   ", "\0"])
def test_an_empty_tag_is_none(text: str) -> None:
    assert found(encoded.saved(PHOTO, "JPEG", exif=encoded.exif(Artist=text))) == {}


@pytest.mark.parametrize("kind", ["GIF", "BMP"])
def test_some_formats_have_none(kind: str) -> None:
    assert found(encoded.saved(PHOTO, kind)) == {}


@pytest.mark.filterwarnings("ignore:Corrupt EXIF")
def test_broken_metadata_names_none() -> None:
    exif = encoded.exif(Artist="Ada")
    for broken in (b"Exif\0\0", b"Exif\0\0MM\0*\xff\xff\xff\xff", exif[:20], exif[:-4], b"Exif\0\0" + b"junk" * 9):
        assert isinstance(found(encoded.saved(PHOTO, "JPEG", exif=broken)), dict)


def test_nothing_kept_is_no_block() -> None:
    assert exif_block(()) is None
