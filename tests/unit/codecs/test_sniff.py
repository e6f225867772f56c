"""The format is told by the bytes alone."""

import mmap
import tempfile

import encoded
import pictures
import pytest

from imageplane.codecs.sniff import sniff

PHOTO = pictures.photo(31, 17)

FILES = {
    "jpeg": encoded.saved(PHOTO, "JPEG"),
    "png": encoded.saved(PHOTO, "PNG"),
    "webp": encoded.saved(PHOTO, "WEBP"),
    "gif": encoded.saved(PHOTO, "GIF"),
    "avif": encoded.saved(PHOTO, "AVIF"),
    "tiff": encoded.saved(PHOTO, "TIFF"),
    "bmp": encoded.saved(PHOTO, "BMP"),
    "svg": b'<svg xmlns="http://www.w3.org/2000/svg" width="31" height="17"/>',
}


def box(major: bytes, *compatible: bytes) -> bytes:
    payload = b"ftyp" + major + bytes(4) + b"".join(compatible)
    return (len(payload) + 4).to_bytes(4, "big") + payload


@pytest.mark.parametrize("name", FILES)
def test_what_pillow_writes_is_known(name: str) -> None:
    assert sniff(FILES[name]) == name


@pytest.mark.parametrize("name", FILES)
def test_a_mapped_file_is_read_like_bytes(name: str) -> None:
    with tempfile.TemporaryFile() as file:
        file.write(FILES[name])
        file.flush()
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
            assert sniff(mapped) == name  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (b"GIF87a" + bytes(20), "gif"),
        (b"MM\0*" + bytes(20), "tiff"),
        (b"II+\0" + bytes(20), "tiff"),
        (box(b"avif"), "avif"),
        (box(b"avis", b"avif", b"msf1"), "avif"),
        (box(b"mif1", b"miaf", b"avif"), "avif"),
        (box(b"heic", b"mif1"), "heif"),
        (box(b"heix"), "heif"),
        (box(b"mif1", b"heic"), "heif"),
        (box(b"msf1", b"hevc"), "heif"),
        (box(b"mif1"), "heif"),
        (box(b"isom", b"mp42"), None),
        (b"RIFF\x24\0\0\0WAVEfmt ", None),
        (b"\xff\xd8", None),
        (b"", None),
        (b"\0", None),
        (b"%PDF-1.7", None),
        (b"<html><body><svg/></body></html>", None),
        (b"P6 2 2 255 ............", None),
        (b"\x76\x2f\x31\x01" + bytes(20), None),
        (b"\xff\x0a" + bytes(20), None),
        (b"8BPS" + bytes(20), None),
        (bytes(4) + b"ftyp", None),
        (b"\xff\xff\xff\xffftypjunk" + bytes(300), None),
    ],
)
def test_signatures(data: bytes, found: str | None) -> None:
    assert sniff(data) == found
