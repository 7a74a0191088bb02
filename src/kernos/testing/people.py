"""People: those whom a workflow asks, in checks that run it unattended: they say yes, choose an answer, send signals, and look into doubts."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from kernos.app.kernel import Kernel
from kernos.authoring.codec import codec_of
from kernos.control.codec import decode_entry
from kernos.ports.journal import Row
from kernos.testing.ledger import Ledger
from kernos.vocabulary.commands import AnswerQuestion, Command, DeliverSignal, DenyApproval, SettleAction
from kernos.vocabulary.errors import CallerError, StaleRunNumber
from kernos.vocabulary.events import ActionIntended
from kernos.vocabulary.ids import PrincipalId, RunId, StepName, step_key

ANA = PrincipalId("person:ana")


@dataclass(frozen=True, slots=True)
class People:
    """What people say. The default approves everything and takes the first option of each question."""

    approve: bool | Callable[[str], bool] = True
    """Yes or no to approvals; a function is asked with the tool's name."""
    answers: Mapping[str, str] = field(default_factory=dict)
    """Answers by the question's text."""
    signals: Mapping[str, object] = field(default_factory=dict)
    """What is sent to whoever waits for a topic, by topic."""

    async def answer(self, kernel: Kernel, row: Row) -> bool:
        """Say what there is to say to one row of `waiting`; return whether anything was said."""
        run, step = RunId(str(row["run"])), StepName(str(row["step"]))
        state = await kernel.engine.state(run)
        recorded = state.steps.get(step)
        if recorded is None:
            return False
        now = kernel.engine.shared.clock.now()
        command: Command
        match row["kind"]:
            case "approval":
                agrees = self.approve(recorded.what) if callable(self.approve) else self.approve
                if agrees:
                    return await _approve(kernel, run, step, recorded.digest)
                command = DenyApproval(step, "not now", now)
            case "question":
                command = AnswerQuestion(step, self._choice(str(row["details"]), recorded.options))
            case "signal" if row["subject"] in self.signals:
                topic = str(row["subject"])
                data = codec_of(Any).encode(self.signals[topic])
                command = DeliverSignal(topic, data, step_key(run, step))
            case _:
                return False
        return await _say(kernel, run, command)

    def _choice(self, question: str, options: Sequence[str]) -> str:
        return self.answers.get(question) or (options[0] if options else "yes")


async def _approve(kernel: Kernel, run: RunId, step: StepName, digest: str) -> bool:
    try:
        await kernel.approve(step_key(run, step), by=ANA, digest=digest)
    except (CallerError, StaleRunNumber):
        return False  # Somebody else was faster, or the run has ended.
    return True


async def settle(kernel: Kernel, row: Row, ledger: Ledger) -> bool:
    """Settle an action in doubt (a row of `actions`) by what the ledger knows; return whether anything was said."""
    run, step = RunId(str(row["run"])), StepName(str(row["step"]))
    known = ledger.find(str(row["tool"]), await _key_of(kernel, run, step))
    if known is None:
        command = SettleAction(step, "not_done", "the ledger has no such effect")
    elif known.result is None:
        command = SettleAction(step, "unknown", "the ledger has the effect, and not its answer")
    else:
        command = SettleAction(step, "done", "the ledger has it", known.result)
    return await _say(kernel, run, command)


async def _key_of(kernel: Kernel, run: RunId, step: StepName) -> str:
    """Return the key of an action: that of its own step, or that of the action it takes back."""
    events = [decode_entry(entry).data for entry in await kernel.journal.read(run)]
    return next(data.key for data in events if isinstance(data, ActionIntended) and data.step == step)


async def _say(kernel: Kernel, run: RunId, command: Command) -> bool:
    try:
        return await kernel.engine.command(run, command, ANA)
    except (CallerError, StaleRunNumber):
        return False  # Somebody else was faster, or the run has ended.
