"""Make thumbnails of a real photo with the command that users run, and say where they are."""

import argparse
import json
import shlex
import subprocess
import sys
from importlib.resources import files
from pathlib import Path

OUTPUTS = [
    {"name": name, "operations": [{"type": "smart_crop", "width_in_px": width, "height_in_px": height},
                                  {"type": "sharpen", "sigma": 0.5},
                                  {"type": "convert", "format": "webp", "quality": 85}]}
    for name, width, height in (("avatar", 200, 200), ("card", 400, 300), ("social", 504, 264))
]  # fmt: skip


def main() -> int:
    """Run the command on the photo; gives its exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="where the thumbnails go")
    folder: Path = parser.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    photo = folder / "astronaut.png"
    # NASA's portrait of Eileen Collins, in the public domain, comes with scikit-image.
    photo.write_bytes(files("skimage").joinpath("data", "astronaut.png").read_bytes())
    sizes = folder / "sizes.json"
    sizes.write_text(json.dumps(OUTPUTS, indent=1), "utf-8")
    program = Path(sys.executable).with_name("imageplane")
    arguments = ["transform", str(photo), "-o", f"{folder}/", "--outputs", f"@{sizes}"]
    status = subprocess.run([program, *arguments], check=False).returncode  # noqa: S603 - our own program
    if status == 0:
        print(f"\nMade from {photo}:")
        for output in OUTPUTS:
            name = output["name"]
            print(f"  {folder / f'astronaut.{name}.webp'}")
        print(f"\nThe same by hand:\n  .venv/bin/imageplane {shlex.join(arguments)}")
    return status


if __name__ == "__main__":
    sys.exit(main())
