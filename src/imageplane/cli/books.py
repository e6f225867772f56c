"""The books of this installation, opened for one command; and tables of what is in them."""

import contextlib
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import typer

from imageplane.cli.exit import FAILED, WRONG_CALL, cleanly
from imageplane.errors import ImageplaneError, NotFound, RequestError, SettingsError

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from imageplane.accounts.books import Books
    from imageplane.accounts.organizations import Organization
    from imageplane.settings import Settings


@contextlib.contextmanager
def changing_books() -> "Iterator[tuple[Books, Connection]]":
    """Give the books, and one transaction that is committed at the end; failures become sentences and exit codes."""
    with opened_books() as (books, _), books.database.writing() as connection:
        yield books, connection


@contextlib.contextmanager
def opened_books() -> "Iterator[tuple[Books, Settings]]":
    """Give the books, and what this installation is set to; failures become sentences and exit codes."""
    with cleanly():
        from imageplane.accounts.books import Books  # noqa: PLC0415 - the database takes a moment to load
        from imageplane.settings import load  # noqa: PLC0415

        try:
            settings = load()
            with Books.open(settings) as books:
                yield books, settings
        except (RequestError, SettingsError):
            raise
        except ImageplaneError as error:
            # Who works at the command line runs the database too, and must know.
            reason = f" ({error.detail.splitlines()[0]})" if error.detail else ""
            typer.echo(f"Error: {error.message}{reason}", err=True)
            raise typer.Exit(FAILED if error.status >= 500 else WRONG_CALL) from None


def chosen_organization(connection: "Connection", name: str | None) -> "Organization":
    """Give the organization of a name, or without one the only one there is. Errors: not_found, invalid_request."""
    from imageplane.accounts.organizations import every, named  # noqa: PLC0415

    if name is not None:
        owner = named(connection, name)
        if owner is None:
            raise NotFound(f"There is no organization of the name {name!r}; `imageplane credits show` lists all.")
        return owner
    owners = every(connection)
    if not owners:
        raise NotFound("There are no organizations; make one with: imageplane keys create --name NAME")
    if len(owners) > 1:
        some = ", ".join(owner.name for owner in owners[:10])
        raise RequestError(f"There are several organizations; choose one with --organization: {some}")
    return owners[0]


def print_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print lines with their columns aligned, or nothing without rows."""
    if not rows:
        return
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    for row in [head, *rows]:
        typer.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def day_of(at_in_ms: int | None) -> str:
    """Give a moment as a day in UTC, or a dash."""
    return "-" if at_in_ms is None else datetime.fromtimestamp(at_in_ms / 1000, UTC).date().isoformat()
