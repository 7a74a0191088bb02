"""Worker: runs agents' functions, each in a task of its own, and reports how they end.

Side by side: all runs it was given. Bounded: by whoever gives them. Stopped code is cancelled where it stands; attempts that left the
kernel go on, are reported, and are waited for by `drain`. Survives a crash: nothing; recorded steps answer when code runs again.
"""

import asyncio
import traceback
from collections.abc import Mapping

from kernos.execution.attempts import Attempts
from kernos.execution.context import CodecOf, Context, Frame
from kernos.ports.model import Model
from kernos.ports.plane import RunPlane
from kernos.vocabulary.contract import Failed
from kernos.vocabulary.errors import (
    CallFailed,
    Diverged,
    KernelError,
    KernosError,
    OperatorError,
)
from kernos.vocabulary.ids import RunId
from kernos.vocabulary.outcome import Failure, Outcome
from kernos.vocabulary.questions import Assignment, Reply


class InProcessWorker:
    """Implements the worker port in this event loop."""

    def __init__(self, models: Mapping[str, Model], codec_of: CodecOf) -> None:
        """Take the models by name, and how to find a type's codec."""
        self._models = models
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
        attempts = Attempts(self._models, self._sheltered)
        agent = assignment.agent
        declared = True
        outcome: Outcome
        try:
            value = agent.input.decode(assignment.input)
            context = Context(Frame(assignment, plane, attempts, self._codec_of), "", assignment.steps_before)
            outcome = agent.output.encode(await agent.function(context, value))
        except Failed as failed:
            outcome = Failure(failed.mode, str(failed), failed.details)
            declared = failed.mode in agent.failures
        except (Diverged, KernelError, OperatorError):
            return  # The control plane knows: the run is blocked, overtaken, or the kernel stops.
        except CallFailed as error:
            outcome, declared = Failure(error.failure, str(error)), error.failure in agent.failures
        except KernosError as error:
            outcome, declared = Failure(error.code, str(error)), False
        except Exception as error:  # noqa: BLE001 - the outermost loop of the worker: whatever the code raises ends its run
            outcome, declared = Failure("error", _where(error)), False
        await attempts.drain()
        plane.end(outcome, declared=declared)


def _where(error: Exception) -> str:
    """Say what an agent's code raised, and in which line of it."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f" ({frames[-1].filename.rsplit('/', 1)[-1]}:{frames[-1].lineno})" if frames else ""
    return f"{type(error).__name__}: {error}{place}"
