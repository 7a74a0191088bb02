"""Commands that run agents: dev and run."""

from typing import Annotated

import typer

from kernos.app.cli.options import Agents, By, Config, Policies, Store


def dev(agents: Agents = None, policies: Policies = "", store: Store = "", config: Config = "") -> int:
    """Run agents over the store until Ctrl-C, and print what happens."""
    import asyncio

    from kernos.app.cli.opening import settings_of
    from kernos.app.cli.working import work

    return asyncio.run(work(settings_of(config, store, agents, policies)))


def run(
    agent: Annotated[str, typer.Argument(metavar="AGENT", help="The agent's name; `kernos config` lists them.")],
    given: Annotated[
        str, typer.Option("--input", metavar="JSON|@FILE|-", help="What to ask it; - reads it from stdin.")
    ] = "null",
    key: Annotated[str, typer.Option("--key", metavar="KEY", help="The same key gives the same run.")] = "",
    intent: Annotated[str, typer.Option("--intent", metavar="TEXT", help="What it is for, in words.")] = "",
    detach: Annotated[bool, typer.Option("--detach", help="Print the run's id and do not wait.")] = False,
    by: By = "",
    agents: Agents = None,
    policies: Policies = "",
    store: Store = "",
    config: Config = "",
) -> int:
    """Ask an agent and print its answer as JSON. Exit code 3: the run waits, and the text says for what.

    The agent runs in this process, or in the one that works on the store already.
    """
    import asyncio

    from kernos.app.cli.foreground import Asked, ask
    from kernos.app.cli.opening import settings_of

    asked = Asked(agent, given, key, intent, detach=detach)
    return asyncio.run(ask(asked, settings_of(config, store, agents, policies, by)))
