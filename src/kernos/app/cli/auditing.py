"""Commands that account for what was done: why, effects, rehearse."""

from typing import Annotated

import typer

from kernos.app.cli.options import Agents, AsJson, Config, RunArg, Store


def why(
    reference: Annotated[
        str, typer.Argument(metavar="REF", help="An id of another system, a key, a trace id, or RUN.STEP.")
    ],
    everywhere: Annotated[
        bool, typer.Option("--everywhere", help="Search all arguments and results, which reads the whole journal.")
    ] = False,
    json: AsJson = False,
    store: Store = "",
    config: Config = "",
) -> None:
    """Tell why something was done outside.

    From any reference: a refund's or mail's id, an idempotency key found in a foreign log. Tells who asked for what, which agent did it,
    which rules allowed it, who said yes, and what came of it.
    """
    import asyncio

    from kernos.app.cli.explaining import tell_why
    from kernos.app.cli.opening import settings_of

    asyncio.run(tell_why(settings_of(config, store), reference, everywhere=everywhere, as_json=json))


def effects(
    run: RunArg,
    tree: Annotated[bool, typer.Option("--tree/--no-tree", help="Also the runs below it.")] = True,
    json: AsJson = False,
    store: Store = "",
    config: Config = "",
) -> None:
    """List all that a run did outside, in order."""
    import asyncio

    from kernos.app.cli.explaining import list_effects
    from kernos.app.cli.opening import settings_of

    asyncio.run(list_effects(settings_of(config, store), run, tree=tree, as_json=json))


def rehearse(
    policies: Annotated[str, typer.Argument(metavar="POLICIES", help="A Cedar file, or a folder of them.")],
    last: Annotated[
        int, typer.Option("--last", min=0, metavar="N", help="Only the last N decisions; 0 for all there are.")
    ] = 0,
    agents: Agents = None,
    json: AsJson = False,
    store: Store = "",
    config: Config = "",
) -> None:
    """Take recorded decisions again under other policies.

    Tells which would flip, how, by which rules, and what money is at stake. Nothing is written.
    """
    import asyncio

    from kernos.app.cli.opening import settings_of
    from kernos.app.cli.rehearsing import rehearse_policies

    asyncio.run(rehearse_policies(settings_of(config, store, agents), policies, last, as_json=json))
