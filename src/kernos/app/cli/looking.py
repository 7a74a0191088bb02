"""Commands that only look: ps, trace, config."""

from typing import Annotated

import typer

from kernos.app.cli.options import Agents, AsJson, Config, Policies, RunArg, Store


def ps(
    every: Annotated[bool, typer.Option("--all", help="Also runs that have ended.")] = False,
    status: Annotated[
        str,
        typer.Option(
            "--status",
            metavar="STATUS",
            help="running, waiting, blocked, handed_over, compensating, completed, failed, cancelled or expired.",
        ),
    ] = "",
    limit: Annotated[
        int, typer.Option("--limit", min=1, metavar="N", help="Show at most so many, the newest.")
    ] = 1_000,
    json: AsJson = False,
    store: Store = "",
    config: Config = "",
) -> None:
    """List runs, newest first: open ones, and what each waits for."""
    import asyncio

    from kernos.app.cli.listing import list_runs
    from kernos.app.cli.opening import settings_of

    asyncio.run(list_runs(settings_of(config, store), every=every, status=status, limit=limit, as_json=json))


def trace(
    run: RunArg,
    events: Annotated[bool, typer.Option("--events", help="Also the events, one a line, with values whole.")] = False,
    json: AsJson = False,
    store: Store = "",
    config: Config = "",
) -> None:
    """Tell a run's story in plain words.

    What it was asked, what it decided and why, what it did outside, what it waits for, what it cost.
    """
    import asyncio

    from kernos.app.cli.opening import settings_of
    from kernos.app.cli.tracing import trace_run

    asyncio.run(trace_run(settings_of(config, store), run, with_events=events, as_json=json))


def config(
    agents: Agents = None, policies: Policies = "", json: AsJson = False, store: Store = "", config: Config = ""
) -> None:
    """Show the settings, agents and tools that hold here.

    Settings with where they come from; agents and tools with their types, with --json as JSON Schemas.
    """
    from kernos.app.cli.listing import show_settings
    from kernos.app.cli.opening import settings_of

    show_settings(settings_of(config, store, agents, policies), as_json=json)
