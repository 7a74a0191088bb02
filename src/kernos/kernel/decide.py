"""Decide: from a run's state and a command to the events that follow; the one place where rules meet commands."""

from collections.abc import Mapping

from kernos.kernel import action, approval, budget, checkpoint, compensation, room, run, wait
from kernos.kernel.state import Decide, RunState
from kernos.vocabulary.commands import Command
from kernos.vocabulary.events import EventData

RULES: Mapping[type, Decide] = {
    **run.DECIDE,
    **checkpoint.DECIDE,
    **action.DECIDE,
    **budget.DECIDE,
    **approval.DECIDE,
    **wait.DECIDE,
    **room.DECIDE,
    **compensation.DECIDE,
}


def decide(state: RunState, command: Command) -> tuple[EventData, ...]:
    """Say what happens; change nothing.

    No events means that the command changes nothing (answered twice, too late to matter). Raises one of the caller's errors when
    the run does not admit the command.
    """
    datas = RULES[type(command)](state, command)
    return budget.accounted(state, command, datas)
