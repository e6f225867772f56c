"""A body that is read straight into its place is handed over whole, and nothing of it stays behind."""

import asyncio
import sys

from imageplane.http.whole_body import WholeBody


def test_what_was_handed_over_is_not_kept() -> None:
    complete: list[bool] = []
    body = WholeBody([b"first ", b"pieces "], 21, asyncio.Protocol(), lambda: complete.append(True))
    for piece in (b"and", b" ", b"rest"):
        body.get_buffer(-1)[: len(piece)] = piece
        body.buffer_updated(len(piece))
    assert complete == [True]
    data = bytes(body)
    assert data == b"first pieces and rest"
    # As many as of bytes that nobody else ever had: what read last is kept by its transport.
    own = bytes(bytearray(data))
    assert sys.getrefcount(data) == sys.getrefcount(own)
    assert bytes(body) == b""
