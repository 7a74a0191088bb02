"""Commands that stop what leaves the kernel, and let it go on."""

from typing import Annotated

import typer

from kernos.app.cli.options import By, Config, Store

_All = Annotated[bool, typer.Option("--all", help="Everything.")]
_Tenant = Annotated[str, typer.Option("--tenant", metavar="TENANT", help="What belongs to one tenant.")]
_Agent = Annotated[str, typer.Option("--agent", metavar="NAME[@VERSION]", help="What one agent does.")]
_Tool = Annotated[str, typer.Option("--tool", metavar="NAME", help="Calls of one tool.")]


def stop(
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why; kept in the journal.")],
    everything: _All = False,
    tenant: _Tenant = "",
    agent: _Agent = "",
    tool: _Tool = "",
    by: By = "",
    store: Store = "",
    config: Config = "",
) -> None:
    """Let no action and no model call leave the kernel, within a second and until a person says `kernos go`.

    Also over a restart. Runs wait; what is under way ends and is recorded.
    """
    from kernos.app.cli.halting import halt
    from kernos.app.cli.opening import settings_of

    given: dict[str, str | bool] = {"all": everything, "tenant": tenant, "agent": agent, "tool": tool}
    halt(settings_of(config, store, by=by), "stop", given, reason)


def go(
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why; kept in the journal.")] = "",
    everything: _All = False,
    tenant: _Tenant = "",
    agent: _Agent = "",
    tool: _Tool = "",
    by: By = "",
    store: Store = "",
    config: Config = "",
) -> None:
    """Let go on what was stopped."""
    from kernos.app.cli.halting import halt
    from kernos.app.cli.opening import settings_of

    given: dict[str, str | bool] = {"all": everything, "tenant": tenant, "agent": agent, "tool": tool}
    halt(settings_of(config, store, by=by), "go", given, reason)
