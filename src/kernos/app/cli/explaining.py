"""Explaining: one call outside and what it rests on; and the list of all that a run did outside."""

from functools import partial

import msgspec

from kernos.app.account import Account, Verdict
from kernos.app.cli.opening import plain_kernel
from kernos.app.cli.showing import print_json, print_table, progress
from kernos.app.finding import FOUND_MAX, TREE_MAX, find_calls
from kernos.app.outside import deeds_of, reference_of
from kernos.app.settings import Settings
from kernos.app.story import SHORT, shown, when
from kernos.app.why import Link, Why, explain
from kernos.vocabulary.quantities import Json

LISTED_MAX = 100
"""Calls listed when a reference belongs to several, the newest."""

WHOLE_LENGTH_MAX = 2_000
"""Letters of the arguments and of the result of one call: a screen of a terminal."""


async def tell_why(settings: Settings, reference: str, *, everywhere: bool, as_json: bool) -> None:
    """Print what the call behind a reference rests on, or the list of several. Raises NotFound, Ambiguous, Tampered."""
    async with plain_kernel(settings) as kernel:
        head = await kernel.journal.head()
        with progress("entries") as advance:
            told = partial(advance, of_all=head.size if head is not None else 0)
            found = await find_calls(kernel, reference, told, everywhere=everywhere)
        listed = [await explain(kernel, one) for one in found[: LISTED_MAX if len(found) > 1 else 1]]
    if as_json:
        print_json({"reference": reference, "found": len(found), "calls": [_json(one) for one in listed]})
    elif len(found) == 1:
        _print_why(reference, listed[0])
    else:
        _print_several(reference, listed, len(found))


async def list_effects(settings: Settings, name: str, *, tree: bool, as_json: bool) -> None:
    """Print what the run that begins with `name` did outside. Raises NotFound, Ambiguous, Tampered."""
    async with plain_kernel(settings) as kernel:
        run = await kernel.find(name)
        deeds = await deeds_of(kernel, run, tree=tree)
    if as_json:
        rows = [
            {**_account(one), "reference": reference_of(one), "taken_back_by": deeds.taken_back.get(one.key, "")}
            for one in deeds.actions
        ]
        print_json({"run": run, "runs": deeds.runs, "cut": deeds.cut, "actions": rows})
        return
    if not deeds.actions:
        print(f"run {run[:SHORT]} did nothing outside" + ("" if tree else "; the runs below it were not looked at"))
    else:
        headings = ("TIME", "STATE", "TOOL", "REFERENCE", "KEY", "APPROVED BY", "ARGUMENTS")
        print_table(headings, [_columns(one, deeds.taken_back.get(one.key, "")) for one in deeds.actions])
    if deeds.cut:
        print(f"and more: only {TREE_MAX} runs of its tree were looked at")


def _columns(one: Account, taken_back: str) -> tuple[str, ...]:
    at = when(one.intended_at or one.at)
    state = f"{one.state}, taken back by {taken_back}" if taken_back else one.state
    return at, state, one.tool, reference_of(one) or "-", one.key, one.approver or "-", _value(one.args)


# --- one call ------------------------------------------------------------------------------------------------------


def _print_why(reference: str, why: Why) -> None:
    one, own, first = why.account, why.chain[-1], why.chain[0]
    print(f"{reference} is {one.tool} of run {one.run[:SHORT]}, step {one.step} ({_how(why.how)}): {one.state}")
    print("\nwho wanted it")
    print(f"  {first.asked_by} asked {first.agent} at {when(first.asked_at)}: {first.intent}")
    for above, below in zip(why.chain, why.chain[1:], strict=False):
        print(f"  {_led(above, below)}")
    if own.reverts:
        print(f"  to take back what run {own.reverts[:SHORT]} did (kernos effects {own.reverts[:SHORT]})")
    print("\nwho did it")
    print(f"  agent {own.agent} version {own.version} (code {own.code_digest}), run {own.run}")
    print(f"  intent: {own.intent}")
    if one.checkpoint is not None:
        print(f"  it had reached {one.checkpoint.name} at {when(one.checkpoint.at)}: {one.checkpoint.summary}")
    else:
        print("  it had reached no checkpoint")
    print("\nwhat it did")
    kind = f"{one.effect} action" if one.kind == "action" and one.effect else one.kind
    print(f"  {one.tool} ({kind}), key {one.key}")
    if one.undoes:
        print(f"  it takes back the action with key {one.undoes} (kernos why {one.undoes})")
    print(f"  arguments {_whole(one.args)}")
    print(f"  result {_whole(one.result) if one.has_result else 'none'}")
    print(f"  {one.state}" + (f": {one.outcome}" if one.outcome else ""))
    for undo in why.taken_back:
        print(f"  taken back by {undo.tool}, key {undo.key}: {undo.state} (kernos why {undo.key})")
    _print_grounds(one)
    _print_tries(one)


def _print_grounds(one: Account) -> None:
    print("\nwhy it was allowed, or was not")
    times: dict[str, list[int]] = {}
    for verdict in one.decisions:  # The same on the same grounds is told once: it is taken anew when a yes is used.
        times.setdefault(_decision(verdict), []).append(verdict.at)
    for decision, (first, *later) in times.items():
        print(f"  {when(first)} {decision}" + (f"; again at {when(later[-1])}" if later else ""))
    for said in one.said:
        if not said.what.startswith("settled"):
            print(f"  {when(said.at)} {said.by} {said.what} it" + (f": {said.note}" if said.note else ""))
        if said.what == "edited":
            for name, before, after in _changes(said.before, said.after):
                print(f"    {name}: {before} became {after}")
    if one.said or one.state == "asking":
        return
    print("  nobody had to say yes")


def _print_tries(one: Account) -> None:
    print("\nhow it went")
    for attempt in one.attempts:
        ended = f", {when(attempt.ended_at)} {attempt.ended}" if attempt.ended_at else f", {attempt.ended}"
        print(f"  attempt {attempt.number}: {when(attempt.at)} begun{ended}")
    for looked in one.look_ups:
        verdict = {True: "it happened", False: "it did not happen", None: "it could not be told"}[looked.done]
        print(f"  {when(looked.at)} looked up: {verdict}; {looked.evidence}")
    for said in one.said:
        if said.what.startswith("settled"):
            print(f"  {when(said.at)} {said.by} {said.what}: {said.note}")
    if not one.attempts:
        print("  nothing left the kernel")


def _print_several(reference: str, listed: list[Why], count: int) -> None:
    more = f", the newest {len(listed)} of them" if count > len(listed) else ""
    at_least = "at least " if count == FOUND_MAX else ""
    print(f"{reference} belongs to {at_least}{count} calls{more}; tell one with kernos why RUN.STEP")
    rows = [
        (
            f"{why.account.run[:SHORT]}.{why.account.step}",
            when(why.account.intended_at or why.account.at),
            why.account.state,
            why.account.tool,
            _how(why.how),
            _value(why.account.args),
        )
        for why in listed
    ]
    print_table(("RUN.STEP", "TIME", "STATE", "TOOL", "FOUND AS", "ARGUMENTS"), rows)


def _decision(verdict: Verdict) -> str:
    answers = {"allow": "policy allowed it", "ask": "policy wanted a person's yes", "deny": "policy denied it"}
    rules = (
        f"rule{'s' if len(verdict.rules) > 1 else ''} {', '.join(verdict.rules)}"
        if verdict.rules
        else "no rule permits it"
    )
    why = f"; {verdict.reason}" if verdict.reason else ""
    return f"{answers[verdict.answer]} ({rules}; policy set {verdict.policy_set}{why})"


def _led(above: Link, below: Link) -> str:
    return f"run {above.run[:SHORT]} of {above.agent} asked {below.agent} in step {below.step} (run {below.run[:SHORT]}): {below.intent}"


def _how(how: str) -> str:
    words = {"key": "by its key", "step": "by its step", "run": "by its run", "trace": "by its trace"}
    return words.get(how, f"its {how}")


def _changes(before: object, after: object) -> list[tuple[str, str, str]]:
    if not isinstance(before, dict) or not isinstance(after, dict):
        return [("the arguments", _value(before), _value(after))]
    names = [name for name in dict.fromkeys((*before, *after)) if before.get(name) != after.get(name)]
    return [(str(name), _value(before.get(name)), _value(after.get(name))) for name in names]


def _value(value: object) -> str:
    return shown(Json(msgspec.json.encode(value)))


def _whole(value: object) -> str:
    text = msgspec.json.encode(value).decode()
    more = len(text) - WHOLE_LENGTH_MAX
    return f"{text[:WHOLE_LENGTH_MAX]}... (and {more} more letters: --json)" if more > 0 else text


def _account(one: Account) -> dict[str, object]:
    return {name: getattr(one, name) for name in Account.__dataclass_fields__} | {"approved_by": one.approver}


def _json(why: Why) -> dict[str, object]:
    own = why.chain[-1]
    about = {"agent": own.agent, "version": own.version, "code_digest": own.code_digest, "intent": own.intent}
    more = {"led_to_it": why.chain, "taken_back_by": [undo.key for undo in why.taken_back]}
    return {"found_as": why.how, **about, "asked_by": own.asked_by, **_account(why.account), **more}
