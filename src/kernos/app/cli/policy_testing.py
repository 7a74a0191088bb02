"""Policy test: cases put to the policies, in a table, with the difference where an answer is another."""

from collections.abc import Sequence
from pathlib import Path

from kernos.app.cli.options import FAILED
from kernos.app.cli.policy_checking import agents_of, policies_of, shown_rule
from kernos.app.cli.showing import print_json, print_table
from kernos.app.policies import load_set
from kernos.app.policy_cases import CASES_FILE, Result, Tested, put_cases
from kernos.app.settings import Settings


def try_policies(settings: Settings, files: Sequence[str], *, strict: bool, as_json: bool) -> int:
    """Print what came of the cases; return the exit code. Raises BadConfiguration, BadPolicies."""
    folder = policies_of(settings)
    home = folder if folder.is_dir() else folder.parent
    paths = [Path(name) for name in files] or [home / CASES_FILE]
    registry = agents_of(settings)
    tested = put_cases(paths, load_set(folder, registry), registry)
    failed = [result for result in tested.results if result.differs]
    if as_json:
        _print_json(tested)
    else:
        _print(tested, failed)
    return FAILED if failed or not tested.results or (strict and tested.unreached) else 0


def _print(tested: Tested, failed: Sequence[Result]) -> None:
    rows = [
        ("FAIL" if one.differs else "ok", one.name, one.decision.answer, ", ".join(one.decision.rules) or "-")
        for one in tested.results
    ]
    print_table(("", "CASE", "ANSWER", "RULES"), rows)
    causes: dict[tuple[str, ...], list[Result]] = {}
    for one in failed:
        causes.setdefault(_cause(one), []).append(one)
    for cause, shared in causes.items():
        print()
        for one in shared:
            print(f"{one.place}: {one.name}: {one.differs}")
        for line in cause:
            print(f"  {line}")
        if shared[0].unknown and len(shared) > 1:
            print("  what is the same for all cases stands once, in the context of [usual]")
    quiet = [one for one in tested.results if one.unknown and not one.differs]
    if quiet:
        print()
    for one in quiet:
        print(f"{one.place}: {one.name}: not given, so unknown: {', '.join(one.unknown)}")
    count = len(tested.results)
    print(f"\n{count} case{'' if count == 1 else 's'}, {len(failed)} failed; policy set {tested.policy_set[:16]}")
    if tested.unreached:
        print(f"no case reaches: {', '.join(shown_rule(rule) for rule in tested.unreached)}")


def _cause(failed: Result) -> tuple[str, ...]:
    """Say why the answer is another, in lines that cases with the same cause share."""
    why = f"why: {failed.decision.reason or 'permitted'} (rules: {', '.join(failed.decision.rules) or 'none'})"
    if not failed.unknown:
        return (why,)
    named = ", ".join(failed.unknown)
    how = f"context = {{ {failed.unknown[0]} = ... }}"
    return why, f"not given, so unknown: {named}; give it as {how}"


def _print_json(tested: Tested) -> None:
    cases = [
        {
            "name": one.name,
            "place": one.place,
            "ok": not one.differs,
            "expected": one.expected,
            "wanted_rules": one.wanted,
            "answer": one.decision.answer,
            "rules": one.decision.rules,
            "reason": one.decision.reason,
            "unknown": one.unknown,
            "difference": one.differs,
        }
        for one in tested.results
    ]
    unreached = [{"rule": rule.id, "place": rule.place} for rule in tested.unreached]
    print_json({"policy_set": tested.policy_set, "cases": cases, "unreached": unreached})
