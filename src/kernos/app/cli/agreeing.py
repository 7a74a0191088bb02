"""Agreeing: asks before what cannot be taken back, or is large, is done."""

import sys

import typer


def agreed(question: str, *, yes: bool) -> bool:
    """Tell whether to go on: `yes` was said with the command, or whoever sits there says so now. Says what to do where nobody can be asked."""
    if yes:
        return True
    if not sys.stdin.isatty():
        print("Nothing was done. To do it, give the command again with --yes.")
        return False
    return typer.confirm(question, default=False)
