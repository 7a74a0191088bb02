"""Forking: a recorded run lived again with something changed, and how that differs from the original, on paper."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import msgspec

from kernos.adapters.system.clock import SystemClock
from kernos.app.cli.opening import find_agents, make_models, recorded_agent
from kernos.app.cli.replaying import shown_apart
from kernos.app.cli.showing import print_json
from kernos.app.policies import load_policy
from kernos.app.records import Records
from kernos.app.settings import Settings
from kernos.app.stores import open_vault
from kernos.app.story import SHORT
from kernos.authoring.codec import codec_of
from kernos.control.assignment import assignment_of
from kernos.control.gate import Gate
from kernos.control.record import Ending, Record, record_of, shown_end
from kernos.control.registry import Registry
from kernos.control.scene import Account, How, Lived, Recorded, Scene
from kernos.control.variant import Variant, requested_state
from kernos.execution.worker import InProcessWorker
from kernos.ports.model import Model
from kernos.vocabulary.contract import AgentContract
from kernos.vocabulary.errors import BadConfiguration, ContractBroken, InvalidInput, NotFound
from kernos.vocabulary.events import ChildStarted, ModelAnswered
from kernos.vocabulary.ids import RunId, StepName
from kernos.vocabulary.quantities import Json, Usage

_SHAPE = "Write input.amount=5, input=JSON, model.default=other, prompt.TASK=FILE or policy=FOLDER."


@dataclass(slots=True)
class Changes:
    """What is to be different."""

    input: list[tuple[tuple[str, ...], Any]] = field(default_factory=list)
    models: dict[str, str] = field(default_factory=dict)
    prompts: dict[str, str] = field(default_factory=dict)
    policy: Path | None = None


def changes_of(pairs: Sequence[str], here: Path) -> Changes:
    """Read what `--set` gave. Raises InvalidInput."""
    changes = Changes()
    for pair in pairs:
        name, equals, value = pair.partition("=")
        kind, *rest = name.split(".")
        if not equals or not value:
            raise InvalidInput(f"{pair!r} changes nothing", hint=_SHAPE)
        match kind:
            case "input":
                changes.input.append((tuple(rest), _json(value)))
            case "model" if rest:
                changes.models[".".join(rest)] = value
            case "prompt" if rest:
                changes.prompts[".".join(rest)] = _file_text(here / value)
            case "policy" if not rest:
                changes.policy = here / value
            case _:
                raise InvalidInput(f"{name!r} is nothing that can be changed", hint=_SHAPE)
    return changes


def _json(value: str) -> Any:
    try:
        return msgspec.json.decode(value)
    except msgspec.DecodeError:
        return value


def _file_text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput(f"{path} could not be read: {error}", hint=_SHAPE) from error


async def fork_run(
    settings: Settings, name: str, at: str, pairs: Sequence[str], *, offline: bool, as_json: bool
) -> None:
    """Live a run again from step `at` on with the changes, and print the difference. Raises what its parts raise."""
    changes = changes_of(pairs, Path.cwd())
    agents = find_agents(settings)
    models = make_models(settings)
    registry = Registry(agents, models)
    with Records(settings.store, settings.token) as records:
        run = records.find(name)
        recorded = await _tree(records, run)
    record = recorded[run].record
    if at and StepName(at) not in record.state.steps:
        raise NotFound(f"run {run} has no step {at}", hint=f"See its steps with `kernos trace {run} --events`.")
    scene = _scene(settings, changes, registry, models, recorded, offline=offline)
    agent = recorded_agent(registry, record.state.request().agent)
    given = _input(record, agent, changes)
    requested = replace(record.state.request(), input=given, agent_version=agent.version, code_digest=agent.code_digest)
    state = requested_state(run, requested, record.state.requested_by)
    variant = Variant(scene, recorded[run], state, StepName(at) if at else None)
    variant.start()
    await variant.done
    before = sum_of([usage for one in recorded.values() for usage in one.usage.values()])
    told = _Told(record, variant.ending, variant.stands, scene.account, before)
    _print_json(told) if as_json else _print(told, agent, at)


def _scene(
    settings: Settings,
    changes: Changes,
    registry: Registry,
    models: Mapping[str, Model],
    recorded: Mapping[RunId, Recorded],
    *,
    offline: bool,
) -> Scene:
    strange = sorted(set(changes.models.values()) - set(models))
    if strange:
        message = f"no model is named {', '.join(strange)} here (there are: {', '.join(models) or 'none'})"
        raise BadConfiguration(message, hint="Name it under [models.NAME] in kernos.toml.")
    policy = load_policy(changes.policy or settings.policies, registry)
    return Scene(
        registry=registry,
        gate=Gate(registry, policy),
        gate_is_new=changes.policy is not None,
        worker=InProcessWorker(models, codec_of, vault=open_vault(settings.store)),
        clock=SystemClock(),
        records=recorded,
        models=changes.models,
        prompts=changes.prompts,
        offline=offline,
        pool=[step for one in recorded.values() for step in one.record.state.steps.values()],
    )


async def _tree(records: Records, run: RunId) -> dict[RunId, Recorded]:
    """Read a run and those below it, as far as they exist."""
    found: dict[RunId, Recorded] = {}
    queue = [run]
    while queue:
        events = await records.events(queue.pop())
        usage: dict[StepName, Usage] = {}
        for event in events:
            if isinstance(event.data, ModelAnswered):
                usage[event.data.step] = event.data.usage
            elif isinstance(event.data, ChildStarted):
                queue.append(event.data.child)
        found[events[0].run] = Recorded(record_of(events), usage)
    return found


def _input(record: Record, agent: AgentContract[Any, Any], changes: Changes) -> Json:
    """Return the input as the present version has it, changed. Raises InvalidInput when it does not fit any more."""
    given = assignment_of(record.state, agent, from_checkpoint=False).input
    if not changes.input:
        return given
    value = msgspec.json.decode(given.text)
    for path, new in changes.input:
        value = _put(value, path, new, ".".join(("input", *path)))
    try:
        changed = agent.input.encode(agent.input.decode(Json(msgspec.json.encode(value))))
    except ContractBroken as broken:
        raise InvalidInput(f"agent {agent.name} does not take the changed input: {broken}") from broken
    for (
        path,
        _,
    ) in changes.input:  # A type may pass over what it does not know; here that would be a change that changes nothing.
        if not _has(msgspec.json.decode(changed.text), path):
            message = f"the input of agent {agent.name} has no place {'.'.join(('input', *path))}"
            raise InvalidInput(message, hint="See what it takes with `kernos config`.")
    return changed


def _has(value: Any, path: Sequence[str]) -> bool:
    for head in path:
        if isinstance(value, list) and head.isdigit() and int(head) < len(value):
            value = value[int(head)]
        elif isinstance(value, dict) and head in value:
            value = value[head]
        else:
            return False
    return True


def _put(value: Any, path: tuple[str, ...], new: Any, name: str) -> Any:
    if not path:
        return new
    head, *rest = path
    if isinstance(value, dict):
        return {**value, head: _put(value.get(head), tuple(rest), new, name)}
    if isinstance(value, list) and head.isdigit() and int(head) < len(value):
        return [_put(part, tuple(rest), new, name) if n == int(head) else part for n, part in enumerate(value)]
    raise InvalidInput(f"the input has no place {name}", hint=_SHAPE)


def sum_of(usages: Sequence[Usage]) -> Usage:
    """Add usages up; calls of unknown price count as free."""
    return Usage(
        sum(usage.prompt_tokens for usage in usages),
        sum(usage.completion_tokens for usage in usages),
        sum(max(0, usage.cost_microusd) for usage in usages),
    )


# --- on paper ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Told:
    record: Record
    ending: Ending | None
    stands: Sequence[str]
    account: Account
    before: Usage

    def outcomes(self) -> tuple[str, str]:
        """Say how the original ended, and how the variant."""
        then = shown_end(self.record.ending) if self.record.ending is not None else f"{self.record.status}"
        now = shown_end(self.ending) if self.ending is not None else f"waits at {'; '.join(self.stands)}"
        return then, now

    def lived(self, *hows: How) -> list[Lived]:
        """Return the steps that stand so to the original."""
        return [step for step in self.account.lived if step.how in hows]


def _print_json(told: _Told) -> None:
    before, after = told.outcomes()
    print_json(
        {
            "run": told.record.state.run,
            "outcome": {"before": before, "after": after, "equal": before == after},
            "steps": told.account.lived,
            "would_do": told.account.would_do,
            "would_not_do": told.account.would_not_do,
            "would_ask": told.account.would_ask,
            "cost": {"before": told.before, "after": sum_of(told.account.cost), "spent": sum_of(told.account.spent)},
        }
    )


def _print(told: _Told, agent: AgentContract[Any, Any], at: str) -> None:
    account = told.account
    counts = {how: len(told.lived(how)) for how in How}
    start = f"from step {at}" if at else "from its start"
    print(
        f"run {told.record.state.run[:SHORT]} of {agent.name} version {agent.version}, lived again {start}: dry, nothing recorded"
    )
    print(f"\nsteps: {', '.join(f'{count} {how}' for how, count in counts.items())}")
    for step in told.lived(How.CHANGED, How.NEW, How.GONE):
        now, before = shown_apart(step.now, step.recorded)
        print(f"  {step.how:<7} {step.agent} step {step.step}{f', answered by {step.source}' if step.source else ''}")
        for side, text in (("before", before), ("now", now)):
            if text:
                print(f"    {side:<6} {text}")
    for title, lines in (
        ("it would do outside, and did not (simulated)", account.would_do),
        ("it did outside, and would not", account.would_not_do),
        ("it would ask", account.would_ask),
    ):
        if lines:
            print(f"\n{title}")
            for line in lines:
                print(f"  {line}")
    before, after = told.outcomes()
    simulated = " (with simulated results)" if account.would_do else ""
    print(f"\noutcome: the same{simulated}" if before == after else f"\noutcome{simulated}")
    shown = shown_apart(before, after)
    print(f"  before {shown[0]}" + ("" if before == after else f"\n  now    {shown[1]}"))
    print(
        f"cost: before {_cost(told.before)}; now {_cost(sum_of(account.cost))}; spent on this fork {_cost(sum_of(account.spent))}"
    )


def _cost(usage: Usage) -> str:
    return f"{usage.prompt_tokens + usage.completion_tokens} tokens, ${usage.cost_microusd / 1e6:.6f}"
