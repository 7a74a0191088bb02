"""Scene: what all runs of a variant share: what is changed, where answers come from, and the account of what comes of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from kernos.control.gate import Gate
from kernos.control.record import Record, answer_of, shown_step
from kernos.control.registry import Registry
from kernos.kernel.state import Step, StepKind
from kernos.ports.clock import Clock
from kernos.ports.plane import Worker
from kernos.vocabulary.ids import RunId, StepName, run_id
from kernos.vocabulary.outcome import Effect
from kernos.vocabulary.quantities import Json, Usage

_FIRST_NEW_RUN = 1
"""Numbers of runs that only the variant has: from the year 1970, so that no real run has them."""


class How(StrEnum):
    """How a step stands to the original."""

    EQUAL = "equal"
    CHANGED = "changed"
    NEW = "new"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class Lived:
    """One step of the variant beside that of the original."""

    agent: str
    step: str
    how: How
    now: str
    recorded: str = ""
    source: str = ""
    """Where its answer came from: the record, the tool, the model, a simulation, the gate."""


@dataclass(slots=True)
class Account:
    """What all runs of a variant came to."""

    lived: list[Lived] = field(default_factory=list)
    would_do: list[str] = field(default_factory=list)
    """Actions that were not in the original, each simulated."""
    would_not_do: list[str] = field(default_factory=list)
    """Actions of the original that it has not."""
    would_ask: list[str] = field(default_factory=list)
    """People whose yes it would need, or whose answer it would wait for."""
    cost: list[Usage] = field(default_factory=list)
    spent: list[Usage] = field(default_factory=list)
    """Model calls that were made for it, part of `cost`."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """A run of the original with what its model calls used."""

    record: Record
    usage: Mapping[StepName, Usage]


@dataclass(frozen=True, slots=True)
class Scene:
    """What all runs of a variant share."""

    registry: Registry
    gate: Gate
    gate_is_new: bool
    worker: Worker
    clock: Clock
    records: Mapping[RunId, Recorded]
    models: Mapping[str, str]
    """By the name that code asks for, the name that is asked instead."""
    prompts: Mapping[str, str]
    """By task, the instructions that are given instead."""
    offline: bool
    account: Account = field(default_factory=Account)
    pool: list[Step] = field(default_factory=list)
    """Every recorded step of the tree, for answers to calls that nobody made."""
    new_runs: list[RunId] = field(default_factory=list)

    def new_run(self) -> RunId:
        """Return an id for a run that only the variant has."""
        run = run_id(_FIRST_NEW_RUN + len(self.new_runs))
        self.new_runs.append(run)
        return run

    def usage_below(self, run: RunId) -> list[Usage]:
        """Return what the model calls of a recorded run and of those below it used."""
        recorded = self.records.get(run)
        if recorded is None:
            return []
        children = [step.child for step in recorded.record.state.steps.values() if step.child]
        return [*recorded.usage.values(), *(usage for child in children for usage in self.usage_below(child))]

    def leave_out(self, agent: str, name: StepName, step: Step) -> None:
        """Take notice that a step of the original does not happen, nor what happened below it."""
        answer = answer_of(step)
        if step.kind is StepKind.CALL and step.effect is not Effect.READ and isinstance(answer, Json):
            self.account.would_not_do.append(f"{agent} step {name}: {shown_step(step, '')}")
        recorded = self.records.get(step.child)
        if recorded is not None:
            for below, other in recorded.record.state.steps.items():
                self.leave_out(step.what, below, other)
