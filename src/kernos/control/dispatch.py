"""Dispatch: whose call goes to a model next, and how many may be under way there at once.

A call to a model that leaves this process needs a turn; one that has to wait for it stays in memory with its run. Ordered: by class, by the tenant that
had least, by the run with least work left. Bounded: by the runs whose code is active. Survives a crash: what runs of each agent came to is learned anew from their rows;
calls ask for their turn again when their code does.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from kernos.control.registry import Registry
from kernos.kernel.state import RunState, Status
from kernos.ports.clock import Alarm, Clock
from kernos.ports.journal import Views
from kernos.scheduling.forecast import Forecast
from kernos.scheduling.order import Order, Place
from kernos.scheduling.window import Window
from kernos.vocabulary.contract import ModelReply
from kernos.vocabulary.ids import EpochMs, RunId, StepName
from kernos.vocabulary.outcome import AttemptFailed
from kernos.vocabulary.profile import PROFILES, STANDARD
from kernos.vocabulary.questions import AskModel

_LEARNED_MAX = 4_096
"""Ended runs that a start learns from: the newest ones."""

_URGENT_SHARE = 3
"""A run counts as interactive when its deadline is this many times as near as its work left takes."""

_PROBES = 32
"""Of the calls under way so many should tell when their answers begin; to read an answer piece by piece costs more."""

_Ticket = tuple[RunId, StepName]


@dataclass(slots=True)
class _Lane:
    """The calls of one model."""

    window: Window = field(default_factory=Window)
    order: Order[_Ticket] = field(default_factory=Order)
    calls: dict[_Ticket, Callable[[], None]] = field(default_factory=dict)
    """What to do when the turn of one that waits has come."""
    sent_at: dict[_Ticket, EpochMs] = field(default_factory=dict)
    """When those under way had their turn."""
    closed_until: EpochMs = EpochMs(0)
    """Until when the service wants to be left alone."""
    alarm: Alarm | None = None
    ms_per_work: float = 50.0
    asked: int = 0


class Dispatch:
    """The turns of all calls to models of one kernel. All calls come from one event loop."""

    def __init__(self, registry: Registry, clock: Clock) -> None:
        """Take what knows the models, and the time."""
        self._registry = registry
        self._clock = clock
        self._forecast = Forecast()
        self._lanes: dict[str, _Lane] = {}

    async def learn(self, views: Views) -> None:
        """Learn from runs that have ended what runs like them need."""
        ended = await views.select("runs", {"status": "completed"}, descending=True, limit=_LEARNED_MAX)
        for row in reversed(ended):
            self._forecast.learn(str(row["agent"]), int(row["input_bytes"] or 0), int(row["work"] or 0))

    def ended(self, state: RunState) -> None:
        """Learn from a run that has just ended as it should."""
        asked = state.request()
        if state.status is Status.COMPLETED:
            self._forecast.learn(asked.agent, len(asked.input.text), state.work)

    def left(self, state: RunState) -> float:
        """Return how much work a run still needs, as `Usage.work`, for all that is known."""
        asked = state.request()
        return self.left_of(asked.agent, len(asked.input.text), state.work)

    def left_of(self, agent: str, input_bytes: int, work: int) -> float:
        """Return the same of a run by its row."""
        return self._forecast.left(agent, input_bytes, work)

    # --- turns ---------------------------------------------------------------------------------------------------

    def has_turn(self, state: RunState, step: StepName, model: str, call: Callable[[], None]) -> bool:
        """Tell whether a call may be made now, and count it as under way; else `call` is called when its turn has come."""
        brain = self._registry.model(model)
        if brain is None or not brain.metered:
            return True  # It works in this process, which does one thing after the other anyway.
        lane = self._lanes.setdefault(model, _Lane())
        ticket = (state.run, step)
        if ticket in lane.sent_at:
            return True
        if ticket not in lane.order:
            lane.order.put(ticket, self._place(state, lane))
        lane.calls[ticket] = call
        self._give(lane, ticket)
        return ticket in lane.sent_at

    def wants_pace(self, model: str) -> bool:
        """Tell whether the next call should tell when its answer begins: all while the window is new or small, later some of them."""
        lane = self._lanes.get(model)
        if lane is None:
            return False
        lane.asked += 1
        every = 1 if lane.window.is_new else max(1, int(lane.window.limit) // _PROBES)
        return lane.asked % every == 0

    def over(self, run: RunId, step: StepName, asked: AskModel, outcome: object) -> None:
        """Take notice of what came of a call; whoever is next has their turn."""
        lane = self._lanes.get(asked.model)
        sent_at = lane.sent_at.pop((run, step), None) if lane is not None else None
        if lane is None or sent_at is None:
            return
        now = self._clock.now()
        took = now - sent_at
        lane.order.done((run, step), took, now)
        if isinstance(outcome, ModelReply):
            first = outcome.pace.first_ms  # Only of answers that came piece by piece.
            prompt = outcome.usage.prompt_tokens - outcome.usage.cached_tokens or len(asked.args.text) // 4
            lane.window.answered(sent_at, now, first if first >= 0 else None, prompt, len(lane.sent_at) + 1)
            if outcome.usage.work:
                lane.ms_per_work += 0.1 * (took / outcome.usage.work - lane.ms_per_work)
        elif isinstance(outcome, AttemptFailed) and outcome.retry_after_ms:
            lane.window.refused(now)
            self._close(lane, EpochMs(now + outcome.retry_after_ms))
        self._give(lane)

    def forgo(self, run: RunId, step: StepName, model: str) -> None:
        """Give a turn back that is not used, or wait for none any more."""
        lane = self._lanes.get(model)
        if lane is None:
            return
        lane.calls.pop((run, step), None)
        lane.order.drop((run, step))
        if lane.sent_at.pop((run, step), None) is not None:
            lane.order.done((run, step), 0, self._clock.now())
            self._give(lane)

    def leave(self, run: RunId) -> None:
        """Forget all calls of a run whose code is stopped: those under way are cut off with it."""
        for model, lane in self._lanes.items():
            for ticket in [one for one in (*lane.calls, *lane.sent_at) if one[0] == run]:
                self.forgo(*ticket, model)

    def figures(self) -> Mapping[str, tuple[int, int, int]]:
        """Return of each model: calls under way, the most there may be, calls that wait."""
        return {name: (len(one.sent_at), int(one.window.limit), len(one.order)) for name, one in self._lanes.items()}

    # --- how -----------------------------------------------------------------------------------------------------

    def _place(self, state: RunState, lane: _Lane) -> Place:
        asked, now = state.request(), self._clock.now()
        left = self.left(state)
        takes = _URGENT_SHARE * left * lane.ms_per_work
        urgent_at = EpochMs(max(1, int(asked.deadline_at - takes))) if asked.deadline_at and takes else EpochMs(0)
        latency = PROFILES.get(asked.profile, STANDARD).latency
        return Place(latency, asked.tenant, left, state.run, now, lane.window.total_ms, urgent_at)

    def _give(self, lane: _Lane, asking: _Ticket | None = None) -> None:
        """Give turns as long as there are any; `asking` is told by whoever calls this."""
        now = self._clock.now()
        while len(lane.sent_at) < int(lane.window.limit) and now >= lane.closed_until:
            ticket = lane.order.next(now)
            if ticket is None:
                return
            lane.sent_at[ticket] = now
            call = lane.calls.pop(ticket)
            if ticket != asking:
                call()

    def _close(self, lane: _Lane, until: EpochMs) -> None:
        if until <= lane.closed_until:
            return
        lane.closed_until = until
        if lane.alarm is not None:
            lane.alarm.cancel()

        def opened() -> None:
            lane.alarm = None
            self._give(lane)

        lane.alarm = self._clock.call_at(until, opened)
