"""The engine process: it decodes one image at a time, and may die of it.

Started by the pool as `python -P -m imageplane.engine.worker <socket> <slot> <parent>`.
"""

import contextlib
import ctypes
import faulthandler
import gc
import mmap
import os
import socket
import sys
import traceback
from collections.abc import Callable
from typing import Any

from imageplane.deadline import Deadline
from imageplane.engine.confinement import confine
from imageplane.engine.deaths import out_of_memory
from imageplane.engine.limits import bind_to_parent, is_want_of_memory, limit
from imageplane.engine.terms import Outfit
from imageplane.engine.wire import Answer, Channel, Disconnected, Order, packed_answer, read_order, read_terms
from imageplane.errors import ImageplaneError, InternalError, RequestError, UndecodableImage

MAX_ORDER_IN_BYTES = 100_000_000
TAKEN = b""
_NICENESS = 5


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


def serve(channel: Channel, slot: int, outfit: Outfit) -> None:
    """Take orders and answer them until the pool hangs up; rest once whenever none came for a while."""
    while True:
        try:
            if not channel.has_news(outfit.idle_after_in_s):
                _rest(outfit.on_idle)
            order = read_order(channel.receive(MAX_ORDER_IN_BYTES))
            channel.send(TAKEN)
            channel.send(_packed(order, channel, slot))
            del order
            # Images hang in reference cycles with their callbacks; left to itself, Python keeps hundreds of megabytes.
            gc.collect()
        except Disconnected:
            return


def _rest(on_idle: Callable[[], object] | None) -> None:
    if on_idle is not None:
        try:
            on_idle()
        except Exception:
            # Last words are all that an engine can say of itself, and this is no reason to die.
            traceback.print_exc()
    gc.collect()
    # Only glibc keeps what was freed, and only there is this function.
    with contextlib.suppress(AttributeError):
        ctypes.CDLL(None).malloc_trim(0)


def _packed(order: Order, channel: Channel, slot: int) -> bytes:
    try:
        return packed_answer(Answer(_do(order, channel, slot)))
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


def _do(order: Order, channel: Channel, slot: int) -> Any:
    return order.function(_source(order, channel, slot), *order.arguments, Deadline(order.expires_at))


def _source(order: Order, channel: Channel, slot: int) -> bytes | mmap.mmap:
    if not order.is_file:
        return _mapped(slot, order.size_in_bytes)
    descriptor = channel.receive_descriptor()
    try:
        return _mapped(descriptor, order.size_in_bytes)
    except (OSError, ValueError) as error:
        raise RequestError("The source can't be read: it changed just now.", detail=str(error)) from error
    finally:
        os.close(descriptor)


def _mapped(descriptor: int, size_in_bytes: int) -> bytes | mmap.mmap:
    # Nothing can't be mapped.
    return mmap.mmap(descriptor, size_in_bytes, access=mmap.ACCESS_READ) if size_in_bytes else b""


def main() -> None:
    """Run this process as an engine."""
    end, slot, parent_id = map(int, sys.argv[1:4])
    bind_to_parent(parent_id)
    # Who speaks with callers comes first; it needs little, and what it needs it needs at once.
    os.nice(_NICENESS)
    channel = Channel(socket.socket(fileno=end))
    terms = read_terms(channel.receive(MAX_ORDER_IN_BYTES))
    limit(terms.memory_in_bytes)
    # The stack of a crash becomes the last words of this engine, for the log.
    faulthandler.enable()
    prepare()
    outfit = terms.outfit
    confinement = confine(outfit.readable) if outfit.confined else "nothing: it is switched off"
    channel.send(packed_answer(Answer(confinement)))
    serve(channel, slot, outfit)


if __name__ == "__main__":
    main()
