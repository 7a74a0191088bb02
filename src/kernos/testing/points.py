"""Points: the moments at which a process can die, counted in one life of a kernel, and what stands at each of them.

A point is named by its moment and its number in that life, as `after attempt 2`; the same code, world and seed reach the same points in the same
order, so a name repeats a crash. Moments: a step that the code asks for, an attempt of a tool or a model before and after it acted, a look-up, and a
commit group before and after it is durable.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from kernos.execution.context import CodecOf
from kernos.execution.worker import InProcessWorker
from kernos.ports.model import Model
from kernos.ports.plane import RunPlane
from kernos.ports.vault import Opener
from kernos.vocabulary.contract import ModelReply, ModelRequest, ToolCall, ToolContract
from kernos.vocabulary.ids import StepName
from kernos.vocabulary.outcome import AttemptFailed, Found, Outcome
from kernos.vocabulary.quantities import Json
from kernos.vocabulary.questions import Assignment, Question, Reply

MOMENTS = (
    "step",
    "before attempt",
    "after attempt",
    "before model",
    "after model",
    "look-up",
    "before group",
    "after group",
)


@dataclass(frozen=True, slots=True)
class Point:
    """One moment of a life: its name, and what stood there (a tool, an agent's step, the events of a group)."""

    name: str
    about: str

    def __str__(self) -> str:
        """Say both."""
        return f"{self.name} ({self.about})"


class Points:
    """Counts the points of one life, and lets it die at one of them."""

    def __init__(self, at: str = "", *, counts: bool = True, keeps: bool = True) -> None:
        """Die at the point of this name, at none if it is empty.

        Without `counts` no point is named, and only `die` ends the life; without `keeps` those that were reached are not kept.
        """
        self.reached: list[Point] = []
        self.died: Point | None = None
        self.on_death: list[Callable[[], None]] = []
        """Called at once when the process dies: nothing may be written after that."""
        self.calls = 0
        """Attempts and look-ups of tools that began."""
        self.counts = counts
        self.keeps = keeps
        self._at = at
        self._counts: Counter[str] = Counter()

    def reach(self, moment: str, about: str) -> bool:
        """Count a point; return whether the process is dead, here or since an earlier one."""
        if self.died is not None or not self.counts:
            return self.died is not None
        self._counts[moment] += 1
        point = Point(f"{moment} {self._counts[moment]}", about)
        if self.keeps:
            self.reached.append(point)
        if point.name == self._at:
            self.die(point)
        return self.died is not None

    def die(self, point: Point) -> None:
        """End the life here."""
        self.died = point
        for call in self.on_death:
            call()

    async def pass_by(self, moment: str, about: str) -> None:
        """Count a point; never return when the process is dead."""
        if self.reach(moment, about):
            await asyncio.get_running_loop().create_future()

    def around(self, tool: ToolContract[Any, Any]) -> ToolContract[Any, Any]:
        """Return a tool with a point before and after each of its attempts, and before each look-up."""
        inner_look_up, inner_observe = tool.look_up, tool.observe

        async def attempt(args: Json, call: ToolCall) -> Json | AttemptFailed:
            self.calls += 1
            await self.pass_by("before attempt", tool.name)
            outcome = await tool.attempt(args, call)
            await self.pass_by("after attempt", tool.name)
            return outcome

        async def look_up(args: Json, call: ToolCall, before: Json | None) -> Found | AttemptFailed:
            assert inner_look_up is not None, tool.name
            self.calls += 1
            await self.pass_by("look-up", tool.name)
            return await inner_look_up(args, call, before)

        async def observe(args: Json, call: ToolCall) -> Json | AttemptFailed:
            assert inner_observe is not None, tool.name
            self.calls += 1
            await self.pass_by("look-up", tool.name)
            return await inner_observe(args, call)

        return replace(
            tool,
            attempt=attempt,
            look_up=None if inner_look_up is None else look_up,
            observe=None if inner_observe is None else observe,
        )


class PointedModel:
    """A model with a point before and after each call: a `ports.model.Model`."""

    def __init__(self, model: Model, name: str, points: Points, remembered: dict[bytes, ModelReply] | None) -> None:
        """Take the model, and what it answered in earlier lives of the same world: who asks again after a crash gets the same. None: it is asked each time."""
        self._model = model
        self._name = name
        self._points = points
        self._remembered = remembered

    @property
    def metered(self) -> bool:
        """Tell what the model tells."""
        return self._model.metered

    async def complete(self, request: ModelRequest) -> ModelReply | AttemptFailed:
        """Ask the model, unless it is to answer what it answered before."""
        await self._points.pass_by("before model", self._name)
        asked = b"\0".join((self._name.encode(), request.task.encode(), request.input.text))
        reply: ModelReply | AttemptFailed | None = (self._remembered or {}).get(asked)
        if reply is None:
            reply = await self._model.complete(request)
            if self._remembered is not None and isinstance(reply, ModelReply):
                self._remembered[asked] = reply
        await self._points.pass_by("after model", self._name)
        return reply


class PointedWorker(InProcessWorker):
    """Runs agents' code in this event loop, with a point at each step that the code asks for."""

    def __init__(
        self,
        models: Mapping[str, Model],
        codec_of: CodecOf,
        stand_ins: Mapping[str, ToolContract[Any, Any]],
        points: Points,
        vault: Opener,
    ) -> None:
        """Take what the worker takes, and the points of this life."""
        super().__init__(models, codec_of, stand_ins, vault)
        self._points = points

    def start(self, assignment: Assignment, plane: RunPlane) -> None:
        """Run the code, and look at what it asks."""
        super().start(assignment, _PointedPlane(plane, self._points, assignment.agent.name))


class _PointedPlane:
    """A run plane with a point before each question."""

    def __init__(self, plane: RunPlane, points: Points, agent: str) -> None:
        self._plane = plane
        self._points = points
        self._agent = agent
        self.report = plane.report
        self.report_look_up = plane.report_look_up
        self.held = plane.held
        self.durable = plane.durable
        self.busy = plane.busy

    def ask(self, step: StepName, question: Question) -> Reply:
        """Ask, unless the process died here."""
        if self._points.reach(
            "step", f"{self._agent}, step {step}: {type(question).__name__.removeprefix('Ask').lower()}"
        ):
            raise asyncio.CancelledError
        return self._plane.ask(step, question)

    def end(self, outcome: Outcome, *, declared: bool) -> None:
        """Pass the end on, unless the process died before."""
        if not self._points.reach("step", f"{self._agent}, its end"):
            self._plane.end(outcome, declared=declared)
