"""`imageplane health`: is the server on this machine ready? For those who start and stop servers, in containers too."""

import contextlib
from typing import Annotated

import typer

from imageplane.cli.exit import FAILED


def health(
    host: Annotated[str, typer.Option(help="Where the server listens.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="The port that it listens on.")] = 8000,
    timeout: Annotated[float, typer.Option(min=0.1, max=600, help="Seconds after which it counts as not ready.")] = 4.0,
) -> None:
    """Ask a server whether it is ready.

    Exit code: 0 it is, 1 it is not.
    """
    import http.client  # noqa: PLC0415 - help is quick

    connection = http.client.HTTPConnection(host, port, timeout=timeout)
    try:
        with contextlib.closing(connection):
            connection.request("GET", "/health/ready")
            status = connection.getresponse().status
    except (OSError, http.client.HTTPException):
        typer.echo(f"No server answers at {host}:{port}.", err=True)
        raise typer.Exit(FAILED) from None
    if status != http.client.OK:
        typer.echo(f"The server at {host}:{port} is not ready; it answers {status}.", err=True)
        raise typer.Exit(FAILED)
    typer.echo("ready")
