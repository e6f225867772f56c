"""The `vipsthumbnail` program, one process a picture; it has no sharpening and converts no profile here."""

import subprocess
import tempfile
from pathlib import Path

from benchmarks.peers.child import NotAvailableError, Upload, serve

_SUFFIX = {"webp": ".webp", "jpeg": ".jpg", "avif": ".avif"}


def make(upload: Upload) -> list[bytes]:
    """Run the program for every picture; what is measured is its whole life."""
    if any(wanted["sigma"] is not None for wanted in upload.wanted):
        raise NotAvailableError("has no sharpening")
    files = []
    with tempfile.TemporaryDirectory() as folder:
        for wanted in upload.wanted:
            target = Path(folder) / f"made{_SUFFIX[wanted['format']]}"
            size = f"{wanted['width_in_px']}x{wanted['height_in_px']}"
            command = ["vipsthumbnail", upload.path, "--vips-concurrency=1", "--size", size, "--smartcrop", "centre"]
            options = f"{target}[Q={wanted['quality']},strip]"
            done = subprocess.run([*command, "-o", options], capture_output=True, check=False)
            if done.returncode or not target.exists():
                raise NotAvailableError("can't read or write this format")
            files.append(target.read_bytes())
    return files


def _version() -> str:
    done = subprocess.run(["vipsthumbnail", "--version"], capture_output=True, text=True, check=True)
    return done.stdout.strip().removeprefix("vips-")


if __name__ == "__main__":
    serve(make, {"vipsthumbnail": _version()}, of_children=True)
