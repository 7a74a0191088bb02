"""Commands about standing grants: let an authenticated source speak for the principal, list who does, revoke."""

from typing import Annotated

import typer

from kernos.app.cli.options import AsJson, By, Config, Store

grant = typer.Typer(
    help="Which authenticated sources may speak for the principal, and for what.",
    rich_markup_mode=None,
    no_args_is_help=True,
)


@grant.command()
def add(
    source: Annotated[str, typer.Argument(metavar="TOOL", help="The tool that reads it: mail.read.")],
    proof: Annotated[
        str,
        typer.Argument(metavar="FIELD=VALUE", help="What its answers must hold, exactly: sender=boss@firm.example."),
    ],
    tool: Annotated[
        list[str],
        typer.Option("--for", metavar="TOOL", help="A call that it may be the reason for; may be given several times."),
    ],
    role: Annotated[
        list[str] | None,
        typer.Option("--role", metavar="ROLE", help="destination, amount and so on; without it, all but secrets."),
    ] = None,
    tenant: Annotated[str, typer.Option("--tenant", metavar="TENANT", help="Where.")] = "default",
    by: By = "",
    store: Store = "",
    config: Config = "",
) -> None:
    """Let what a source writes count as the principal's word.

    The field must be one that the tool declares as proof: one that nobody else can have filled so, such as a verified sender.
    """
    import asyncio

    from kernos.app.cli.opening import settings_of
    from kernos.app.cli.sourcing import add_grant

    asyncio.run(add_grant(settings_of(config, store, by=by), source, proof, tool, role or [], tenant))


@grant.command()
def revoke(
    name: Annotated[str, typer.Argument(metavar="ID", help="The grant's id, as `kernos grant list` shows it.")],
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why; kept in the journal.")] = "",
    by: By = "",
    store: Store = "",
    config: Config = "",
) -> None:
    """Let a source speak for the principal no more, in runs under way, too."""
    import asyncio

    from kernos.app.cli.opening import settings_of
    from kernos.app.cli.sourcing import revoke_grant

    asyncio.run(revoke_grant(settings_of(config, store, by=by), name, reason))


@grant.command(name="list")
def list_grants(json: AsJson = False, store: Store = "", config: Config = "") -> None:
    """List the standing grants in force."""
    import asyncio

    from kernos.app.cli.opening import settings_of
    from kernos.app.cli.sourcing import list_all

    asyncio.run(list_all(settings_of(config, store), as_json=json))
