"""Files that are made to hurt: bombs of a folder or made here, and pictures whose decoders were sabotaged."""

import csv
import io
import itertools
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from PIL import Image

from benchmarks.peers import ROOT

FOLDER: Final = ROOT.parent / "shared" / "corpus" / "odd"
# What `tests/misdeeds.py` can do, and how an engine that did it has to be spoken of.
DEEDS: Final = {
    "segfault": {422},
    "abort": {422},
    "leave": {422},
    "hang_in_c": {422, 503, 504},
    "fill_memory": {413, 422},
}
_SIDE_IN_PX: Final = 60_000
_TIMES: Final = 4


@dataclass(frozen=True, slots=True)
class Bomb:
    """A file that is to be refused. Takes: `may_pass`, when a picture would be right too."""

    name: str
    data: bytes
    may_pass: bool = False


def bombs(folder: Path) -> list[Bomb]:
    """Give those of a folder with a manifest, or a few made here."""
    manifest = folder / "MANIFEST.tsv"
    if not manifest.is_file():
        return list(_made())
    with manifest.open(newline="") as lines:
        rows = [row for row in csv.DictReader(lines, delimiter="\t") if "4xx" in row["expected"]]
    return [
        Bomb(row["file"], (folder / row["file"]).read_bytes(), not row["expected"].startswith("refuse")) for row in rows
    ]


def _made() -> Iterator[Bomb]:
    head = struct.pack(">IIBBBBB", _SIDE_IN_PX, _SIDE_IN_PX, 8, 0, 0, 0, 0)
    rows = zlib.compress(bytes(1_000_000))
    chunks = [(b"IHDR", head), (b"IDAT", rows), (b"IEND", b"")]
    png = b"".join(struct.pack(">I", len(body)) + name + body + _sum(name + body) for name, body in chunks)
    yield Bomb("3,600 megapixels.png", b"\x89PNG\r\n\x1a\n" + png)
    laughs = '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"><rect id="a0"/>'
    for number in range(1, 30):
        laughs += f'<g id="a{number}">' + f'<use xlink:href="#a{number - 1}"/>' * 10 + "</g>"
    yield Bomb("laughs.svg", (laughs + "</svg>").encode(), may_pass=True)
    yield Bomb("nothing.jpg", b"\xff\xd8\xff\xe0" + bytes(100))


def _sum(data: bytes) -> bytes:
    return struct.pack(">I", zlib.crc32(data))


def crashers() -> Iterator[tuple[str, bytes]]:
    """Give for ever a deed and a picture that has a decoder do it; some come several times."""
    with io.BytesIO() as file:
        Image.new("RGB", (640, 480), (90, 120, 30)).save(file, "JPEG")
        picture = file.getvalue()
    for number in itertools.count():
        for deed in DEEDS:
            # Each comes several times: a file that brought engines down twice is refused from then on.
            yield deed, picture + f"chaos:{deed}:{number // _TIMES}".encode()
