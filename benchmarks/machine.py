"""What a measurement was made on: machine, load and versions, without a name or path that would tell where."""

import importlib.metadata
import os
import platform
import subprocess
from pathlib import Path
from typing import Any

import psutil

from benchmarks.peers import ROOT

_PACKAGES = (
    "imageplane",
    "pyvips",
    "pyvips-binary",
    "simplejpeg",
    "pillow",
    "pillow-heif",
    "numpy",
    "opencv-python-headless",
    "scikit-image",
)


def describe() -> dict[str, Any]:
    """Give CPU, cores, memory, load and operating system."""
    memory = psutil.virtual_memory()
    return {
        "cpu": _cpu_model(),
        "cores": os.cpu_count(),
        "memory_in_gib": round(memory.total / 1024**3, 1),
        "memory_available_in_gib": round(memory.available / 1024**3, 1),
        "load_average": [round(load, 2) for load in psutil.getloadavg()],
        "system": f"{platform.system()} {platform.release()}",
        "distribution": _distribution(),
        "python": platform.python_version(),
    }


def package_versions() -> dict[str, str]:
    """Give the versions of the Python packages that take part."""
    found = {}
    for package in _PACKAGES:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            found[package] = "not installed"
    return found


def commit() -> str:
    """Give the short commit, with `-changed` when the source differs from it; `unversioned` outside a checkout."""
    done = _git("rev-parse", "--short", "HEAD")
    if done is None:
        return "unversioned"
    return done + ("-changed" if _git("status", "--porcelain", "--", "src") else "")


def _git(*arguments: str) -> str | None:
    try:
        done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip()


def _cpu_model() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())


def _distribution() -> str:
    try:
        return platform.freedesktop_os_release().get("PRETTY_NAME", "")
    except OSError:
        return platform.platform()
