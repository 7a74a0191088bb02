"""Recollection: the answers of a recorded run, for code that is not the code that got them: by question, and by the nearest question."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from msgspec import json

from kernos.control.record import Record, answer_of
from kernos.kernel.state import Step, StepKind
from kernos.vocabulary.ids import StepName
from kernos.vocabulary.outcome import Failure
from kernos.vocabulary.quantities import Json


class Recollection:
    """The recorded steps of one run, each of which is taken once."""

    def __init__(self, record: Record | None, at: StepName | None) -> None:
        """Take the record, None for a run that never was; `at` is the first step that is not taken by its name alone."""
        self.steps: Mapping[StepName, Step] = record.state.steps if record is not None else {}
        self.record = record
        self._before = _names_before(self.steps, at)
        self._taken: set[StepName] = set()

    def before(self, name: StepName, kind: StepKind, what: str) -> Step | None:
        """Take the step of this name if it lies before the fork and asks for the same thing, whatever its arguments."""
        step = self.steps.get(name)
        if name not in self._before or step is None or step.kind is not kind or step.what != what:
            return None
        self._taken.add(name)
        return step

    def same(self, name: StepName, kind: StepKind, what: str, args: Json) -> Step | None:
        """Take the step that asked the same: under this name, else the first that nobody took."""
        for other in (name, *self.steps):
            step = self.steps.get(other)
            if step is None or other in self._taken:
                continue
            if step.kind is kind and step.what == what and (step.proposed or step.args) == args:
                self._taken.add(other)
                return step
        return None

    def again(self, what: str, args: Json) -> Step | None:
        """Return a call that asked the same, also one that was taken: a read may be made again."""
        for step in self.steps.values():
            if step.kind is StepKind.CALL and step.what == what and (step.proposed or step.args) == args:
                return step
        return None

    def instead(self, name: StepName, kind: StepKind, what: str) -> Step | None:
        """Take the step of this name that asked for the same thing with other arguments."""
        step = self.steps.get(name)
        if step is None or name in self._taken or step.kind is not kind or step.what != what:
            return None
        self._taken.add(name)
        return step

    def left(self) -> Iterator[tuple[StepName, Step]]:
        """Yield the steps that nobody took, without those of branches that were given up."""
        given_up = self.record.given_up if self.record is not None else ()
        for name, step in self.steps.items():
            if name not in self._taken and not name.startswith(given_up):
                yield name, step


def _names_before(steps: Mapping[StepName, Step], at: StepName | None) -> frozenset[StepName]:
    if at is None:
        return frozenset()
    names = list(steps)
    return frozenset(names[: names.index(at)])


def nearest(steps: Sequence[Step], kind: StepKind, what: str, args: Json) -> Json | None:
    """Return the result of the step of this kind whose arguments are most like these, None where there is none."""
    wanted = dict(_leaves(json.decode(args.text)))
    best, score = None, -1
    for step in steps:
        result = answer_of(step)
        if step.kind is not kind or step.what != what or result is None or isinstance(result, Failure):
            continue
        likeness = sum(
            wanted.get(path) == leaf for path, leaf in _leaves(json.decode((step.proposed or step.args).text))
        )
        if likeness > score:
            best, score = result, likeness
    return best


def _leaves(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Yield every value that is no object and no list, with the way to it."""
    if isinstance(value, dict):
        for name, part in value.items():
            yield from _leaves(part, (*path, name))
    elif isinstance(value, list):
        for index, part in enumerate(value):
            yield from _leaves(part, (*path, str(index)))
    else:
        yield path, value
