"""Commands that take back: revert and reconcile."""

from typing import Annotated

import typer

from kernos.app.cli.options import Agents, AsJson, By, Config, Policies, RunArg, Store, Yes


def revert(
    run: RunArg,
    to: Annotated[str, typer.Option("--to", metavar="CHECKPOINT", help="Only what came after this checkpoint.")] = "",
    yes: Yes = False,
    by: By = "",
    agents: Agents = None,
    policies: Policies = "",
    store: Store = "",
    config: Config = "",
    json: AsJson = False,
) -> int:
    """Take back what a run that has ended did outside: first the plan, then, approved, a run that does it.

    With --json only the plan is printed; nothing is taken back without a person's yes or --yes.
    """
    import asyncio

    from kernos.app.cli.opening import settings_of
    from kernos.app.cli.takeback import Wanted, revert_run

    settings = settings_of(config, store, agents, policies, by)
    return asyncio.run(revert_run(run, to, Wanted(yes, json), settings))


def reconcile(
    since: Annotated[str, typer.Option("--since", metavar="TIME", help="How far back: 90s, 15m, 24h or 7d.")] = "24h",
    take_back: Annotated[
        bool, typer.Option("--take-back", help="Take back what is there too often, as policy allows.")
    ] = False,
    every: Annotated[
        str, typer.Option("--every", metavar="TIME", help="Do it again and again, so far apart, until Ctrl-C.")
    ] = "",
    yes: Yes = False,
    by: By = "",
    agents: Agents = None,
    policies: Policies = "",
    store: Store = "",
    config: Config = "",
    json: AsJson = False,
) -> int:
    """Compare recent actions with the services' own lists: what is doubled, late, missing, or wanted by nobody.

    Exit code 1 when there is something that a person should look at.
    """
    import asyncio

    from kernos.app.cli.opening import settings_of
    from kernos.app.cli.takeback import Wanted, reconcile_store

    settings = settings_of(config, store, agents, policies, by)
    return asyncio.run(reconcile_store(since, every, Wanted(yes, json, take_back), settings))
