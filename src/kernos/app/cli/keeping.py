"""Commands for whoever keeps a store: verify, rebuild, doctor."""

from typing import Annotated

import typer

from kernos.app.cli.options import Agents, AsJson, Config, Policies, Store


def verify(
    projections: Annotated[
        bool, typer.Option("--projections", help="Also rebuild the projections and compare them.")
    ] = False,
    trust: Annotated[
        str,
        typer.Option(
            "--trust",
            metavar="PUBLICKEY",
            help="A public key that you have from elsewhere (hex, or a file: JWK, PEM): the store must be signed by it, or lead on from it.",
        ),
    ] = "",
    heads: Annotated[
        str,
        typer.Option(
            "--heads",
            metavar="FILE",
            help="Tree heads that you kept elsewhere (`kernos heads export`): the store must have them all. Shows cut ends and rewritten ones.",
        ),
    ] = "",
    json: AsJson = False,
    store: Store = "",
    config: Config = "",
) -> int:
    """Check the journal against its signed tree.

    With --trust the store's own private key is not needed. Exit code 1, with the places, when something is wrong.
    """
    from kernos.app.cli.checking import verify_store
    from kernos.app.cli.opening import existing, settings_of, whole_store

    settings = existing(settings_of(config, store))
    if projections:
        whole_store(settings, "comparing the projections")
    return verify_store(settings.store, projections=projections, as_json=json, trust=trust, heads=heads)


def rebuild(store: Store = "", config: Config = "") -> None:
    """Drop the projections and make them anew from the journal."""
    import asyncio

    from kernos.app.cli.checking import rebuild_projections
    from kernos.app.cli.opening import existing, settings_of, whole_store

    settings = existing(settings_of(config, store))
    whole_store(settings, "rebuilding the projections")
    asyncio.run(rebuild_projections(settings.store))


def doctor(
    upgrade: Annotated[
        bool,
        typer.Option(
            "--upgrade", help="Replay every open run against the code on disk, and name those that do not fit."
        ),
    ] = False,
    agents: Agents = None,
    policies: Policies = "",
    json: AsJson = False,
    store: Store = "",
    config: Config = "",
) -> int:
    """Check what this kernos needs around it.

    Python, SQLite, settings, store and key, agents, models, policies. Exit code 1 when one of them is bad, or a run does not fit.
    """
    import asyncio

    from kernos.app.cli.examining import examine
    from kernos.app.cli.opening import settings_of
    from kernos.app.cli.upgrading import check_upgrade

    settings = settings_of(config, store, agents, policies)
    return asyncio.run(check_upgrade(settings, as_json=json)) if upgrade else examine(settings, as_json=json)
