"""How a command ends: 0 when all is done, 1 when an image failed, 2 for a wrong call, 130 when interrupted."""

import contextlib
import signal
from collections.abc import Iterator
from types import FrameType
from typing import Final, NoReturn

import typer

from imageplane.errors import RequestError, SettingsError

FAILED: Final = 1
WRONG_CALL: Final = 2
INTERRUPTED: Final = 128 + signal.SIGINT


@contextlib.contextmanager
def cleanly() -> Iterator[None]:
    """Turn what ends a command early into one sentence a line and an exit code, without a stack."""
    terminated = signal.signal(signal.SIGTERM, _interrupt)
    try:
        yield
    except KeyboardInterrupt as error:
        number = error.args[0] if error.args else signal.SIGINT
        typer.echo("Interrupted; finished results are kept.", err=True)
        raise typer.Exit(128 + number) from None
    except (RequestError, SettingsError) as error:
        for line in [f"{fault.path}: {fault.message}" for fault in error.faults] or [error.message]:
            typer.echo(f"Error: {line}", err=True)
        raise typer.Exit(WRONG_CALL) from None
    finally:
        signal.signal(signal.SIGTERM, terminated)


def _interrupt(number: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt(number)
