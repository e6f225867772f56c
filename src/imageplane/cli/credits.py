"""`imageplane credits`: give credits to organizations, and see what they have."""

from typing import TYPE_CHECKING, Annotated

import typer

from imageplane.cli.books import changing_books, print_table

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from imageplane.accounts.organizations import Organization

credits_ = typer.Typer(help="Credits: give them, and see what is left.", no_args_is_help=True, rich_markup_mode=None)

_Organization = Annotated[
    str | None, typer.Option(help="Which organization; may be left out when there is only one.", show_default=False)
]


@credits_.command()
def grant(
    amount: Annotated[
        int, typer.Argument(min=1, max=1_000_000_000, help="How many credits.", show_default=False, metavar="CREDITS")
    ],
    organization: _Organization = None,
) -> None:
    """Give credits to an organization. Exit code: 0 done, 1 the database failed, 2 wrong call."""
    with changing_books() as (_, connection):
        from imageplane.accounts.ledger import grant as grant_credits  # noqa: PLC0415
        from imageplane.accounts.prices import MILLICREDITS, in_credits  # noqa: PLC0415

        owner = _only(connection, organization)
        balance = grant_credits(connection, owner.id, amount * MILLICREDITS, "command line")
    typer.echo(f"{owner.name} has {in_credits(balance)} credits now.")


@credits_.command()
def show(organization: _Organization = None) -> None:
    """Print what organizations have left; what requests that run hold is not in it."""
    with changing_books() as (_, connection):
        from imageplane.accounts.organizations import every  # noqa: PLC0415
        from imageplane.accounts.prices import in_credits  # noqa: PLC0415

        found = every(connection) if organization is None else (_only(connection, organization),)
    print_table(
        ("ORGANIZATION", "CREDITS"), [(owner.name, in_credits(owner.balance_in_millicredits)) for owner in found]
    )
    if not found:
        typer.echo("There are no organizations; make one with: imageplane keys create --name NAME", err=True)


def _only(connection: "Connection", name: str | None) -> "Organization":
    from imageplane.accounts.organizations import every, named  # noqa: PLC0415
    from imageplane.errors import NotFound, RequestError  # noqa: PLC0415

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
