"""Policy init: a starter set written into a folder that has no policies yet, checked and tested before anything is said."""

from collections.abc import Sequence
from pathlib import Path

from kernos.app.cli.policy_checking import agents_of
from kernos.app.context_file import FILE_NAME as CONTEXT_FILE
from kernos.app.policies import set_of
from kernos.app.policy_cases import CASES_FILE, put_cases
from kernos.app.settings import Settings
from kernos.app.starter_policies import parts_of, starter_of
from kernos.vocabulary.errors import BadConfiguration, InvalidInput

_FOLDER = "policies"


def write_starter(settings: Settings, kind: str, tools: Sequence[str], arguments: Sequence[str]) -> None:
    """Write the set and say what it is about. Raises BadConfiguration, also when the folder has policies; InvalidInput."""
    registry = agents_of(settings)
    home = settings.policies if settings.policies is not None else settings.folder / _FOLDER
    _check_free(home)
    starter = starter_of(
        kind, registry, _pairs(tools, "--tool refund=NAME"), _pairs(arguments, "--argument refund.amount=NAME")
    )
    rules = {name: text for name, text in starter.files.items() if name != CASES_FILE}
    found = set_of(rules, registry)
    try:
        home.mkdir(parents=True, exist_ok=True)
        for name, text in starter.files.items():
            (home / name).write_text(text, encoding="utf-8")
    except OSError as error:
        message = f"{error.filename or home} could not be written: {error.strerror}"
        raise BadConfiguration(message, hint="Name a folder where this user may write.") from error
    tested = put_cases([home / CASES_FILE], found, registry)
    print(f"wrote {', '.join(starter.files)} into {home}")
    for part in parts_of(starter):
        print(f"  {part}")
    for left_out in starter.left_out:
        print(f"  left out: {left_out}")
    failed = sum(bool(result.differs) for result in tested.results)
    print(f"{len(found.policy.rules())} rules; {len(tested.results)} cases, {failed} failed")
    print("next: read them, change the figures, then `kernos policy check` and `kernos policy test`")
    if settings.policies is None or settings.sources.get("policies") == "--policies":
        print(f'  for all commands: policies = "{_relative(home, settings.folder)}" under [kernos] in kernos.toml')


def _check_free(home: Path) -> None:
    if home.is_file():
        message = f"{home} is a file, and a folder is wanted"
        raise BadConfiguration(message, hint="Name a folder, which may be a new one: kernos policy init KIND FOLDER")
    taken = [name for name in (CONTEXT_FILE, CASES_FILE) if (home / name).exists()]
    taken = sorted([path.name for path in home.glob("*.cedar")] + taken) if home.is_dir() else taken
    if taken:
        message = f"{home} has {', '.join(taken)} already; nothing was written, because rules of one folder add up"
        raise BadConfiguration(message, hint="Name another folder: kernos policy init KIND FOLDER")


def _pairs(given: Sequence[str], example: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for pair in given:
        name, equals, value = pair.partition("=")
        if not (name and equals and value):
            raise InvalidInput(f"{pair!r} names nothing", hint=f"Write it as {example}.")
        found[name] = value
    return found


def _relative(path: Path, folder: Path) -> Path:
    return path.relative_to(folder) if path.is_relative_to(folder) else path
