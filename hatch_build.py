"""Compile the parts that are written in C, where there is a compiler; without one the package works all the same."""

import os
import shlex
import shutil
import subprocess
import sysconfig
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

SOURCE = Path("src/imageplane/codecs/native/jpeg_eighth.c")
FLAGS = ["-std=c11", "-O3", "-fPIC", "-shared", "-fstack-protector-strong"]


class CompiledParts(BuildHookInterface):  # type: ignore[type-arg]
    """Put the shared library beside its source, and into the wheel."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile, and name the platform of the wheel if that worked; `version` is the kind of wheel."""
        root = Path(self.root)
        if not _compiled(root):
            self.app.display_warning("No C compiler: thumbnails of JPEGs will take libjpeg-turbo's time.")
            return
        build_data["artifacts"].append(str(SOURCE.with_suffix(".so")))
        build_data["pure_python"] = False
        platform = sysconfig.get_platform().replace("-", "_").replace(".", "_")
        build_data["tag"] = f"py3-none-{platform}"


def _compiled(root: Path) -> bool:
    compiler = os.environ.get("CC") or next(filter(None, map(shutil.which, ("cc", "gcc", "clang"))), None)
    library = root / SOURCE.with_suffix(".so")
    # A library that is in use must not be written over.
    fresh = library.with_suffix(".so.new")
    library.unlink(missing_ok=True)
    if compiler is None:
        return False
    command = [*shlex.split(compiler), *FLAGS, "-o", str(fresh), str(root / SOURCE)]
    if subprocess.run(command, check=False).returncode != 0:
        return False
    fresh.replace(library)
    return True
