"""`imageplane users`: who may sign in to the dashboard."""

import secrets
from typing import TYPE_CHECKING, Annotated, Final

import typer

from imageplane.cli.books import changing_books, chosen_organization, day_of, print_table

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from imageplane.accounts.users import User

users = typer.Typer(help="People who sign in to the dashboard.", no_args_is_help=True, rich_markup_mode=None)

_BYTES_OF_A_PASSWORD: Final = 15
_Email = Annotated[str, typer.Argument(help="The e-mail address that the user signs in with.", metavar="EMAIL")]
_Organization = Annotated[
    str | None, typer.Option(help="Whose keys, usage and jobs the user sees. Needed where there are several.")
]


@users.command()
def create(email: _Email, organization: _Organization = None) -> None:
    """Make a user of an organization that is there. The password is the last line of the output, shown only this once.

    Exit code: 0 done, 1 the database failed, 2 wrong call.
    """
    password, password_hash = _new_password()
    with changing_books() as (_, connection):
        from imageplane.accounts import users as store  # noqa: PLC0415

        owner = chosen_organization(connection, organization)
        user = store.create(connection, owner.id, email, password_hash)
    typer.echo(f"{user.email} sees what belongs to {owner.name}. The password is shown only this once:", err=True)
    typer.echo(password)


@users.command("reset-password")
def reset_password(email: _Email) -> None:
    """Give a user a new password, and end every session. It is the last line of the output, shown only this once."""
    password, password_hash = _new_password()
    with changing_books() as (_, connection):
        from imageplane.accounts import sessions  # noqa: PLC0415
        from imageplane.accounts import users as store  # noqa: PLC0415

        user = _known(connection, email)
        store.keep_hash(connection, user, password_hash)
        sessions.end_all(connection, user.id)
    typer.echo(f"{user.email} is signed out everywhere. The new password is shown only this once:", err=True)
    typer.echo(password)


@users.command("list")
def list_users() -> None:
    """Print all users, by their addresses."""
    with changing_books() as (_, connection):
        from imageplane.accounts.users import every  # noqa: PLC0415

        found = every(connection)
    rows = [(user.email, organization, day_of(user.created_at_in_ms)) for user, organization in found]
    print_table(("EMAIL", "ORGANIZATION", "CREATED"), rows)
    if not rows:
        typer.echo("There are no users; make one with: imageplane users create EMAIL", err=True)


def _known(connection: "Connection", email: str) -> "User":
    from imageplane.accounts.users import with_email  # noqa: PLC0415
    from imageplane.errors import NotFound  # noqa: PLC0415

    user = with_email(connection, email)
    if user is None:
        raise NotFound(f"There is no user {email!r}; `imageplane users list` shows all.")
    return user


def _new_password() -> tuple[str, str]:
    from imageplane.accounts.passwords import Passwords  # noqa: PLC0415 - hashing takes a moment to load

    password = secrets.token_urlsafe(_BYTES_OF_A_PASSWORD)
    passwords = Passwords()
    try:
        return password, passwords.hash(password)
    finally:
        passwords.close()
