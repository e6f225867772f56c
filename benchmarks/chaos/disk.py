"""A small disk of its own for a server, and what fills it."""

import contextlib
import os
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

SIZE_IN_BYTES: Final = 1_000_000_000
_MOUNT: Final = f'mount -t tmpfs -o size={SIZE_IN_BYTES} disk "$1" && mkdir "$1/tmp" && shift && exec "$@"'
_BALLAST: Final = "ballast"


@dataclass(frozen=True, slots=True)
class SmallDisk:
    """A tmpfs that only one server and those who join it see, mounted on its data folder.

    Method: a mount namespace, in a user namespace where we are not root; nothing of it outlives the server.
    Gives: `start` and `within`, the commands for `serving`.
    """

    folder: Path

    @property
    def start(self) -> Sequence[str]:
        rights = () if os.geteuid() == 0 else ("--user", "--map-root-user")
        return "unshare", "--mount", *rights, "sh", "-c", _MOUNT, "sh", str(self.folder)

    @property
    def within(self) -> Sequence[str]:
        rights = () if os.geteuid() == 0 else ("--user", "--preserve-credentials")
        return "nsenter", "--target", "PID", "--mount", *rights

    def missing(self) -> str | None:
        """Give why there can be none here, or None."""
        if not (shutil.which("unshare") and shutil.which("nsenter")):
            return "unshare and nsenter are not installed (Debian: apt install util-linux)"
        self.folder.mkdir(parents=True, exist_ok=True)
        done = subprocess.run([*self.start, "true"], capture_output=True, text=True, check=False)
        return f"this system allows no mounts in a namespace: {done.stderr.strip()[:200]}" if done.returncode else None

    def fill(self, process_id: int) -> int:
        """Leave not a byte free; gives how many were taken."""
        with self._ballast(process_id).open("wb") as file:
            step, size = 2**22, 0
            while step:
                try:
                    os.posix_fallocate(file.fileno(), size, step)
                except OSError:
                    step //= 2
                else:
                    size += step
        return size

    def empty(self, process_id: int) -> None:
        """Give the room back."""
        with contextlib.suppress(FileNotFoundError):
            self._ballast(process_id).unlink()

    def _ballast(self, process_id: int) -> Path:
        # Only the server itself sees what is mounted there.
        return Path(f"/proc/{process_id}/root{self.folder}") / _BALLAST
