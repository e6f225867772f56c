"""Peers that need packages of their own: a child process in an environment that is made for them."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from benchmarks.eval.keeping import largest
from benchmarks.eval.truth import Photo
from benchmarks.peers import ROOT
from imageplane.pixels.crop import Window
from imageplane.pixels.geometry import Size

_FOLDER = ROOT / "build" / "eval" / "peers"
# OpenCV 5 left its Haar cascades out.
_PACKAGES = ("smartcrop==0.5.0", "opencv-python-headless>=4.10,<5", "pillow>=11", "numpy>=2")


class Scratch:
    """The child process; one photo and shape at a time."""

    def __init__(self, python: Path) -> None:
        self._child = subprocess.Popen(
            [python, Path(__file__).parent / "scratch_child.py"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    @classmethod
    def made(cls) -> "Scratch | None":
        """Give the child in its environment, which is made when it is not there; None when that can't be."""
        python = _FOLDER / "bin" / "python"
        uv = shutil.which("uv") or str(Path(sys.executable).parent / "uv")
        steps = (
            [uv, "venv", "--quiet", "--allow-existing", "--python", sys.executable, str(_FOLDER)],
            [uv, "pip", "install", "--quiet", "--python", str(python), *_PACKAGES],
        )
        try:
            for step in steps:
                subprocess.run(step, check=True, capture_output=True)
        except (OSError, subprocess.CalledProcessError):
            return None
        return cls(python)

    def crop(self, peer: str) -> Callable[[Photo, Size], Window]:
        """Give what asks one of the peers for a window."""

        def ask(photo: Photo, shape: Size) -> Window:
            window = largest(photo.size, shape)
            return self._answer({"peer": peer, "photo": str(photo.path), "size": window, "shape": shape})

        return ask

    def _answer(self, order: dict[str, object]) -> Window:
        assert self._child.stdin is not None  # noqa: S101
        assert self._child.stdout is not None  # noqa: S101
        print(json.dumps(order), file=self._child.stdin, flush=True)
        return Window(*json.loads(self._child.stdout.readline()))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._child.stdin is not None  # noqa: S101
        self._child.stdin.close()
        self._child.wait()
