"""Worker: runs agents' functions, each in a task of its own, and reports how they end.

Side by side: all runs it was given. Bounded: by whoever gives them. Stopped code is cancelled where it stands; attempts that left the
kernel go on, are reported, and are waited for by `drain`. Survives a crash: nothing; recorded steps answer when code runs again.
"""

import asyncio
import traceback
from collections.abc import Mapping
from typing import Any

from kernos.execution.attempts import Attempts
from kernos.execution.context import CodecOf, Context, Frame
from kernos.execution.seals import NoVault, Seals
from kernos.ports.model import Model
from kernos.ports.plane import RunPlane
from kernos.ports.vault import Opener
from kernos.vocabulary.contract import Failed, ToolContract
from kernos.vocabulary.errors import (
    CallFailed,
    ContractBroken,
    Diverged,
    InvalidInput,
    KernelError,
    KernosError,
    OperatorError,
)
from kernos.vocabulary.ids import RunId
from kernos.vocabulary.outcome import Failure, Outcome
from kernos.vocabulary.questions import Assignment, Reply
from kernos.vocabulary.secret import READING, Reading


class InProcessWorker:
    """Implements the worker port in this event loop."""

    def __init__(
        self,
        models: Mapping[str, Model],
        codec_of: CodecOf,
        stand_ins: Mapping[str, ToolContract[Any, Any]] | None = None,
        vault: Opener | None = None,
    ) -> None:
        """Take the models by name, and how to find a type's codec; `stand_ins` act in place of the tools of their names.

        `vault`: where labelled values lie; without, a run that has any fails.
        """
        self._vault = vault or NoVault()
        self._models = models
        self._stand_ins = stand_ins or {}
        self._codec_of = codec_of
        self._tasks: dict[RunId, asyncio.Task[None]] = {}
        self._sheltered: set[asyncio.Task[Reply]] = set()

    def start(self, assignment: Assignment, plane: RunPlane) -> None:
        """Run the code until it ends or is stopped."""
        assert assignment.run not in self._tasks, assignment.run
        task = asyncio.get_running_loop().create_task(self._work(assignment, plane))
        self._tasks[assignment.run] = task

        def ended(done: asyncio.Task[None]) -> None:
            if self._tasks.get(assignment.run) is done:
                del self._tasks[assignment.run]

        task.add_done_callback(ended)

    def stop(self, run: RunId) -> None:
        """Stop the code where it stands."""
        task = self._tasks.pop(run, None)
        if task is not None and task is not asyncio.current_task():
            task.cancel()

    async def drain(self) -> None:
        """Return when no attempt that left the kernel is under way any more."""
        while self._sheltered:
            await asyncio.wait(list(self._sheltered))

    async def _work(self, assignment: Assignment, plane: RunPlane) -> None:
        seals = Seals(self._vault, assignment.tenant)
        attempts = Attempts(self._models, self._sheltered, self._stand_ins, seals)
        agent = assignment.agent
        declared = True
        outcome: Outcome
        try:
            READING.set(
                Reading(f"the code of agent {agent.name}", frozenset())
            )  # Tools read secrets; it could only pass them on.
            value = agent.input.decode(assignment.input)
            context = Context(Frame(assignment, plane, attempts, self._codec_of, seals), "", assignment.steps_before)
            outcome = seals.written(agent.output, await agent.function(context, value))
        except Failed as failed:
            outcome, declared = self._failure_of(failed), failed.mode in agent.failures
        except (Diverged, KernelError, OperatorError):
            return  # The control plane knows: the run is blocked, overtaken, or the kernel stops.
        except CallFailed as error:
            outcome, declared = Failure(_plain(error.failure), _plain(error)), error.failure in agent.failures
        except KernosError as error:
            outcome, declared = Failure(error.code, _plain(error)), False
        except BaseException as error:  # the outermost loop of the worker: whatever the code raises ends its run
            if _is_stop(error):
                raise
            outcome, declared = Failure("error", _where(error)), False
        await attempts.drain()
        try:
            plane.end(outcome, declared=declared)
        except InvalidInput as error:  # What it came to is too large to be kept.
            plane.end(Failure(error.code, _plain(error)), declared=False)

    def _failure_of(self, failed: Failed) -> Failure:
        """Return what the code ended its run with; details that are no JSON would make the journal unreadable."""
        details, message = failed.details, _plain(failed)
        try:
            if details is not None:
                self._codec_of(Any).decode(details)
        except (ContractBroken, AttributeError):
            details, message = None, f"{message} (its details are no Json with JSON in it)"
        return Failure(_plain(failed.mode), message, details)


def _is_stop(error: BaseException) -> bool:
    """Tell whether somebody stops the code or the process; else even a CancelledError is the code's own."""
    task = asyncio.current_task()
    is_cancelled = isinstance(error, asyncio.CancelledError) and task is not None and task.cancelling() > 0
    return is_cancelled or isinstance(error, (KeyboardInterrupt, GeneratorExit))


def _plain(text: object) -> str:
    """Return text as UTF-8 can hold it."""
    return str(text).encode("utf-8", "backslashreplace").decode()


def _where(error: BaseException) -> str:
    """Say what an agent's code raised, and in which line of it."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f" ({frames[-1].filename.rsplit('/', 1)[-1]}:{frames[-1].lineno})" if frames else ""
    return _plain(f"{type(error).__name__}: {error}{place}")
