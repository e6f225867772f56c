"""The marker segments of a JPEG file: frame, scans and their places, read without decoding a pixel."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Final

SOI, EOI, SOS, DQT, DHT, DRI, APP14 = 0xD8, 0xD9, 0xDA, 0xDB, 0xC4, 0xDD, 0xEE
# Every start-of-frame marker: 0xC0 to 0xCF without DHT, JPG and DAC.
FRAMES = frozenset(range(0xC0, 0xD0)) - {DHT, 0xC8, 0xCC}
BASELINE, EXTENDED, PROGRESSIVE = 0xC0, 0xC1, 0xC2

# Entropy-coded data ends at a marker that is neither a stuffed zero, nor a restart, nor a fill byte.
_END_OF_ENTROPY = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
_NO_FILL = re.compile(rb"[^\xff]")
# More than any camera or program writes: what has more of either is no file that is worth the time.
_MOST_FILL_IN_BYTES: Final = 64
_MOST_BEFORE_FRAME: Final = 1_000
_STANDALONE = frozenset({0x01, *range(0xD0, 0xD9)})


@dataclass(frozen=True, slots=True)
class Segment:
    """One marker with its payload; `start` and `end` frame the whole of it, entropy-coded data included."""

    marker: int
    start: int
    end: int
    payload: bytes


@dataclass(frozen=True, slots=True)
class Component:
    """One plane of a frame and its sampling factors, relative to the largest of the frame."""

    identifier: int
    horizontal: int
    vertical: int


@dataclass(frozen=True, slots=True)
class Frame:
    """What the start-of-frame segment says; `height_at` is where the height's two bytes lie in the file."""

    marker: int
    precision_in_bits: int
    width: int
    height: int
    height_at: int
    components: tuple[Component, ...]

    @property
    def largest_horizontal(self) -> int:
        return max(component.horizontal for component in self.components)

    @property
    def largest_vertical(self) -> int:
        return max(component.vertical for component in self.components)


def segments(data: bytes) -> Iterator[Segment]:
    """Walk the segments after SOI, up to and with EOI; ends early, without an error, where the file is broken."""
    at = 2 if data[:2] == b"\xff\xd8" else len(data)
    while at + 2 <= len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if marker == 0xFF:
            found = _NO_FILL.search(data, at, at + _MOST_FILL_IN_BYTES)
            if found is None:
                return
            at = found.start() - 1
        elif marker == EOI:
            yield Segment(EOI, at, at + 2, b"")
            return
        elif marker in _STANDALONE:
            at += 2
        else:
            segment = _sized_segment(data, at, marker)
            if segment is None:
                return
            yield segment
            at = segment.end


def read_frame(data: bytes) -> Frame | None:
    """Read the frame header, or nothing where there is no sound one before the first scan, or not soon."""
    for segment in islice(segments(data), _MOST_BEFORE_FRAME):
        if segment.marker in FRAMES:
            return _frame(segment)
        if segment.marker == SOS:
            return None
    return None


def _sized_segment(data: bytes, at: int, marker: int) -> Segment | None:
    length = int.from_bytes(data[at + 2 : at + 4], "big")
    end = at + 2 + length
    if length < 2 or end > len(data):
        return None
    payload = data[at + 4 : end]
    if marker == SOS:
        found = _END_OF_ENTROPY.search(data, end)
        end = found.start() if found else len(data)
    return Segment(marker, at, end, payload)


def _frame(segment: Segment) -> Frame | None:
    payload = segment.payload
    if len(payload) < 6 or len(payload) < 6 + 3 * payload[5]:
        return None
    components = tuple(
        Component(payload[at], payload[at + 1] >> 4, payload[at + 1] & 15) for at in range(6, 6 + 3 * payload[5], 3)
    )
    if not components or any(c.horizontal not in range(1, 5) or c.vertical not in range(1, 5) for c in components):
        return None
    height, width = int.from_bytes(payload[1:3], "big"), int.from_bytes(payload[3:5], "big")
    if not height or not width:
        return None
    return Frame(segment.marker, payload[0], width, height, segment.start + 5, components)
