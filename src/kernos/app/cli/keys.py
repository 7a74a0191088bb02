"""Commands about the key that a store signs with: show it and those before it, put another in its place; and make a person's own."""

from typing import Annotated

import typer

from kernos.app.cli.options import AsJson, By, Config, Store

key = typer.Typer(
    help="The key that the store signs with: show it, rotate it; make a key of your own.",
    rich_markup_mode=None,
    no_args_is_help=True,
)


@key.command("show")
def show_key(by: By = "", store: Store = "", config: Config = "", json: AsJson = False) -> None:
    """Show the public key in force, and those before it with who rotated them when and why."""
    from kernos.app.cli.opening import settings_of
    from kernos.app.cli.rotating import show_keys

    show_keys(settings_of(config, store, by=by), as_json=json)


@key.command("new")
def new_key(
    file: Annotated[str, typer.Option("--file", metavar="FILE", help="Where the private key is put; mode 0600.")],
) -> None:
    """Make a key of your own, to sign what you say yes to; needs no store.

    Prints its public half as JSON Web Key, for whoever administers the store (`kernos access add-key`).
    """
    from pathlib import Path

    from kernos.app.own_keys import new_own_key

    print(new_own_key(Path(file)))


@key.command("rotate")
def rotate_key(
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why; kept with the hand-over.")] = "",
    compromised: Annotated[
        bool,
        typer.Option("--compromised", help="Others may have the old key: a yes that it signed counts no more."),
    ] = False,
    by: By = "",
    store: Store = "",
    config: Config = "",
    json: AsJson = False,
) -> None:
    """Make a new key; the old one signs the hand-over to it and is destroyed.

    No process may run agents over the store meanwhile; others that have it open must be started again.
    """
    from kernos.app.cli.opening import settings_of
    from kernos.app.cli.rotating import rotate

    rotate(settings_of(config, store, by=by), reason, is_compromised=compromised, as_json=json)
