"""Nothing of a source but its pixels reaches a result; with the setting, artist and copyright do."""

import struct
from typing import Any

import colors
import encoded
import pictures
import pytest
from absent import NO_HEIC
from PIL import Image, TiffImagePlugin

from imageplane.codecs.formats import FORMATS, OutputFormat
from imageplane.codecs.heif import is_heic_available
from imageplane.deadline import Deadline
from imageplane.operations import parse
from imageplane.pipeline import Options, Output, execute

PHOTO = pictures.photo()
MARK = b"LEAK"
FORMAT_NAMES = [name for name in FORMATS if name != "heif" or is_heic_available()]


def block() -> bytes:
    """Give EXIF with a place, a camera, a person and their rights."""
    exif = Image.Exif()
    for tag in (0x010E, 0x010F, 0x0110, 0x0131):
        exif[tag] = "LEAK camera"
    exif[encoded.ARTIST], exif[encoded.COPYRIGHT] = "Ada Byron", "1843 Lovelace"
    exif[encoded.ORIENTATION] = 6
    ratio = TiffImagePlugin.IFDRational
    exif.get_ifd(0x8769).update({0x9286: b"LEAK comment", 0xA430: "LEAK owner", 0xA431: "LEAK serial"})
    exif.get_ifd(0x8825).update(
        {1: "N", 2: (ratio(52), ratio(30), ratio(17)), 3: "E", 4: (ratio(13), ratio(24), ratio(7)), 0x1D: "LEAK gps"}
    )
    return exif.tobytes()


XMP = b"<x:xmpmeta xmlns:x='adobe:ns:meta/'><rdf>LEAK xmp</rdf></x:xmpmeta>"
PROFILE = encoded.matrix_profile(colors.DISPLAY_P3, 2.2).replace(b"test", MARK)


def iptc() -> bytes:
    """Give an IPTC record in a Photoshop segment."""
    record = b"\x1c\x02\x78" + struct.pack(">H", 9) + b"LEAK iptc"
    resource = b"8BIM\x04\x04\0\0" + struct.pack(">I", len(record)) + record + bytes(len(record) % 2)
    payload = b"Photoshop 3.0\0" + resource
    return b"\xff\xed" + struct.pack(">H", len(payload) + 2) + payload


def source(kind: str) -> bytes:
    """Give a picture with everything in it that its format can carry."""
    options: dict[str, Any] = {"exif": block(), "icc_profile": PROFILE}
    if kind in ("JPEG", "WEBP", "AVIF", "PNG", "HEIF"):
        options["xmp"] = XMP
    if kind == "JPEG":
        options["comment"] = b"LEAK jpeg comment"
    if kind == "PNG":
        from PIL.PngImagePlugin import PngInfo  # noqa: PLC0415

        options["pnginfo"] = PngInfo()
        options["pnginfo"].add_text("Comment", "LEAK png text")
        options["pnginfo"].add_itxt("XML:com.adobe.xmp", XMP.decode())
    if kind == "GIF":
        options = {"comment": b"LEAK gif comment"}
    data = encoded.saved(PHOTO, kind, **options)
    return data[:2] + iptc() + data[2:] if kind == "JPEG" else data


SOURCES = ["JPEG", "PNG", "WEBP", "AVIF", "TIFF", "GIF"] + (["HEIF"] if is_heic_available() else [])


@pytest.fixture(autouse=True)
def heif() -> None:
    """Let Pillow read and write HEIF where the extra is installed."""
    if is_heic_available():
        pytest.importorskip("pillow_heif", reason=NO_HEIC).register_heif_opener()


def result(kind: str, name: OutputFormat | None, *operations: dict[str, Any], keep_copyright: bool = False) -> bytes:
    # GIF is no format of `convert`, so it is only reached from itself.
    raw = [*operations, *([{"type": "convert", "format": name}] if name and name != "gif" else [])]
    done = execute(source(kind), [Output("a", parse(raw)[0])], Options(keep_copyright=keep_copyright), Deadline())
    return done.pictures[0].data


PAIRS = [(kind, name) for kind in SOURCES for name in FORMAT_NAMES if name != "gif" or kind == "GIF"]
OPERATIONS = [[], [{"type": "resize", "width_in_px": 121, "height_in_px": 83, "fit": "fill"}, {"type": "flip"}]]


@pytest.mark.parametrize("kind", SOURCES)
def test_the_sources_carry_what_is_looked_for(kind: str) -> None:
    data = source(kind)
    assert data.count(MARK) >= 1
    if kind not in ("GIF", "PNG"):
        assert b"LEAK gps" in data
        assert data.count(MARK) >= 7


@pytest.mark.parametrize("operations", OPERATIONS, ids=["as-is", "changed"])
@pytest.mark.parametrize(("kind", "name"), PAIRS)
def test_nothing_survives(kind: str, name: OutputFormat, operations: list[dict[str, Any]]) -> None:
    data = result(kind, name, *operations)
    assert MARK not in data
    for word in (b"Ada Byron", b"1843", b"GPS", b"Exif\0\0", b"http://ns.adobe.com", b"xmpmeta", b"8BIM", b"Photoshop"):
        assert word not in data
    opened = encoded.opened(data)
    assert not dict(opened.getexif())
    assert not {"icc_profile", "xmp", "comment", "exif", "photoshop"} & {
        key for key, value in opened.info.items() if value
    }


@pytest.mark.parametrize("operations", OPERATIONS, ids=["as-is", "changed"])
@pytest.mark.parametrize(("kind", "name"), [pair for pair in PAIRS if "GIF" not in pair and "gif" not in pair])
def test_with_the_setting_artist_and_copyright_survive(
    kind: str, name: OutputFormat, operations: list[dict[str, Any]]
) -> None:
    data = result(kind, name, *operations, keep_copyright=True)
    assert MARK not in data
    exif = encoded.opened(data).getexif()
    assert exif[encoded.ARTIST].strip() == "Ada Byron"
    assert exif[encoded.COPYRIGHT].strip() == "1843 Lovelace"
    # A picture that was made upright must not be turned again.
    assert exif.get(encoded.ORIENTATION, 1) == 1
    # What libvips adds is plain structure: resolution and versions.
    structure = {encoded.ORIENTATION, 0x011A, 0x011B, 0x0128, 0x8769, 0x0213}
    assert set(exif) <= {encoded.ARTIST, encoded.COPYRIGHT, *structure}
    assert not exif.get_ifd(0x8825)
    assert set(exif.get_ifd(0x8769)) <= {0x9000, 0x9101, 0xA000, 0xA001, 0xA002, 0xA003}


def test_keeping_copyright_of_a_picture_that_has_none_keeps_nothing() -> None:
    done = execute(encoded.saved(PHOTO, "JPEG"), [Output("a", ())], Options(keep_copyright=True), Deadline())
    assert not dict(encoded.opened(done.pictures[0].data).getexif())


def test_a_compressed_result_carries_nothing_either() -> None:
    data = result("JPEG", "webp", {"type": "compress_to_size", "max_file_size_in_bytes": 2000})
    assert MARK not in data
    assert len(data) <= 2000
