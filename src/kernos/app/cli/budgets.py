"""Commands about budgets: how caps stand, and raise one."""

from typing import Annotated

import typer

from kernos.app.cli.options import AsJson, By, Config, SignWith, Store

budget = typer.Typer(
    help="What may be used of models, and who lets more be used.", rich_markup_mode=None, no_args_is_help=True
)

_Over = Annotated[str, typer.Argument(metavar="OVER", help="run, agent, workflow, tenant or store.")]
_Unit = Annotated[
    str, typer.Argument(metavar="UNIT", help="usd, microusd (a millionth of a dollar), tokens, calls or runs.")
]
_Reason = Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why; kept in the journal.")]
_Name = Annotated[str, typer.Option("--name", metavar="NAME", help="The agent, or the run's id.")]
_Tenant = Annotated[str, typer.Option("--tenant", metavar="TENANT", help="Whose cap, where it is not your own.")]


@budget.command()
def show(json: AsJson = False, store: Store = "", config: Config = "") -> None:
    """Show each cap that something was counted against, with what is used and left of it."""
    import asyncio

    from kernos.app.cli.opening import settings_of
    from kernos.app.cli.paying import show_budgets

    asyncio.run(show_budgets(settings_of(config, store), as_json=json))


@budget.command()
def settle(
    reservation: Annotated[str, typer.Argument(metavar="RUN.N", help="As `kernos budget show` lists them.")],
    verdict: Annotated[str, typer.Argument(metavar="VERDICT", help="done, not_done or unknown (counts as done).")],
    note: Annotated[str, typer.Option("--note", metavar="TEXT", help="How you know; kept in the journal.")],
    by: By = "",
    store: Store = "",
    config: Config = "",
) -> None:
    """Say what came of a call that a crash cut off; what was not done is given back to its caps."""
    import asyncio

    from kernos.app.cli.opening import settings_of
    from kernos.app.cli.paying import settle_reservation

    asyncio.run(settle_reservation(settings_of(config, store, by=by), reservation, verdict, note))


@budget.command()
def ask(
    over: _Over,
    unit: _Unit,
    amount: Annotated[str, typer.Argument(metavar="AMOUNT", help="Up to which cap: 4000, or 7.50 usd.")],
    reason: _Reason,
    name: _Name = "",
    tenant: _Tenant = "",
    by: By = "",
    store: Store = "",
    config: Config = "",
) -> None:
    """Ask somebody else to let more be used of a cap; `kernos budget show` lists what is asked for."""
    import asyncio

    from kernos.app.cli.opening import settings_of
    from kernos.app.cli.paying import ask_budget

    words = {"over": over, "unit": unit, "amount": amount, "name": name, "tenant": tenant, "reason": reason}
    asyncio.run(ask_budget(settings_of(config, store, by=by), words))


@budget.command(name="raise")
def raise_cap(
    over: _Over,
    unit: _Unit,
    amount: Annotated[str, typer.Argument(metavar="AMOUNT", help="The new cap: 4000, or 7.50 usd.")],
    reason: _Reason,
    name: _Name = "",
    tenant: _Tenant = "",
    until: Annotated[
        str, typer.Option("--until", metavar="TIME", help="When it ends: 2026-12-31 or 2026-12-31T18:00 (UTC).")
    ] = "",
    sign_with: SignWith = "",
    by: By = "",
    store: Store = "",
    config: Config = "",
) -> None:
    """Let more be used of a cap, from now on; with --until, for a time."""
    import asyncio

    from kernos.app.cli.opening import settings_of
    from kernos.app.cli.paying import raise_budget

    words = {"over": over, "unit": unit, "amount": amount, "name": name, "tenant": tenant, "reason": reason}
    asyncio.run(raise_budget(settings_of(config, store, by=by), {**words, "until": until}, sign_with))
