"""Paying: shows how caps stand and raises one."""

from collections.abc import Mapping

from kernos.app.budgets import caps_of
from kernos.app.cli.opening import existing
from kernos.app.cli.showing import print_json, print_table
from kernos.app.kernel import Kernel
from kernos.app.settings import Settings
from kernos.app.spending import Line, Spending
from kernos.vocabulary.budget import Caps, Over, Unit
from kernos.vocabulary.errors import InvalidInput


def _kernel(settings: Settings) -> Kernel:
    caps: Caps = caps_of(None, settings.policies)
    return Kernel(existing(settings).store, works=False, token=settings.token, budgets=caps)


async def show_budgets(settings: Settings, *, as_json: bool) -> None:
    """Print every account with its cap."""
    async with _kernel(settings) as kernel:
        lines = await Spending(kernel).lines()
        standing = await Spending(kernel).standing()
        who = ", ".join(kernel.caps.raised_by) or "whoever administers"
    if as_json:
        print_json({"accounts": lines, "reservations": standing})
        return
    if not lines:
        print("nothing was counted against a cap yet")
        return
    print_table(("OVER", "NAME", "PERIOD", "UNIT", "CAP", "RESERVED", "SPENT", "LEFT", "USED"), list(map(_row, lines)))
    print(f"a cap is raised by: {who} (kernos budget raise)")
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


async def raise_budget(settings: Settings, words: Mapping[str, str], amount: int) -> None:
    """Raise a cap and tell from what to what. Raises what `Spending` raises."""
    try:
        over, unit = Over(words["over"]), Unit(words["unit"])
    except ValueError as error:
        message = f"{error}".replace("is not a valid", "is no").replace("Over", "thing that has a cap")
        raise InvalidInput(message, hint=f"A cap is over {', '.join(Over)}; units are {', '.join(Unit)}.") from error
    async with _kernel(settings) as kernel:
        before = await Spending(kernel).raise_cap(
            over, words["name"], unit, amount, reason=words["reason"], tenant=words["tenant"], by=settings.by
        )
    print(f"the cap of {over} {words['name']} is {amount} {unit} from now on; it was {before}".replace("  ", " "))
