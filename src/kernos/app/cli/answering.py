"""What people say to runs: approve, deny, edit, answer, settle, signal, cancel, resume.

Each works beside a running kernel and without one: it records what was said, and says who goes on with it.
"""

from typing import Annotated

import typer

from kernos.app.cli.options import AsJson, By, Config, Note, PlaceArg, RunArg, SignWith, Store

_REASON = typer.Option("--reason", metavar="TEXT", help="Why; kept in the journal.")


def approve(
    place: PlaceArg,
    note: Note = "",
    sign_with: SignWith = "",
    by: By = "",
    store: Store = "",
    config: Config = "",
    json: AsJson = False,
) -> None:
    """Say yes to a call that waits, with exactly the arguments shown."""
    from kernos.app.cli.saying import Said, say, signing

    say(Said("approve", place, {"note": note, **signing(sign_with)}), config, store, by, json)


def deny(
    place: PlaceArg,
    reason: Annotated[str, _REASON] = "no reason given",
    by: By = "",
    store: Store = "",
    config: Config = "",
    json: AsJson = False,
) -> None:
    """Say no to a call that waits."""
    from kernos.app.cli.saying import Said, say

    say(Said("deny", place, {"reason": reason}), config, store, by, json)


def edit(
    place: PlaceArg,
    changes: Annotated[
        list[str], typer.Argument(metavar="NAME=VALUE...", help="Arguments to change; VALUE is JSON or text.")
    ],
    note: Note = "",
    sign_with: SignWith = "",
    by: By = "",
    store: Store = "",
    config: Config = "",
    json: AsJson = False,
) -> None:
    """Change arguments of a call that waits, and say yes."""
    from kernos.app.cli.saying import Said, changes_of, say, signing

    say(
        Said("edit", place, {"changes": changes_of(changes), "note": note, **signing(sign_with)}),
        config,
        store,
        by,
        json,
    )


def answer(
    place: PlaceArg,
    text: Annotated[str, typer.Argument(metavar="TEXT", help="The answer; one of the options where there are any.")],
    by: By = "",
    store: Store = "",
    config: Config = "",
    json: AsJson = False,
) -> None:
    """Answer a question that a run asks."""
    from kernos.app.cli.saying import Said, say

    say(Said("answer", place, {"answer": text}), config, store, by, json)


def settle(
    place: PlaceArg,
    verdict: Annotated[str, typer.Argument(metavar="done|not_done|unknown", help="What became of it.")],
    note: Annotated[str, typer.Option("--note", metavar="TEXT", help="How you know; kept in the journal.")],
    result: Annotated[
        str, typer.Option("--result", metavar="JSON", help="What the tool would have returned, for done.")
    ] = "null",
    by: By = "",
    store: Store = "",
    config: Config = "",
    json: AsJson = False,
) -> None:
    """Say what became of an action in doubt."""
    from kernos.app.cli.saying import Said, say
    from kernos.app.cli.showing import read_json

    given = {"verdict": verdict, "note": note, "result": read_json(result, "--result")}
    say(Said("settle", place, given), config, store, by, json)


def signal(
    run: RunArg,
    topic: Annotated[str, typer.Argument(metavar="TOPIC", help="What the signal is about.")],
    data: Annotated[str, typer.Option("--data", metavar="JSON", help="What it says.")] = "null",
    key: Annotated[
        str, typer.Option("--key", metavar="KEY", help="Makes it arrive once, however often it is sent.")
    ] = "",
    by: By = "",
    store: Store = "",
    config: Config = "",
    json: AsJson = False,
) -> None:
    """Send a signal to a run."""
    from kernos.app.cli.saying import Said, say
    from kernos.app.cli.showing import read_json

    say(Said("signal", run, {"topic": topic, "data": read_json(data, "--data"), "key": key}), config, store, by, json)


def cancel(
    run: RunArg,
    reason: Annotated[str, _REASON] = "no reason given",
    by: By = "",
    store: Store = "",
    config: Config = "",
    json: AsJson = False,
) -> None:
    """Stop a run and everything below it.

    An action under way ends first and is recorded.
    """
    from kernos.app.cli.saying import Said, say

    say(Said("cancel", run, {"reason": reason}), config, store, by, json)


def resume(run: RunArg, by: By = "", store: Store = "", config: Config = "", json: AsJson = False) -> None:
    """Send a blocked run on, once what blocked it is mended."""
    from kernos.app.cli.saying import Said, say

    say(Said("resume", run, {}), config, store, by, json)
