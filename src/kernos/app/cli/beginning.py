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

    home = Path(folder).expanduser()
    if home.is_file():
        message = f"{home.resolve()} is a file, and a folder is wanted"
        raise BadConfiguration(message, hint="Name a folder, which may be a new one: kernos init FOLDER")
    taken = [name for name in FILES if (home / name).exists()]
    if taken:
        message = f"{home.resolve()} has {', '.join(taken)} already; nothing was written"
        raise BadConfiguration(message, hint="Name another folder: kernos init FOLDER")
    try:
        for name, text in FILES.items():
            path = home / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
    except OSError as error:
        message = f"{error.filename} could not be written: {error.strerror}"
        raise BadConfiguration(message, hint="Name a folder where this user may write.") from error
    print(f"wrote {', '.join(FILES)}")
    print("next:")
    if folder != ".":
        print(f"  cd {shlex.quote(folder)}")
    print("""  kernos run hello --input '{"name": "Ada"}'""")
    print("  pytest" if find_spec("pytest") else "  pip install pytest && pytest")
