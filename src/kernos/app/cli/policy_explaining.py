"""Policy explain: one decision of the gate with its rules, what they looked at, and what would be said today."""

from collections.abc import Iterable

import msgspec

from kernos.app.cli.opening import existing, full_kernel
from kernos.app.cli.showing import print_json, quiet
from kernos.app.finding import Found, find_calls
from kernos.app.grounds import Grounds, differs, grounds_of, newest_decision
from kernos.app.kernel import Kernel
from kernos.app.settings import Settings
from kernos.app.story import SHORT, plain, shown, when
from kernos.vocabulary.errors import Ambiguous
from kernos.vocabulary.gate import Decision
from kernos.vocabulary.policies import RuleText
from kernos.vocabulary.quantities import Json

_NAMED_MAX = 5


async def explain_decision(settings: Settings, action: str, *, as_json: bool) -> None:
    """Print what the newest decision about a call rested on. Raises NotFound, Ambiguous, Tampered."""
    existing(settings)
    async with full_kernel(settings, works=False) as kernel:
        grounds = await grounds_of(kernel, await _only(kernel, action))
        in_force = kernel.policy.digest()
    if as_json:
        print_json({**_json(grounds), "set_in_force": in_force})
    else:
        _print(grounds, in_force[: len(grounds.decision.policy_set)])


async def _only(kernel: Kernel, action: str) -> Found:
    newest = await newest_decision(kernel, action) if "." not in action else None
    if newest is not None:
        return newest
    found = await find_calls(kernel, action, lambda done: quiet(done, of_all=0))
    if len(found) == 1:
        return found[0]
    named = ", ".join(f"{one.run[:SHORT]}.{one.step}" for one in found[:_NAMED_MAX])
    message = f"{action} belongs to {len(found)} calls: {named}{', ...' if len(found) > _NAMED_MAX else ''}"
    raise Ambiguous(message, hint="Name one of them as RUN.STEP.")


def _print(grounds: Grounds, in_force: str) -> None:
    decision = grounds.decision
    print(f"run {grounds.run[:SHORT]}, step {grounds.step}: {grounds.tool} {shown(grounds.args)}")
    print(f"{when(grounds.at)} {_said(decision)}")
    print(f"  policy set {decision.policy_set}{_since(grounds)}")
    _print_rules("the rules that determined it", decision.rules, grounds.rules)
    if decision.rules and not grounds.are_of_then:
        print("  (the texts of that set are not recorded: these are today's rules of those names)")
    if grounds.looked_at:
        print("\nwhat rules asked about, as it is known to have stood then")
        for name, value in sorted(grounds.looked_at.items()):
            text = shown(Json(msgspec.json.encode(value))) if value is not None else "unknown, or none for this call"
            print(f"  context.{name}: {text}")
    _print_now(grounds, in_force)


def _print_now(grounds: Grounds, in_force: str) -> None:
    print()
    if grounds.now is None:
        print(f"what the set in force ({in_force}) would say cannot be told: {grounds.why_not}")
        return
    same = "the same set is in force" if in_force == grounds.decision.policy_set else f"set {in_force} is in force now"
    if not differs(grounds):
        print(f"{same}, and says the same of this call: {grounds.now.answer}")
        return
    print(f"{same}, and would say another thing of this call: {_said(grounds.now)}")
    _print_rules("by", grounds.now.rules, grounds.rules_now)


def _said(decision: Decision) -> str:
    reason = f": {decision.reason}" if decision.reason else ""
    return f"{decision.answer}{reason}"


def _since(grounds: Grounds) -> str:
    if not grounds.entered_at:
        return ""
    wanted = f", wanted by {grounds.wanted_by}" if grounds.wanted_by else ""
    return f", in force since {when(grounds.entered_at)}{wanted}"


def _print_rules(heading: str, names: Iterable[str], rules: Iterable[RuleText]) -> None:
    there = {rule.id: rule for rule in rules}
    print(f"\n{heading}" if names else "\nno rule determined it")
    for name in names:
        rule = there.get(name)
        print(f"  {rule.place}" if rule is not None else f"  {name} (its text is not recorded)")
        for line in rule.text.splitlines() if rule is not None else ():
            print(f"    {line}")


def _json(grounds: Grounds) -> dict[str, object]:
    told = {name: getattr(grounds, name) for name in Grounds.__dataclass_fields__}
    return {**told, "args": plain(grounds.args), "differs": differs(grounds)}
