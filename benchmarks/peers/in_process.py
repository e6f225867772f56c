"""Imageplane as a library, set up as in its engines; with the argument `naive`, without its planner."""

import importlib.metadata
import sys

import pyvips

from benchmarks.peers.child import Upload, serve
from imageplane.deadline import Deadline
from imageplane.engine.worker import prepare
from imageplane.operations import parse
from imageplane.pipeline import Options, Output, execute

_OPTIONS = Options()
_IS_NAIVE = "naive" in sys.argv[1:]


def make(upload: Upload) -> list[bytes]:
    """Do all requests in one execution, from operations as on the wire."""
    outputs = [Output(str(index), parse(request)[0]) for index, request in enumerate(upload.requests)]
    done = execute(upload.data, outputs, _OPTIONS, Deadline(), is_naive=_IS_NAIVE)
    return [picture.data for picture in done.pictures]


if __name__ == "__main__":
    prepare()
    libvips = ".".join(str(pyvips.version(part)) for part in range(3))
    serve(
        make, {"imageplane": importlib.metadata.version("imageplane"), "pyvips": pyvips.__version__, "libvips": libvips}
    )
