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
    for one in failed:
        print(f"\n{one.place}: {one.name}")
        print(f"  {one.differs}")
        print(f"  why: {one.decision.reason or 'permitted'} (rules: {', '.join(one.decision.rules) or 'none'})")
        if one.unknown:
            print(
                f"  not given, so unknown: {', '.join(one.unknown)}; give it as context = {{ {one.unknown[0]} = ... }}"
            )
    quiet = [one for one in tested.results if one.unknown and not one.differs]
    if quiet:
        print()
    for one in quiet:
        print(f"{one.place}: {one.name}: not given, so unknown: {', '.join(one.unknown)}")
    count = len(tested.results)
    print(f"\n{count} case{'' if count == 1 else 's'}, {len(failed)} failed; policy set {tested.policy_set[:16]}")
    if tested.unreached:
        print(f"no case reaches: {', '.join(shown_rule(rule) for rule in tested.unreached)}")


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
