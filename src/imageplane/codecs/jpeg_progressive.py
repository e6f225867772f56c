"""Leave out of a progressive JPEG the scans that no pixel of a 1/8 decode can depend on."""

from dataclasses import dataclass

from imageplane.codecs.jpeg_markers import (
    DHT,
    DRI,
    EOI,
    FRAMES,
    PROGRESSIVE,
    SOS,
    Component,
    Frame,
    Segment,
    read_frame,
    segments,
)

_COEFFICIENTS = 64
_LONGEST_RUN_IN_BLOCKS = 32767
_SMALLEST_SIDE_WORTH_IT = 64
# End-of-block runs of class 0 to 14 as fifteen codes of four bits: the symbol's code is its own number.
_END_OF_BLOCK_TABLE = bytes([0xFF, DHT, 0, 19 + 15, 0x10, 0, 0, 0, 15, *[0] * 12, *range(0x00, 0xF0, 0x10)])
_NO_RESTARTS = bytes([0xFF, DRI, 0, 4, 0, 0])


@dataclass(frozen=True, slots=True)
class _Scan:
    segment: Segment
    components: tuple[int, ...]
    first: int
    last: int
    high_bit: int
    low_bit: int


def without_luma_detail(data: bytes) -> bytes | None:
    """Rewrite a progressive JPEG so that a decode at 1/8 gives the same pixels from fewer scans.

    Gives: a complete JPEG file, or `None` where the layout is not one that is known to be safe: not progressive,
    no end marker (truncated), coefficients left unfinished, nothing to leave out, or too small to gain.

    Method: at 1/8 libjpeg needs the AC coefficients only of components that it decodes at 2×2 or more, which are
    those that upsampling would otherwise have to enlarge (chroma of 4:2:0). For all others the AC scans are left
    out, and one scan of nothing but end-of-block runs (ITU-T T.81, G.1.2.2) takes their place: without it libjpeg
    would take the coefficients for not yet arrived and smooth between blocks.
    """
    frame = read_frame(data)
    if frame is None or frame.marker != PROGRESSIVE or min(frame.width, frame.height) < _SMALLEST_SIDE_WORTH_IT:
        return None
    parts = list(segments(data))
    if not parts or parts[-1].marker != EOI or sum(part.marker in FRAMES for part in parts) != 1:
        return None
    scans = [_scan(part) for part in parts if part.marker == SOS]
    flat = {c.identifier: c for c in frame.components if _needs_dc_only(c, frame)}
    unseen = [scan for scan in scans if scan and scan.first > 0 and set(scan.components) <= flat.keys()]
    if None in scans or not unseen or not _sent_whole(unseen, set(flat)):
        return None
    dropped = {scan.segment.start for scan in unseen}
    kept = [data[part.start : part.end] for part in parts[:-1] if part.start not in dropped]
    blank = [_blank_scan(component, frame) for component in flat.values()]
    return b"".join([b"\xff\xd8", *kept, _NO_RESTARTS, _END_OF_BLOCK_TABLE, *blank, b"\xff\xd9"])


def _scan(segment: Segment) -> _Scan | None:
    payload = segment.payload
    if not payload or len(payload) != 4 + 2 * payload[0]:
        return None
    first, last, bits = payload[-3:]
    return _Scan(segment, tuple(payload[1:-3:2]), first, last, bits >> 4, bits & 15)


def _needs_dc_only(component: Component, frame: Frame) -> bool:
    # libjpeg doubles a component's block while both of its sides still divide the largest component's.
    across = frame.largest_horizontal % (2 * component.horizontal)
    down = frame.largest_vertical % (2 * component.vertical)
    return bool(across or down)


def _sent_whole(scans: list[_Scan], components: set[int]) -> bool:
    """Tell whether every AC coefficient arrives to its last bit, each scan refining what came before."""
    low_bits = {component: [-1] * _COEFFICIENTS for component in components}
    for scan in scans:
        if len(scan.components) != 1 or not scan.first <= scan.last < _COEFFICIENTS:
            return False
        bits = low_bits[scan.components[0]]
        expected = scan.high_bit or -1
        if any(bits[k] != expected for k in range(scan.first, scan.last + 1)):
            return False
        bits[scan.first : scan.last + 1] = [scan.low_bit] * (scan.last + 1 - scan.first)
    return all(bit == 0 for bits in low_bits.values() for bit in bits[1:])


def _blank_scan(component: Component, frame: Frame) -> bytes:
    across = -(-_samples(frame.width, component.horizontal, frame.largest_horizontal) // 8)
    down = -(-_samples(frame.height, component.vertical, frame.largest_vertical) // 8)
    header = bytes([0xFF, SOS, 0, 8, 1, component.identifier, 0x00, 1, _COEFFICIENTS - 1, 0x00])
    return header + _end_of_block_runs(across * down)


def _samples(full: int, own: int, largest: int) -> int:
    return -(-full * own // largest)


def _end_of_block_runs(blocks: int) -> bytes:
    bits = []
    while blocks:
        run = min(blocks, _LONGEST_RUN_IN_BLOCKS)
        run_class = run.bit_length() - 1
        # A run is its class, then the bits below its leading one.
        bits.append(f"{run_class:04b}" + (f"{run - (1 << run_class):0{run_class}b}" if run_class else ""))
        blocks -= run
    text = "".join(bits)
    text += "1" * (-len(text) % 8)
    return int(text, 2).to_bytes(len(text) // 8, "big").replace(b"\xff", b"\xff\x00")
