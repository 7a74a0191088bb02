"""Commands about who may give commands: ask for credentials, admit and dismiss, issue and revoke, list."""

from typing import Annotated

import typer

from kernos.app.cli.options import AsJson, By, Config, Store

access = typer.Typer(
    help="Who may give commands to a store, in which tenant, with which credential.",
    rich_markup_mode=None,
    no_args_is_help=True,
)

_Who = Annotated[str, typer.Argument(metavar="NAME", help="A person (ana or person:ana) or a service (service:web).")]
_Tenant = Annotated[str, typer.Option("--tenant", metavar="TENANT", help="Where; * for the whole deployment.")]
_Reason = Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why; kept in the journal.")]
_Days = Annotated[int, typer.Option("--days", min=1, max=3_650, metavar="N", help="How long the credential is good.")]


@access.command()
def require(name: _Who, days: _Days = 90, by: By = "", store: Store = "", config: Config = "") -> None:
    """Take commands only with credentials from now on.

    NAME gets the first one, good for everything in the whole deployment. It is printed once, and nobody can read it from the store.
    """
    from kernos.app.cli.granting import change
    from kernos.app.cli.opening import settings_of

    change(settings_of(config, store, by=by), "require", name, {"days": days})


@access.command()
def admit(
    name: _Who,
    role: Annotated[
        list[str] | None, typer.Option("--role", metavar="ROLE", help="A role there; may be given several times.")
    ] = None,
    tenant: _Tenant = "default",
    by: By = "",
    store: Store = "",
    config: Config = "",
) -> None:
    """Let a person or service act in a tenant, in exactly these roles."""
    from kernos.app.cli.granting import change
    from kernos.app.cli.opening import settings_of

    change(settings_of(config, store, by=by), "admit", name, {"roles": role or [], "tenant": tenant})


@access.command()
def dismiss(
    name: _Who, tenant: _Tenant = "default", reason: _Reason = "", by: By = "", store: Store = "", config: Config = ""
) -> None:
    """Let a person or service act in a tenant no more; their credentials for it are void at once."""
    from kernos.app.cli.granting import change
    from kernos.app.cli.opening import settings_of

    change(settings_of(config, store, by=by), "dismiss", name, {"tenant": tenant, "reason": reason})


@access.command()
def issue(
    name: _Who,
    scope: Annotated[
        list[str],
        typer.Option(
            "--scope", metavar="SCOPE", help="look, start, answer, operate or administer; may be given several times."
        ),
    ],
    tenant: _Tenant = "default",
    days: _Days = 90,
    by: By = "",
    store: Store = "",
    config: Config = "",
) -> None:
    """Give somebody who is admitted a credential, and print it once."""
    from kernos.app.cli.granting import change
    from kernos.app.cli.opening import settings_of

    change(settings_of(config, store, by=by), "issue", name, {"scopes": scope, "tenant": tenant, "days": days})


@access.command()
def revoke(
    credential: Annotated[
        str, typer.Argument(metavar="ID", help="The credential's id, as `kernos access list` shows it.")
    ],
    reason: _Reason = "",
    by: By = "",
    store: Store = "",
    config: Config = "",
) -> None:
    """Make a credential void at once."""
    from kernos.app.cli.granting import change
    from kernos.app.cli.opening import settings_of

    change(settings_of(config, store, by=by), "revoke", credential, {"reason": reason})


@access.command("add-key")
def add_key(
    name: _Who,
    key: Annotated[
        str, typer.Option("--key", metavar="FILE", help="The public key, as `kernos key new` prints it; JWK or PEM.")
    ],
    by: By = "",
    store: Store = "",
    config: Config = "",
) -> None:
    """Let a person sign with a key of their own, in every tenant where they may act."""
    from kernos.app.cli.granting import change, read_public
    from kernos.app.cli.opening import settings_of

    change(settings_of(config, store, by=by), "add_key", name, {"public_key": read_public(key)})


@access.command("revoke-key")
def revoke_key(
    key: Annotated[str, typer.Argument(metavar="ID", help="The key's id, as `kernos access list` shows it.")],
    reason: _Reason = "",
    by: By = "",
    store: Store = "",
    config: Config = "",
) -> None:
    """Let what a person's own key signed count no more, unless it was used before."""
    from kernos.app.cli.granting import change
    from kernos.app.cli.opening import settings_of

    change(settings_of(config, store, by=by), "revoke_key", key, {"reason": reason})


@access.command(name="list")
def list_access(json: AsJson = False, store: Store = "", config: Config = "") -> None:
    """List who may act where, and which credentials there are."""
    import asyncio

    from kernos.app.cli.granting import list_all
    from kernos.app.cli.opening import settings_of

    asyncio.run(list_all(settings_of(config, store), as_json=json))
