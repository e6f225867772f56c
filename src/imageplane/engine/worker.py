"""The engine process: it decodes one image at a time, and may die of it.

Started by the pool as `python -P -m imageplane.engine.worker <socket> <slot> <memory in bytes> <parent>`.
"""

import faulthandler
import gc
import mmap
import os
import socket
import sys
import traceback
from pathlib import Path
from typing import Any

from imageplane.deadline import Deadline
from imageplane.engine.limits import confine, is_want_of_memory
from imageplane.engine.wire import Answer, Channel, Disconnected, Order, packed_answer, read_order
from imageplane.errors import ImageplaneError, InternalError, RequestError, TooLarge, UndecodableImage

MAX_ORDER_IN_BYTES = 100_000_000
TAKEN = b""


def out_of_memory(detail: str) -> TooLarge:
    """Give the error for work that needs more memory than an engine may have."""
    return TooLarge("The work on this image needs more memory than is allowed.", detail=detail)


def prepare() -> None:
    """Load the craft and tie libvips down, so that the first image doesn't wait for it."""
    import pyvips  # noqa: PLC0415

    import imageplane.pipeline  # noqa: F401, PLC0415
    from imageplane.operations import catalog  # noqa: PLC0415

    catalog()
    pyvips.cache_set_max(0)
    pyvips.block_untrusted_set(True)  # noqa: FBT003
    gc.collect()
    gc.freeze()


def serve(channel: Channel, slot: int) -> None:
    """Say that this engine is ready, then take orders and answer them until the pool hangs up."""
    channel.send(packed_answer(Answer()))
    while True:
        try:
            order = read_order(channel.receive(MAX_ORDER_IN_BYTES))
            channel.send(TAKEN)
            channel.send(_packed(order, slot))
            del order
            # Images hang in reference cycles with their callbacks; left to itself, Python keeps hundreds of megabytes.
            gc.collect()
        except Disconnected:
            return


def _packed(order: Order, slot: int) -> bytes:
    try:
        return packed_answer(Answer(_do(order, slot)))
    except UndecodableImage as error:
        # libvips reports refused memory like any other fault of the file.
        is_memory = is_want_of_memory(error.detail or error.message)
        return packed_answer(Answer(error=out_of_memory(error.detail or error.message) if is_memory else error))
    except ImageplaneError as error:
        return packed_answer(Answer(error=error))
    except MemoryError:
        return packed_answer(Answer(error=out_of_memory(traceback.format_exc())))
    except Exception:
        return packed_answer(Answer(error=InternalError("Something went wrong here.", detail=traceback.format_exc())))


def _do(order: Order, slot: int) -> Any:
    return order.function(_source(order, slot), *order.arguments, Deadline(order.expires_at))


def _source(order: Order, slot: int) -> bytes | mmap.mmap:
    if order.path is None:
        return _mapped(slot, order.size_in_bytes)
    try:
        with Path(order.path).open("rb") as file:
            return _mapped(file.fileno(), os.fstat(file.fileno()).st_size)
    except OSError as error:
        reason = (error.strerror or "unknown reason").lower()
        raise RequestError(f"The source can't be read: {reason}.", detail=str(error)) from error


def _mapped(descriptor: int, size_in_bytes: int) -> bytes | mmap.mmap:
    # Nothing can't be mapped.
    return mmap.mmap(descriptor, size_in_bytes, access=mmap.ACCESS_READ) if size_in_bytes else b""


def main() -> None:
    """Run this process as an engine."""
    end, slot, memory_in_bytes, parent_id = map(int, sys.argv[1:5])
    confine(memory_in_bytes, parent_id)
    # The stack of a crash becomes the last words of this engine, for the log.
    faulthandler.enable()
    prepare()
    serve(Channel(socket.socket(fileno=end)), slot)


if __name__ == "__main__":
    main()
