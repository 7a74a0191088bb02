"""Commands that take a recorded run out of the journal again: replay, fork, export."""

import sys
from typing import Annotated

import typer

from kernos.app.cli.options import Agents, AsJson, Config, Policies, RunArg, Store


def replay(run: RunArg, json: AsJson = False, agents: Agents = None, store: Store = "", config: Config = "") -> int:
    """Run a run's code again from the journal alone, and compare byte for byte.

    Offline and beside a running kernel: nothing is recorded, nothing is called. Exit code 1, with both sides of the first difference, when
    the code on disk does something else than the code that was recorded.
    """
    import asyncio

    from kernos.app.cli.opening import settings_of
    from kernos.app.cli.replaying import replay_run

    return asyncio.run(replay_run(settings_of(config, store, agents), run, as_json=json))


def fork(
    run: RunArg,
    at: Annotated[
        str, typer.Option("--at", metavar="STEP", help="Answer from the record up to this step; else from the start.")
    ] = "",
    changes: Annotated[
        list[str] | None,
        typer.Option(
            "--set", metavar="NAME=VALUE", help="input.FIELD=, model.NAME=, prompt.TASK=FILE or policy=PATH; repeat it."
        ),
    ] = None,
    offline: Annotated[bool, typer.Option("--offline", help="Make no new reads, and ask no model far away.")] = False,
    json: AsJson = False,
    agents: Agents = None,
    policies: Policies = "",
    store: Store = "",
    config: Config = "",
) -> None:
    """Live a recorded run again with something changed, dry, and show how it differs.

    What it asks as before is answered from the record. New reads and model calls are made; new actions are never performed: they are
    simulated and listed. Nothing is recorded.
    """
    import asyncio

    from kernos.app.cli.forking import fork_run
    from kernos.app.cli.opening import settings_of

    settings = settings_of(config, store, agents, policies)
    asyncio.run(fork_run(settings, run, at, changes or (), offline=offline, as_json=json))


def export(
    run: RunArg,
    as_test: Annotated[
        bool, typer.Option("--as-test", help="As a pytest file, which is the only form so far.")
    ] = False,
    out: Annotated[str, typer.Option("-o", "--out", metavar="FILE", help="Where to; else test_run_ID.py here.")] = "",
    redact: Annotated[
        str, typer.Option("--redact", metavar="FIELD,...", help="Replace the values of these fields by stand-ins.")
    ] = "",
    agents: Agents = None,
    store: Store = "",
    config: Config = "",
) -> None:
    """Write a recorded run as a test: its code must do the same again, with the recorded answers.

    The file needs no store and no network. It is checked before it is written.
    """
    from kernos.app.cli.exporting import export_run
    from kernos.app.cli.opening import settings_of
    from kernos.vocabulary.errors import InvalidInput

    if not as_test:
        message = "an export needs a form"
        raise InvalidInput(message, hint=f"kernos export {run} --as-test")
    fields = [name.strip() for name in redact.split(",") if name.strip()]
    path = export_run(settings_of(config, store, agents), run, out, fields)
    print(path)
    print(f"run it with: pytest {path}", file=sys.stderr)
