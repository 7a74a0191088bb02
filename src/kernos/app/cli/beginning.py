"""The first command: init."""

from typing import Annotated

import typer


def init(
    folder: Annotated[str, typer.Argument(metavar="[FOLDER]", help="Where to write; made if it is not there.")] = ".",
) -> None:
    """Write a first agent, its test and a policy.

    Asks nothing and overwrites nothing.
    """
    import shlex
    from importlib.util import find_spec
    from pathlib import Path

    from kernos.app.cli.starter import FILES
    from kernos.vocabulary.errors import BadConfiguration

    try:
        home = Path(folder).expanduser()
        is_file = home.is_file()
        taken = [name for name in FILES if (home / name).exists()]
    except (OSError, RuntimeError) as error:  # The last: ~NAME of nobody.
        why = error.strerror if isinstance(error, OSError) else error
        message = f"{folder[:_SHOWN_MAX]!r} can be no folder: {why}"
        raise BadConfiguration(message, hint="Name a folder, which may be a new one: kernos init FOLDER") from error
    if is_file:
        message = f"{home.resolve()} is a file, and a folder is wanted"
        raise BadConfiguration(message, hint="Name a folder, which may be a new one: kernos init FOLDER")
    if taken:
        message = f"{home.resolve()} has {', '.join(taken)} already; nothing was written"
        raise BadConfiguration(message, hint="Name another folder: kernos init FOLDER")
    try:
        for name, text in FILES.items():
            path = home / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
    except OSError as error:
        message = f"{error.filename or home} could not be written: {error.strerror}"
        raise BadConfiguration(message, hint="Name a folder where this user may write.") from error
    print(f"wrote {', '.join(FILES)}")
    print("next:")
    if folder != ".":
        print(f"  cd {shlex.quote(folder)}")
    print("""  kernos run hello --input '{"name": "Ada"}'""")
    print("  pytest" if find_spec("pytest") else "  pip install pytest && pytest")


_SHOWN_MAX = 80  # Characters of a name that is none.
