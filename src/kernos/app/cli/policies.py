"""Commands about policies: check them, test them with cases, explain a decision, write a starter set, put changed ones in force."""

from typing import Annotated

import typer

from kernos.app.cli.options import Agents, AsJson, By, Config, Policies, Store

policy = typer.Typer(
    help="Policies: check them, test them, explain a decision, begin with a starter set, put changed ones in force.",
    rich_markup_mode=None,
    no_args_is_help=True,
)


@policy.command()
def check(
    folder: Annotated[
        str, typer.Argument(metavar="[FOLDER]", help="A folder of policies, or a file; else those of the settings.")
    ] = "",
    agents: Agents = None,
    json: AsJson = False,
    store: Store = "",
    config: Config = "",
) -> int:
    """Check policies and context.toml against the agents and tools.

    Prints every fault as FILE:LINE:COLUMN with what to do, exit code 1; or what the set means: what nothing permits, what always asks
    a person, which rules never apply.
    """
    from kernos.app.cli.opening import settings_of
    from kernos.app.cli.policy_checking import check_policies

    return check_policies(settings_of(config, store, agents, folder), as_json=json)


@policy.command("test")
def put_cases(
    files: Annotated[
        list[str] | None, typer.Argument(metavar="[FILES]", help="Files of cases; else cases.toml beside the policies.")
    ] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Also fail when no case reaches some rule.")] = False,
    agents: Agents = None,
    policies: Policies = "",
    json: AsJson = False,
    store: Store = "",
    config: Config = "",
) -> int:
    """Put cases to the policies: calls with the answer that is expected.

    Exit code 1 when an answer is another, or a case is wrong itself.
    """
    from kernos.app.cli.opening import settings_of
    from kernos.app.cli.policy_testing import try_policies

    return try_policies(settings_of(config, store, agents, policies), files or [], strict=strict, as_json=json)


@policy.command()
def reload(
    by: By = "",
    agents: Agents = None,
    policies: Policies = "",
    store: Store = "",
    config: Config = "",
) -> int:
    """Put changed policies in force in the process that runs agents, without a restart.

    They are checked first; with any fault the set in force stays, and the exit code is 1. Runs under way get the new
    decisions from their next call on; the journal keeps who wanted which set, and when it came into force.
    """
    import asyncio

    from kernos.app.cli.opening import settings_of
    from kernos.app.cli.policy_reloading import reload_policies

    return asyncio.run(reload_policies(settings_of(config, store, agents, policies, by)))


@policy.command()
def explain(
    action: Annotated[
        str,
        typer.Argument(
            metavar="ACTION", help="RUN.STEP; RUN for its newest decision; or what `kernos why` would find."
        ),
    ],
    agents: Agents = None,
    policies: Policies = "",
    json: AsJson = False,
    store: Store = "",
    config: Config = "",
) -> None:
    """Explain what policies said about a call.

    Tells the set, the rules that determined the answer as they were written, what they looked at, and whether the set in force would say
    another thing.
    """
    import asyncio

    from kernos.app.cli.opening import settings_of
    from kernos.app.cli.policy_explaining import explain_decision

    asyncio.run(explain_decision(settings_of(config, store, agents, policies), action, as_json=json))


@policy.command()
def init(
    kind: Annotated[
        str, typer.Argument(metavar="KIND", help="returns, for a returns desk; or content, for a creator.")
    ],
    folder: Annotated[
        str, typer.Argument(metavar="[FOLDER]", help="Where to write; else the folder of the settings, else policies.")
    ] = "",
    tool: Annotated[
        list[str] | None,
        typer.Option("--tool", metavar="PART=NAME", help="Which tool a part is about, as refund=shop.pay_back."),
    ] = None,
    argument: Annotated[
        list[str] | None,
        typer.Option("--argument", metavar="PART.ARGUMENT=NAME", help="Which argument, as refund.amount=cents."),
    ] = None,
    agents: Agents = None,
    store: Store = "",
    config: Config = "",
) -> None:
    """Write a starter set: rules, what they ask about, and their cases.

    It is fitted to your tools: by the words in their names, or as you say. Overwrites nothing.
    """
    from kernos.app.cli.opening import settings_of
    from kernos.app.cli.policy_starting import write_starter

    write_starter(settings_of(config, store, agents, folder), kind, tool or [], argument or [])
