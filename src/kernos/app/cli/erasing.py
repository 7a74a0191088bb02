"""The commands that show sealed values to a person, and that erase one."""

from typing import Annotated

import typer

from kernos.app.cli.options import AsJson, By, Config, PlaceArg, Store, Yes


def erase(
    subject: Annotated[
        str, typer.Argument(metavar="SUBJECT", help="Who: a customer's number as contracts name it, or an address.")
    ],
    tenant: Annotated[str, typer.Option("--tenant", metavar="TENANT", help="Of which tenant.")] = "",
    reason: Annotated[
        str, typer.Option("--reason", metavar="TEXT", help="Why; kept in the journal, so name nobody.")
    ] = "",
    yes: Yes = False,
    as_json: AsJson = False,
    by: By = "",
    store: Store = "",
    config: Config = "",
) -> int:
    """Destroy for good what is sealed of a person. The journal stays, and verifies as before; it cannot be taken back.

    Says how many values would be gone and asks, unless --yes is given.
    """
    from kernos.app.cli.forgetting import forget
    from kernos.app.cli.opening import settings_of

    return forget(settings_of(config, store, by=by), subject, tenant, reason, yes=yes, as_json=as_json)


def reveal(
    place: PlaceArg,
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why you look; kept in the journal.")],
    by: By = "",
    store: Store = "",
    config: Config = "",
) -> None:
    """Show what a run was asked, or what one of its steps says, with sealed values in the open. That you looked is recorded."""
    from kernos.app.cli.forgetting import show
    from kernos.app.cli.opening import settings_of

    show(settings_of(config, store, by=by), place, reason)
