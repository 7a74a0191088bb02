"""Policy check: a folder of policies against the declared agents and tools, with every fault in its place, and what the set means."""

from collections.abc import Sequence
from pathlib import Path

from kernos.app.cli.opening import find_registry, make_models
from kernos.app.cli.options import FAILED
from kernos.app.cli.showing import print_json
from kernos.app.policies import check_set, folder_texts
from kernos.app.settings import Settings
from kernos.control.registry import Registry
from kernos.vocabulary.errors import BadConfiguration
from kernos.vocabulary.gate import MODEL_TOOL
from kernos.vocabulary.policies import Fault, PossibleCall, RuleText, Survey


def check_policies(settings: Settings, *, as_json: bool) -> int:
    """Print what is wrong, or what the set means; return the exit code. Raises BadConfiguration without policies or agents."""
    folder = policies_of(settings)
    registry = agents_of(settings)
    found, faults = check_set(folder_texts(folder), registry)
    if found is None:
        if as_json:
            print_json({"ok": False, "faults": faults})
        else:
            print_faults(folder, faults, "nothing was put in force")
        return FAILED
    rules, survey = found.policy.rules(), found.policy.survey(possible_calls(registry))
    if as_json:
        print_json({"ok": True, "policy_set": found.policy.digest(), "rules": rules, **_json(survey)})
    else:
        print(f"{folder}: {_many(len(rules), 'rule')}, policy set {found.policy.digest()[:16]}")
        _print_survey(survey)
    return 0


def policies_of(settings: Settings) -> Path:
    """Return the folder or file of policies. Raises BadConfiguration when none is named."""
    if settings.policies is None:
        message = "no policies are named"
        hint = "Name a folder: `kernos policy check FOLDER`, or `policies` in kernos.toml; `kernos policy init returns` writes one."
        raise BadConfiguration(message, hint=hint)
    return settings.policies


def agents_of(settings: Settings) -> Registry:
    """Return the agents and models that policies are about. Raises BadConfiguration when no agents are named."""
    if not settings.agents:
        message = "no agents are named, so policies have nothing to be checked against"
        raise BadConfiguration(message, hint="Name modules in `agents` of kernos.toml, or with --agents MODULE.")
    return find_registry(settings, make_models(settings))


def possible_calls(registry: Registry) -> frozenset[PossibleCall]:
    """Return the calls that can come about."""
    found: set[PossibleCall] = set()
    for agent in registry.agents:
        found |= {PossibleCall(agent.name, MODEL_TOOL, model) for model in registry.models}
        for tool in agent.tools:
            found.add(PossibleCall(agent.name, tool.name))
            if tool.compensate is not None:
                found.add(PossibleCall(agent.name, tool.compensate.tool.name))
    return frozenset(found)


def print_faults(folder: Path, faults: Sequence[Fault], end: str) -> None:
    """Print every fault in its place, and what follows from them."""
    home = folder if folder.is_dir() else folder.parent
    for fault in sorted(faults, key=lambda fault: fault.place):
        print(f"{_near(home)}{fault}")
    print(f"{_many(len(faults), 'fault')}; {end}")


def _near(home: Path) -> str:
    """Write a folder as briefly as it can be named from here."""
    here = Path.cwd()
    near = home.relative_to(here) if home.is_relative_to(here) else home
    return "" if near == Path() else f"{near}/"


def _print_survey(survey: Survey) -> None:
    parts = (
        ("no rule permits", survey.never, "every call is denied"),
        ("always asks a person", survey.attended, "no rule permits it unattended"),
    )
    for what, calls, why in parts:
        for tool, agents in _by_tool(calls).items():
            print(f"  {what}: {tool} ({', '.join(agents)}): {why}")
    for rule, why in survey.idle:
        print(f"  never applies: {rule.id} ({rule.place}): {why}")
    if not (survey.never or survey.attended or survey.idle):
        print("  every call may go on alone where its rules' conditions hold, and every rule can apply")


def _by_tool(calls: Sequence[PossibleCall]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for call in calls:
        found.setdefault(call.name, []).append(call.agent)
    return dict(sorted(found.items()))


def _json(survey: Survey) -> dict[str, object]:
    idle = [{"rule": rule.id, "place": rule.place, "why": why} for rule, why in survey.idle]
    never, attended = ([{"agent": c.agent, "call": c.name} for c in calls] for calls in (survey.never, survey.attended))
    return {"never_permitted": never, "never_unattended": attended, "never_apply": idle}


def _many(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"


def shown_rule(rule: RuleText) -> str:
    """Name a rule with its place."""
    return f"{rule.id} ({rule.place})"
