"""What stands on the command line, read: JSON texts and image files."""

import json
import stat
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import typer

STANDARD_STREAM: Final = "-"


@dataclass(frozen=True, slots=True)
class Input:
    """One image to work on, by the name that the user gave."""

    name: str

    @property
    def is_stdin(self) -> bool:
        return self.name == STANDARD_STREAM

    @property
    def stem(self) -> str:
        """What results are named after."""
        return "stdin" if self.is_stdin else Path(self.name).stem

    def source(self, max_size_in_bytes: int) -> bytes | Path:
        """Give the path of a file for an engine to map, or the bytes of anything else, at most one byte too many.

        Errors: OSError, when it can't be read.
        """
        if self.is_stdin:
            return sys.stdin.buffer.read(max_size_in_bytes + 1)
        path = Path(self.name)
        with path.open("rb") as file:
            if stat.S_ISREG(path.stat().st_mode):
                return path
            return file.read(max_size_in_bytes + 1)


def refuse_stdin_twice(inputs: Sequence[Input], *texts: str | None) -> None:
    """Raise when more than one image or JSON text is stdin. Errors: typer.BadParameter."""
    readers = [source.is_stdin for source in inputs] + [text == f"@{STANDARD_STREAM}" for text in texts]
    if sum(readers) > 1:
        raise typer.BadParameter("stdin can be read only once", param_hint=STANDARD_STREAM)


def read_json(text: str, option: str) -> Any:
    """Give what an option says as JSON, or as `@` and the name of a file with JSON; `@-` is stdin."""
    name = text[1:] if text.startswith("@") else None
    try:
        if name is not None:
            text = sys.stdin.read() if name == STANDARD_STREAM else Path(name).read_text(encoding="utf-8")
        return json.loads(text)
    except (OSError, UnicodeDecodeError) as error:
        raise typer.BadParameter(f"{name} can't be read: {reason(error)}", param_hint=option) from None
    except (ValueError, RecursionError) as error:
        # Python itself refuses to read integers of thousands of digits, and gives advice for programmers.
        is_known = isinstance(error, json.JSONDecodeError | RecursionError)
        what = str(error) if is_known else "one of its numbers has too many digits"
        raise typer.BadParameter(f"{name or 'the value'} is no JSON: {what}", param_hint=option) from None


def reason(error: OSError | UnicodeDecodeError) -> str:
    """Give the reason of a failure without the path, which the message names already."""
    return (getattr(error, "strerror", None) or str(error)).lower()
