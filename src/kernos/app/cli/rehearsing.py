"""Rehearsing: recorded decisions taken again under policies that are not in force, and what would be different."""

from collections.abc import Sequence
from decimal import Decimal

from kernos.app.cli.opening import existing, find_agents, make_models
from kernos.app.cli.showing import Advance, print_json, progress
from kernos.app.kernel import Kernel
from kernos.app.policies import load_policy
from kernos.app.settings import Settings
from kernos.app.story import SHORT, plain, shown, when
from kernos.control.gate import Gate
from kernos.control.rehearsal import Flip, Group, Money, Rehearsal, Rehearser, groups_of, money_of
from kernos.ports.policy import Policy

_EXAMPLES = 3
"""Calls shown of each group; --json has them all."""

_ANSWERS = ("allow", "ask", "deny")


async def rehearse_policies(settings: Settings, policies: str, last: int, *, as_json: bool) -> None:
    """Print what would be decided otherwise. Raises BadConfiguration for policies that cannot be used."""
    async with Kernel(
        existing(settings).store,
        agents=find_agents(settings),
        models=make_models(settings),
        works=False,
        token=settings.token,
    ) as kernel:
        policy = load_policy(policies, kernel.registry)
        with progress("entries") as advance:
            found = await rehearsed(kernel, policy, last, advance)
    if as_json:
        print_json(_json(found))
    else:
        _print(found)


async def rehearsed(kernel: Kernel, policy: Policy, last: int, advance: Advance) -> Rehearsal:
    """Take the kernel's last recorded decisions (0: all) again under a policy set."""
    gate = Gate(kernel.registry, policy)
    rehearser = Rehearser(kernel.journal, kernel.registry, gate, policy.digest())
    return await rehearser.rehearse(last, lambda done, of_all: advance(done, of_all=of_all))


def _print(found: Rehearsal) -> None:
    taken = found.decisions - found.repeated - found.left_out.total()
    print(f"{taken} decisions taken again under policy set {found.policy_set}: {found.flipped} would flip")
    print("  " + ", ".join(f"{found.answers[answer]} {answer}" for answer in _ANSWERS) + " in all")
    if found.repeated:
        print(f"  {found.repeated} more rest on the same facts: they were taken when an approval was used")
    for reason, count in found.left_out.most_common():
        print(f"  {count} could not be taken again: {reason}")
    if found.flipped > len(found.flips):
        print(f"  what follows is about the newest {len(found.flips)} of them")
    if found.flips:
        print(f"  at stake: {_money(money_of(found.flips))}")
    for group in groups_of(found.flips):
        _print_group(group)


def _print_group(group: Group) -> None:
    calls = f"{len(group.flips)} call{'' if len(group.flips) == 1 else 's'}"
    print(f"\n{group.direction}: {calls} of {group.tool}")
    because = [
        f"no longer by {', '.join(group.lost)}" if group.lost else "",
        f"now by {', '.join(group.gained)}" if group.gained else "",
        group.reason,
    ]
    print(f"  because: {'; '.join(part for part in because if part) or 'the same rules answer otherwise'}")
    if any(flip.moves for flip in group.flips):
        print(f"  at stake: {_money(money_of(group.flips))}")
    for flip in group.flips[-_EXAMPLES:]:
        place = f"{flip.run[:SHORT]}.{flip.step}"
        print(f"  {when(flip.at)} {place} {shown(flip.args)}")
    if len(group.flips) > _EXAMPLES:
        print(f"  and {len(group.flips) - _EXAMPLES} more")


def _money(money: Money) -> str:
    parts = [
        f"{_amount(total)} {unit or '(unit unknown)'} by {argument}, in {count} call{'' if count == 1 else 's'}"
        for argument, unit, total, count in money.sums
    ]
    if money.unknown:
        parts.append(
            f"unknown in {money.unknown} call{'' if money.unknown == 1 else 's'}: no argument looks like money"
        )
    return "; ".join(parts) or "no action"


def _amount(total: Decimal) -> str:
    return f"{total:,f}"


# --- for programs --------------------------------------------------------------------------------------------------


def _json(found: Rehearsal) -> dict[str, object]:
    return {
        "policy_set": found.policy_set,
        "decisions": found.decisions,
        "repeated": found.repeated,
        "left_out": found.left_out,
        "answers": {answer: found.answers[answer] for answer in _ANSWERS},
        "flipped": found.flipped,
        "detailed": len(found.flips),
        "money": _money_json(money_of(found.flips)),
        "groups": [
            {
                "direction": group.direction,
                "tool": group.tool,
                "rules_lost": group.lost,
                "rules_gained": group.gained,
                "reason": group.reason,
                "flipped": len(group.flips),
                "money": _money_json(money_of(group.flips)),
                "flips": _flips_json(group.flips),
            }
            for group in groups_of(found.flips)
        ],
    }


def _money_json(money: Money) -> dict[str, object]:
    sums = [
        {"argument": argument, "unit": unit, "sum": str(total), "calls": count}
        for argument, unit, total, count in money.sums
    ]
    return {"sums": sums, "unknown_calls": money.unknown}


def _flips_json(flips: Sequence[Flip]) -> list[dict[str, object]]:
    return [
        {
            "run": flip.run,
            "step": flip.step,
            "at": flip.at,
            "args": plain(flip.args),
            "was": flip.was,
            "would_be": flip.would_be,
        }
        for flip in flips
    ]
