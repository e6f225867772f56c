"""Where results go: one file, a folder or stdout, and how they get there whole or not at all."""

import contextlib
import os
import secrets
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import typer

from imageplane.cli.arguments import STANDARD_STREAM, Input

if TYPE_CHECKING:
    from imageplane.codecs.formats import OutputFormat
    from imageplane.operation import Operation
    from imageplane.pipeline import Picture
    from imageplane.request import TransformRequest

_OTHER_SUFFIXES: dict[str, "OutputFormat"] = {"jpeg": "jpeg", "jpe": "jpeg", "heif": "heif", "hif": "heif"}


@dataclass(frozen=True, slots=True)
class Destination:
    """The place that `--output` names."""

    kind: Literal["stdout", "file", "folder"]
    path: Path

    @classmethod
    def of(cls, text: str, inputs: Sequence[Input], *, is_named: bool) -> "Destination":
        """Read `--output`.

        Takes: `is_named`, when every input gives several named pictures. Errors: typer.BadParameter.
        """
        if not text:
            raise _bad("expected a file, a folder or - for stdout")
        path = Path(text)
        if text == STANDARD_STREAM:
            destination = cls("stdout", path)
        elif text.endswith(("/", os.sep)) or path.is_dir():
            destination = cls("folder", path)
        else:
            destination = cls("file", path)
        if destination.kind != "folder" and (len(inputs) > 1 or is_named):
            what = "named outputs" if is_named else "several images"
            raise _bad(f"{what} need a folder; {text!r} is none (a new one is written with a slash: {text}/)")
        destination._refuse_same_stems(inputs)
        return destination

    def agreed(self, request: "TransformRequest") -> "TransformRequest":
        """Give the request with the format that the suffix of the file asks for.

        Errors: typer.BadParameter, when operations and suffix ask for different formats, or the suffix for none.
        """
        if self.kind != "file" or not self.path.suffix:
            return request
        decided = _decided_format(request.outputs[0].operations)
        named = _format_of(self.path.suffix)
        if decided is None and named is None:
            raise _bad(f"{self.path.name}: no format is written as {self.path.suffix}; expected {_suffixes()}")
        if decided is not None:
            if named is not None and named != decided:
                raise _bad(f"{self.path.name}: the operations make {decided}, but the suffix says {named}")
            return request
        return replace(request, outputs=(replace(request.outputs[0], format=named),))

    def path_of(self, source: Input, picture: "Picture", *, is_named: bool) -> Path:
        """Give the file for one picture of one source."""
        if self.kind != "folder":
            return self.path
        name = f"{source.stem}.{picture.name}" if is_named else source.stem
        return self.path / f"{name}.{picture.suffix}"

    def _refuse_same_stems(self, inputs: Sequence[Input]) -> None:
        first: dict[str, Input] = {}
        for source in inputs:
            # Some file systems don't tell capitals from small letters.
            other = first.setdefault(source.stem.casefold(), source)
            if other is not source:
                raise _bad(
                    f"{other.name} and {source.name} would both be written as {self.path / source.stem}.*; "
                    "give them to two runs with two folders"
                )


def write_whole(path: Path, data: bytes) -> None:
    """Write a file beside its place and rename it, so that the place never holds half a file. Errors: OSError."""
    if path.exists() and not path.is_file():
        # A device or a pipe: to replace it by a file would be wrong.
        path.write_bytes(data)
        return
    beside = path.with_name(f".imageplane-{secrets.token_hex(8)}.part")
    try:
        with beside.open("xb") as file:
            file.write(data)
        beside.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            beside.unlink()
        raise


def write_to_stdout(data: bytes) -> None:
    """Write raw bytes to stdout. Errors: OSError, when nobody reads them."""
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()


def _decided_format(operations: "Sequence[Operation]") -> "OutputFormat | None":
    from imageplane.codecs.formats import Target  # noqa: PLC0415
    from imageplane.operation import OutputOperation  # noqa: PLC0415

    # Operations decide when the result is the same wherever one starts.
    targets = {Target("png"), Target("jpeg")}
    for operation in operations:
        if isinstance(operation, OutputOperation):
            targets = {operation.retarget(target) for target in targets}
    formats = {target.format for target in targets}
    return formats.pop() if len(formats) == 1 else None


def _format_of(suffix: str) -> "OutputFormat | None":
    from imageplane.codecs.formats import FORMATS  # noqa: PLC0415

    wanted = suffix.removeprefix(".").lower()
    own: dict[str, OutputFormat] = {entry.suffix: name for name, entry in FORMATS.items()}
    return (own | _OTHER_SUFFIXES).get(wanted)


def _suffixes() -> str:
    from imageplane.codecs.formats import FORMATS  # noqa: PLC0415

    return ", ".join(f".{entry.suffix}" for entry in FORMATS.values())


def _bad(message: str) -> typer.BadParameter:
    return typer.BadParameter(message, param_hint="--output")
