"""The contenders: what each is called, how its process is started, and what it takes to have it."""

import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
_SHARP = Path(__file__).parent / "sharp"


@dataclass(frozen=True, slots=True)
class Peer:
    """One contender.

    Takes: `missing`, which gives why it can't run here and how to get it, or None; `is_engine`, when its process has
    the environment of Imageplane's engines.
    """

    name: str
    label: str
    command: Sequence[str]
    missing: Callable[[], str | None]
    is_engine: bool = False


def _python(module: str, *arguments: str) -> Sequence[str]:
    return (sys.executable, "-m", f"benchmarks.peers.{module}", *arguments)


def _nothing() -> None:
    return None


def _sharp_missing() -> str | None:
    if not (shutil.which("node") and shutil.which("npm")):
        return "node or npm is not installed (Node.js 20 or newer has both; then run this again)"
    if not (_SHARP / "node_modules" / "sharp").is_dir():
        done = subprocess.run(["npm", "ci", "--no-audit", "--no-fund"], cwd=_SHARP, capture_output=True, check=False)
        if done.returncode:
            return "npm could not fetch it (try: cd benchmarks/peers/sharp && npm ci)"
    return None


def _opencv_missing() -> str | None:
    return _import_fault("cv2", "opencv-python-headless")


def _import_fault(module: str, package: str) -> str | None:
    done = subprocess.run([sys.executable, "-c", f"import {module}"], capture_output=True, check=False)
    return f"pip install {package}" if done.returncode else None


def _vipsthumbnail_missing() -> str | None:
    return None if shutil.which("vipsthumbnail") else "the program is not installed (Debian: apt install libvips-tools)"


OURS = "imageplane"
NAIVE = "imageplane_naive"

PEERS: dict[str, Peer] = {
    peer.name: peer
    for peer in (
        Peer(OURS, "Imageplane", _python("in_process"), _nothing, is_engine=True),
        Peer(NAIVE, "Imageplane, naive", _python("in_process", "naive"), _nothing, is_engine=True),
        Peer("sharp", "Sharp", ("node", str(_SHARP / "child.mjs")), _sharp_missing),
        Peer(
            "sharp_matched",
            "Sharp, our encoder effort",
            ("node", str(_SHARP / "child.mjs"), "matched"),
            _sharp_missing,
        ),
        Peer("pillow", "Pillow, draft", _python("pillow_draft"), _nothing),
        Peer("opencv", "OpenCV, reduced", _python("opencv_reduced"), _opencv_missing),
        Peer(
            "vipsthumbnail",
            "vipsthumbnail, start-up included",
            _python("vipsthumbnail"),
            _vipsthumbnail_missing,
        ),
    )
}
