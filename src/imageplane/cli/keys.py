"""`imageplane keys`: make, list and revoke API keys."""

from typing import TYPE_CHECKING, Annotated, Final

import typer

from imageplane.cli.books import changing_books, day_of, print_table

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from imageplane.accounts.books import Books
    from imageplane.accounts.organizations import Organization

keys = typer.Typer(help="API keys: make, list and revoke them.", no_args_is_help=True, rich_markup_mode=None)

_DAY_IN_MS: Final = 24 * 3600 * 1000
_MOST_CREDITS: Final = 1_000_000_000


_Name = Annotated[str, typer.Option(help="What the key is for, to tell it from others.", show_default=False)]
_Credits = Annotated[
    int | None, typer.Option("--credits", min=0, max=_MOST_CREDITS, help="Credits for the organization of the key.")
]
_Organization = Annotated[
    str | None,
    typer.Option(
        help="Whose credits the key spends; made when it is not there. Without it, one with the name of the key."
    ),
]
_ExpiresInDays = Annotated[int | None, typer.Option(min=1, max=36_500, help="Days after which the key ends.")]
_BudgetCap = Annotated[
    int | None, typer.Option(min=0, max=_MOST_CREDITS, help="The most credits that the key may ever spend.")
]


@keys.command()
def create(
    name: _Name,
    credit: _Credits = None,
    organization: _Organization = None,
    expires_in_days: _ExpiresInDays = None,
    budget_cap: _BudgetCap = None,
) -> None:
    """Make a key. It is the last line of the output, and shown only this once.

    A new organization starts with the credits of --credits, or else with trial credits; one that is there already
    is given the credits of --credits on top. Exit code: 0 done, 1 the database failed, 2 wrong call.
    """
    with changing_books() as (books, connection):
        from imageplane.accounts import keys as store  # noqa: PLC0415
        from imageplane.accounts.prices import MILLICREDITS, in_credits  # noqa: PLC0415
        from imageplane.database.stamps import now_in_ms  # noqa: PLC0415

        owner = _owner(books, connection, organization or name, credit)
        key_text = store.create(
            connection,
            owner.id,
            name,
            expires_at_in_ms=None if expires_in_days is None else now_in_ms() + expires_in_days * _DAY_IN_MS,
            budget_cap_in_millicredits=None if budget_cap is None else budget_cap * MILLICREDITS,
        )
    balance = in_credits(owner.balance_in_millicredits)
    typer.echo(f"Organization {owner.name} has {balance} credits. The key is shown only this once:", err=True)
    typer.echo(key_text)


def _owner(books: "Books", connection: "Connection", name: str, credit: int | None) -> "Organization":
    from imageplane.accounts import organizations  # noqa: PLC0415
    from imageplane.accounts.ledger import grant  # noqa: PLC0415
    from imageplane.accounts.prices import MILLICREDITS  # noqa: PLC0415

    owner = organizations.named(connection, name)
    if owner is None:
        return books.new_organization(connection, name, credit)
    if credit:
        grant(connection, owner.id, credit * MILLICREDITS, "command line")
    return organizations.of_id(connection, owner.id)


@keys.command("list")
def list_keys() -> None:
    """Print all keys, the oldest first; of each only its beginning, because the rest is not kept."""
    with changing_books() as (_, connection):
        from imageplane.accounts.keys import listed  # noqa: PLC0415
        from imageplane.accounts.prices import in_credits  # noqa: PLC0415
        from imageplane.database.stamps import now_in_ms  # noqa: PLC0415

        found, now = listed(connection), now_in_ms()
    rows = [
        (
            key.id,
            f"{key.prefix}…",
            key.name,
            key.organization_name,
            key.state(now),
            in_credits(key.spent_in_millicredits),
            "-" if key.budget_cap_in_millicredits is None else in_credits(key.budget_cap_in_millicredits),
            day_of(key.created_at_in_ms),
            day_of(key.expires_at_in_ms),
        )
        for key in found
    ]
    print_table(("ID", "KEY", "NAME", "ORGANIZATION", "STATE", "SPENT", "CAP", "CREATED", "EXPIRES"), rows)
    if not rows:
        typer.echo("There are no keys; make one with: imageplane keys create --name NAME", err=True)


@keys.command()
def revoke(
    key: Annotated[str, typer.Argument(help="Its id or its beginning, as listed, or the key itself.", metavar="KEY")],
) -> None:
    """End a key for good. Servers that run refuse it within a few seconds."""
    with changing_books() as (_, connection):
        from imageplane.accounts.keys import revoke as revoke_key  # noqa: PLC0415

        name = revoke_key(connection, key.removesuffix("…"))
    typer.echo(f"The key {name} is revoked.")
