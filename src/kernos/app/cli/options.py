"""Options that several commands share."""

from typing import Annotated

import typer

FAILED = 1
"""Exit code for an error, and for a check that found something."""

USAGE = 2
"""Exit code for a command that was not understood."""

WAITS = 3
"""Exit code of `run` for a run that waits for something from outside."""

INTERRUPTED = 130
"""Exit code after Ctrl-C, as shells have it."""

Store = Annotated[str, typer.Option("--store", metavar="FILE", help="The store; else KERNOS_STORE, else kernos.toml.")]
Config = Annotated[
    str, typer.Option("--config", metavar="FILE", help="The settings file; else kernos.toml here or above.")
]
Agents = Annotated[
    list[str] | None,
    typer.Option("--agents", metavar="MODULE", help="A module with agents; may be given several times."),
]
Policies = Annotated[str, typer.Option("--policies", metavar="PATH", help="A Cedar file, or a folder of them.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask: what is shown is approved.")]
By = Annotated[str, typer.Option("--by", metavar="NAME", help="Who says so, as ana or person:ana; else KERNOS_BY.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
SignWith = Annotated[
    str, typer.Option("--sign-with", metavar="FILE", help="Sign it with the key of your own in this file, too.")
]
Note = Annotated[str, typer.Option("--note", metavar="TEXT", help="Why; kept in the journal.")]
RunArg = Annotated[str, typer.Argument(metavar="RUN", help="The beginning of a run's id.")]
PlaceArg = Annotated[str, typer.Argument(metavar="RUN[.STEP]", help="A run, or a step of it when several wait.")]
