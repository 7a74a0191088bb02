"""Paying: shows how caps stand and raises one."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation

from kernos.app.budgets import caps_of
from kernos.app.cli.opening import existing
from kernos.app.cli.saying import signing
from kernos.app.cli.showing import print_json, print_table
from kernos.app.kernel import Kernel
from kernos.app.settings import Settings
from kernos.app.spending import Line, Spending
from kernos.control.raising import change_of
from kernos.kernel.administration import RaisedCap
from kernos.vocabulary.budget import Caps, Over, Unit
from kernos.vocabulary.errors import InvalidInput
from kernos.vocabulary.ids import EpochMs

_USD = "usd"
"""How budgets.toml gives money; what is counted are micro-dollars."""


def _kernel(settings: Settings) -> Kernel:
    caps: Caps = caps_of(None, settings.policies)
    return Kernel(existing(settings).store, works=False, token=settings.token, budgets=caps)


async def show_budgets(settings: Settings, *, as_json: bool) -> None:
    """Print every account with its cap."""
    async with _kernel(settings) as kernel:
        lines = await Spending(kernel).lines()
        standing = await Spending(kernel).standing()
        raised = Spending(kernel).raised()
        asked = Spending(kernel).asked()
        who = ", ".join(kernel.caps.raised_by) or "whoever administers"
    if as_json:
        print_json(
            {"accounts": lines, "reservations": standing, "raised": [_shown(*one) for one in raised], "asked": asked}
        )
        return
    if not lines:
        print("nothing was counted against a cap yet")
        return
    print_table(("OVER", "NAME", "PERIOD", "UNIT", "CAP", "RESERVED", "SPENT", "LEFT", "USED"), list(map(_row, lines)))
    print(f"a cap is raised by: {who} (kernos budget raise)")
    for one, wrong in raised:
        said = one.data
        place = f"{said.over} {said.name}".strip()
        ends = f" until {_day(said.until)}" if said.until else ""
        counts = f"; it does NOT count: {wrong}" if wrong else ""
        print(
            f"{_day(one.at)} {one.by} raised {place} from {said.old} to {said.new} {said.unit}{ends}: {said.reason}{counts}"
        )
    for wish in asked:
        wanted = wish.data
        place = f"{wanted.over} {wanted.name}".strip()
        print(f"{_day(wish.at)} {wish.by} asks to raise {place} to {wanted.new} {wanted.unit}: {wanted.reason}")
    if standing:
        print(
            "reserved and not settled (`kernos budget settle RUN.N` closes what a crash cut off, `kernos settle` what is in doubt):"
        )
        print_table(
            ("RUN.N", "STEP", "AMOUNTS", "WHY"),
            [(f"{one.run}.{one.n}", one.step, one.amounts, one.why) for one in standing],
        )


async def settle_reservation(settings: Settings, reservation: str, verdict: str, note: str) -> None:
    """Settle a reservation and tell. Raises what `Spending` raises."""
    async with _kernel(settings) as kernel:
        await Spending(kernel).settle(reservation, verdict, note, by=settings.by)
    print(f"{reservation} is settled as {verdict}")


def _shown(raised: RaisedCap, wrong: str) -> dict[str, object]:
    return {"by": raised.by, "at": raised.at, **asdict(raised.data), "counts": not wrong, "why_not": wrong}


def _day(at: EpochMs) -> str:
    return datetime.fromtimestamp(at / 1_000, UTC).strftime("%Y-%m-%d %H:%M")


def _row(line: Line) -> tuple[str, ...]:
    place = f"{line.tenant}/{line.name}" if line.over in (Over.AGENT, Over.WORKFLOW) else line.name or "all"
    cap, left, share = ("none", "-", "-") if line.cap < 0 else (str(line.cap), str(line.cap - line.used), _share(line))
    spent = line.used - line.reserved
    return (
        line.over,
        place,
        line.period or ("now" if line.unit is Unit.RUNS else "for good"),
        line.unit,
        cap,
        str(line.reserved),
        str(spent),
        left,
        share,
    )


def _share(line: Line) -> str:
    told = f" (told at {line.warned} %)" if line.warned else ""
    return (f"{line.used * 100 // line.cap} %" if line.cap else "100 %") + told


def _cap(words: Mapping[str, str]) -> tuple[Over, Unit, int]:
    """Return over what, in which unit and how much; `usd` is a million microusd. Raises InvalidInput."""
    in_usd = words["unit"] == _USD
    try:
        over, unit = Over(words["over"]), Unit.MICROUSD if in_usd else Unit(words["unit"])
    except ValueError as error:
        message = f"{error}".replace("is not a valid", "is no").replace("Over", "thing that has a cap")
        message = message.replace("Unit", "unit of a cap")
        hint = f"A cap is over {', '.join(Over)}; units are {_USD}, {', '.join(Unit)}."
        raise InvalidInput(message, hint=hint) from error
    try:
        amount = Decimal(words["amount"]) * (1_000_000 if in_usd else 1)
        whole = int(amount) if amount.is_finite() and -(10**18) < amount < 10**18 else None
    except InvalidOperation:
        whole = None
    if whole is None or whole != amount:
        message = f"{words['amount']!r} is no amount of {words['unit']}"
        raise InvalidInput(message, hint="Write a whole number such as 4000; of usd up to six digits after the point.")
    return over, unit, whole


def _time(text: str) -> int:
    """Return a time (UTC where it says no zone) in milliseconds since 1970, 0 for none. Raises InvalidInput."""
    if not text:
        return 0
    try:
        said = datetime.fromisoformat(text)
        return int((said if said.tzinfo is not None else said.replace(tzinfo=UTC)).timestamp() * 1_000)
    except (ValueError, OverflowError) as error:
        raise InvalidInput(f"{text!r} is no time", hint="Write 2026-12-31 or 2026-12-31T18:00, in UTC.") from error


async def ask_budget(settings: Settings, words: Mapping[str, str]) -> None:
    """Ask for a cap to be raised. Raises what `Spending` raises."""
    over, unit, amount = _cap(words)
    async with _kernel(settings) as kernel:
        await Spending(kernel).ask_raise(
            over, words["name"], unit, amount, reason=words["reason"], tenant=words["tenant"], by=settings.by
        )
    print(f"asked to raise {over} {words['name']} to {amount} {unit}; somebody else does it".replace("  ", " "))


async def raise_budget(settings: Settings, words: Mapping[str, str], sign_with: str) -> None:
    """Raise a cap and tell from what to what. Raises what `Spending` raises."""
    over, unit, amount = _cap(words)
    until = _time(words["until"])
    async with _kernel(settings) as kernel:
        raised = await Spending(kernel).raise_cap(
            over,
            words["name"],
            unit,
            amount,
            reason=words["reason"],
            tenant=words["tenant"],
            by=settings.by,
            until=until,
            **signing(sign_with),
        )
    ends = f" until {_day(EpochMs(until))}" if until else ""
    print(
        f"the cap of {over} {words['name']} is {amount} {unit} from now on{ends}; it was {raised.old}".replace(
            "  ", " "
        )
    )
    print(f"signed: {raised.token}")
    print(f"check it anywhere: kernos approval verify TOKEN --arguments '{change_of(raised).text.decode()}'")
