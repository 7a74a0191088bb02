"""The command line: a thin face over the calls that programs make.

Modules that declare commands import nothing but typer at their top; what a command needs is imported when it runs, so that
`kernos --help` costs no more than typer itself.
"""

import errno
import os
import re
import shlex
import sys
import traceback
from collections.abc import Sequence
from types import TracebackType

import typer

from kernos.app.cli.legible import legible
from kernos.app.cli.options import FAILED, INTERRUPTED, USAGE
from kernos.vocabulary.errors import AgentError, CallerError, KernosError, OperatorError, ToolError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code: 0 done, 1 an error, 2 wrong usage, 3 the run waits, 130 stopped by Ctrl-C."""
    from typer.main import get_command

    from kernos.app.cli.program import GROUPS, NAMES, app

    given = list(sys.argv[1:] if arguments is None else arguments)
    if given in ([group] for group in GROUPS):
        given.append("--help")
    if arguments is None:
        sys.excepthook = _unexpected
        _fill_standard_files()
    try:
        command = get_command(app)  # Not app(...), which would put an excepthook of its own in place of ours.
        with legible(for_programs="--json" in given):
            code = command(args=given or ["--help"], prog_name="kernos", standalone_mode=False)
        sys.stdout.flush()
    except KernosError as error:
        return _say(error.code, str(error), _again(error.hint or _advice(error), given), FAILED)
    except typer.TyperException as error:
        where = f"{given[0]} " if given and given[0] in NAMES else ""
        return _say("usage", error.format_message(), f"kernos {where}--help", USAGE)
    except (typer.Abort, KeyboardInterrupt):
        return INTERRUPTED
    except BrokenPipeError:  # The reader has gone, as in `kernos ps | head`; what is left to flush has nowhere to go.
        _drop_output()
        return FAILED
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        _drop_output()
        hint = "Make room where the output goes. What the command recorded is recorded: `kernos ps --all` shows it."
        return _say("storage_failed", "the output could not be written: the disk is full", hint, FAILED)
    return code if isinstance(code, int) else 0


def _fill_standard_files() -> None:
    """Let nothing that is opened later take the place of an input or output that was closed before the start, as by `>&-`."""
    while (handle := os.open(os.devnull, os.O_RDWR)) <= _STDERR:
        pass
    os.close(handle)
    sys.stdin = sys.stdin or os.fdopen(_STDIN, encoding="utf-8")
    sys.stdout = sys.stdout or os.fdopen(_STDOUT, "w", encoding="utf-8")
    sys.stderr = sys.stderr or os.fdopen(_STDERR, "w", encoding="utf-8")


_STDIN, _STDOUT, _STDERR = 0, 1, 2


def _drop_output() -> None:
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _again(hint: str, given: Sequence[str]) -> str:
    """Return the hint with the options that its commands need to mean the same store as the command that was given."""
    options = ""
    for name in ("--store", "--config"):
        for place, word in enumerate(given):
            if word == name and place + 1 < len(given):
                options += f" {name} {shlex.quote(given[place + 1])}"
            elif word.startswith(f"{name}="):
                options += f" {name} {shlex.quote(word.partition('=')[2])}"
    return _COMMAND.sub(lambda found: found[0] if options in found[0] else f"`{found[1]}{options}`", hint)


_COMMAND = re.compile(r"`(kernos (?!init)[^`]*)`")
"""A command within a hint; `init` works with no store."""


def _say(code: str, message: str, hint: str, exit_code: int) -> int:
    print(f"error[{code}]: {message}", file=sys.stderr)
    print(f"next: {hint}", file=sys.stderr)
    return exit_code


def _advice(error: KernosError) -> str:
    """Return what to do next by who must act, for errors without advice of their own."""
    match error:
        case CallerError():
            return "See what there is with `kernos ps --all`, and what the command takes with --help."
        case AgentError() | ToolError():
            return "Mend the agent's code, then check it with `kernos doctor`."
        case OperatorError():
            return "See what is wrong with `kernos doctor`."
        case _:
            return "Give the command again; what is recorded stays recorded."


def _unexpected(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Say what no one foresaw in the form of all other errors, with the place for whoever mends it."""
    if os.environ.get("KERNOS_TRACEBACK"):
        traceback.print_exception(kind, error, trace)
    frames = traceback.extract_tb(trace)
    place = f" ({frames[-1].filename.rsplit('/', 1)[-1]}:{frames[-1].lineno})" if frames else ""
    hint = "Please report it with the output of `kernos doctor`; KERNOS_TRACEBACK=1 shows where it comes from."
    _say("bug", f"kernos met something that it does not expect: {kind.__name__}: {error}{place}", hint, FAILED)
