"""Budgets: the file `budgets.toml` beside the policies, which declares caps and who may raise them."""

import tomllib
from math import isfinite
from pathlib import Path
from typing import Literal

import msgspec

from kernos.kernel.budget import AMOUNT_MAX
from kernos.vocabulary.budget import Budget, Cap, Caps, Over, Unit
from kernos.vocabulary.errors import BadConfiguration, InvalidInput

FILE_NAME = "budgets.toml"

_MICROUSD = 1_000_000


class _Cap(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    over: Over
    name: str = ""
    usd: float | None = None
    tokens: int | None = None
    calls: int | None = None
    runs: int | None = None


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    raised_by: tuple[str, ...] = ()
    raised_with: Literal["", "own-key"] = ""
    asked_by_another: bool = False
    warn_at: tuple[int, ...] = (50, 80)
    cap: tuple[_Cap, ...] = ()


def caps_of(source: str | Path | Caps | None, policies: object) -> Caps:
    """Return the caps that a kernel was given, or those beside its policies; none where there is no such file. Raises BadConfiguration."""
    if isinstance(source, Caps):
        return source
    if source is not None:
        return read_caps(Path(source))
    if not isinstance(policies, (str, Path)) or "\n" in str(policies) or ";" in str(policies):
        return Caps()
    named = Path(policies)
    path = (named.parent if named.is_file() else named) / FILE_NAME
    return read_caps(path) if path.is_file() else Caps()


def read_caps(path: Path) -> Caps:
    """Read such a file. Raises BadConfiguration with what is wrong in it."""
    try:
        found = msgspec.convert(tomllib.loads(path.read_text(encoding="utf-8")), _File)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        message = f"{path} cannot be used: {error}"
        raise BadConfiguration(message, hint="Its form is told in docs/budgets.md.") from error
    if any(not 0 < share <= 100 for share in found.warn_at):  # noqa: PLR2004 - percent
        raise BadConfiguration(f"{path}: warn_at holds percents from 1 to 100", hint="Write warn_at = [50, 80].")
    caps: dict[tuple[Over, str, Unit], Cap] = {}
    for one in found.cap:
        for cap in _caps(one, path):
            if caps.setdefault((cap.over, cap.name, cap.unit), cap) is not cap:
                message = f"{path} caps {cap.unit} of {cap.over} {cap.name or 'each'} twice"
                raise BadConfiguration(message, hint="Keep one of them.")
    return Caps(
        tuple(caps.values()),
        found.raised_by,
        tuple(sorted(found.warn_at)),
        bool(found.raised_with),
        found.asked_by_another,
    )


def _caps(one: _Cap, path: Path) -> list[Cap]:
    if one.name and one.over in (Over.RUN, Over.STORE):
        message = f"{path}: a cap over {one.over} has no name, and this one is named {one.name!r}"
        raise BadConfiguration(message, hint="Leave the name out; a single run gets its budget where it is started.")
    usd = None if one.usd is None else round(one.usd * _MICROUSD) if isfinite(one.usd) else -1
    amounts = {Unit.MICROUSD: usd, Unit.TOKENS: one.tokens, Unit.CALLS: one.calls, Unit.RUNS: one.runs}
    given = {unit: amount for unit, amount in amounts.items() if amount is not None}
    if not given or any(not 0 <= amount <= AMOUNT_MAX for amount in given.values()):
        message = f"{path}: a cap over {one.over} {one.name} needs usd, tokens, calls or runs, from 0 to {AMOUNT_MAX}"
        raise BadConfiguration(message, hint="Write for example: tokens = 100_000")
    return [Cap(one.over, unit, amount, one.name) for unit, amount in given.items()]


def checked_budget(budget: Budget | None) -> Budget | None:
    """Return a run's budget. Raises InvalidInput for amounts that are none."""
    if budget is not None:
        for amount in (budget.microusd, budget.tokens, budget.calls):
            if amount is not None and (type(amount) is not int or not 0 <= amount <= AMOUNT_MAX):
                message = f"{amount!r} is no amount that a run could be given"
                raise InvalidInput(message, hint=f"Give whole numbers from 0 to {AMOUNT_MAX}.")
    return budget
