"""A stand-in for `docker run --read-only --user 10001 --cap-drop ALL`, of namespaces alone.

Everything is mounted for reading only but /tmp, which is fresh, and the data folder; the program is process 1 and has
no privileges.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

USER: Final = 10001
ABSENT: Final = (
    "this takes Linux, root, a Python outside /tmp, and the commands unshare, mount and setpriv (package util-linux)"
)
# Where the image has what it is made of.
PACKAGES: Final = Path("/mnt/packages")
DATA: Final = Path("/mnt/data")

# Arguments: the packages; the data folder; folders that must be readable, `--`; each of them again, with the one around
# it that is to be covered before it, `--`; and the command.
_ENTER: Final = """
set -eu
mount --make-rprivate /
mount -t tmpfs -o mode=755 tmpfs /mnt
mkdir /mnt/packages /mnt/data
mount --bind "$1" /mnt/packages
mount --bind "$2" /mnt/data
shift 2
kept=0
while [ "$1" != -- ]; do
  kept=$((kept + 1))
  mkdir "/mnt/$kept"
  mount --bind "$1" "/mnt/$kept"
  shift
done
shift
kept=0
while [ "$1" != -- ]; do
  hidden="$1" place="$2" kept=$((kept + 1)); shift 2
  mountpoint --quiet "$hidden" || mount -t tmpfs -o mode=755 tmpfs "$hidden"
  mkdir -p "$place"
  mount --bind "/mnt/$kept" "$place"
done
shift
mount -t tmpfs -o mode=1777 tmpfs /tmp
cut -d' ' -f2 /proc/self/mounts | sort -u | while read -r place; do
  case "$place" in
    /proc* | /sys* | /dev* | /tmp | /mnt/data) ;;
    # What lies below a folder that was covered can't be reached either.
    *) mount -o remount,bind,ro "$place" 2>/dev/null || ! test -e "$place" ;;
  esac
done
cd /mnt/data
exec setpriv --reuid=10001 --regid=10001 --clear-groups --no-new-privs --bounding-set=-all --inh-caps=-all "$@"
"""


def is_possible() -> bool:
    """Tell whether this machine lets us make namespaces."""
    programs = all(map(shutil.which, ("unshare", "mount", "setpriv", "mountpoint")))
    if sys.platform != "linux" or os.geteuid() != 0 or not programs:
        return False
    # Python itself has to stay where it is.
    if any(Path(place).is_relative_to("/tmp") for place in (sys.prefix, sys.base_prefix)):  # noqa: S108
        return False
    probe = ["unshare", "--mount", "--pid", "--fork", "--mount-proc", "mount", "--make-rprivate", "/"]
    return subprocess.run(probe, capture_output=True, check=False).returncode == 0


def command(packages: Path, data: Path, program: Sequence[str]) -> list[str]:
    """Give the command that runs a program in there; a data folder becomes the user's."""
    data.mkdir(parents=True, exist_ok=True)
    os.chown(data, USER, USER)
    hidden = [pair for place in (sys.base_prefix, sys.prefix) for pair in _hidden(Path(place))]
    places, pairs = [place for _, place in hidden], [word for pair in hidden for word in pair]
    enter = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "sh", "-c", _ENTER, "enter"]
    return [*enter, str(packages), str(data), *places, "--", *pairs, "--", *program]


def environment(settings: Mapping[str, str]) -> dict[str, str]:
    """Give what a program in there finds in its environment, as the Dockerfile sets it, with our folders."""
    image = {"PYTHONUNBUFFERED": "1", "PYTHONDONTWRITEBYTECODE": "1", "IMAGEPLANE_DATA_DIR": str(DATA)}
    return {"PATH": os.environ["PATH"], "PYTHONPATH": str(PACKAGES), **image, **settings}


def _hidden(place: Path) -> Iterator[tuple[str, str]]:
    """Give the outermost folder around a place that is closed to other users, and the place, or nothing."""
    for folder in reversed(place.resolve().parents):
        if not folder.stat().st_mode & 0o001:
            yield str(folder), str(place.resolve())
            return
