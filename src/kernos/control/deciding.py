"""Deciding: what the gate is told about a run's calls, and what it says of them."""

from dataclasses import dataclass, replace
from typing import Any, Protocol

from kernos.control.provenance import Provenance
from kernos.control.surroundings import Surroundings
from kernos.kernel.administration import Stop
from kernos.kernel.state import RunState, Step
from kernos.kernel.stops import stop_for
from kernos.vocabulary.circumstances import Known
from kernos.vocabulary.contract import AgentContract
from kernos.vocabulary.flow import Heritage, Verdict
from kernos.vocabulary.gate import MODEL_TOOL, Answer, Decision
from kernos.vocabulary.ids import EpochMs, StepName
from kernos.vocabulary.quantities import Json
from kernos.vocabulary.questions import AskModel
from kernos.vocabulary.stops import shown_stop
from kernos.vocabulary.undo import Undone

_LOOK_MS_MIN, _LOOK_MS_MAX = 1_000, 15_000


class Session(Protocol):
    """The session, as deciding sees it."""

    shared: Surroundings
    agent: AgentContract[Any, Any] | None

    @property
    def state(self) -> RunState:
        """The run as it stands now."""
        ...


@dataclass(frozen=True, slots=True)
class Standing:
    """A run of which no code goes on here."""

    state: RunState


def known_of(shared: Surroundings, state: RunState, tool: str, args: Json) -> Known:
    """Return what is known about a call that a person is about to say yes to."""
    provenance = Provenance(Standing(state), shared.registry)
    return shared.circumstances.around(state, tool, args, None, provenance.is_tainted)


class Deciding:
    """Puts one session's calls to the gate."""

    def __init__(self, session: Session) -> None:
        """Take the session to look at."""
        self._session = session
        shared = session.shared
        self._provenance = Provenance(session, shared.registry, lambda: shared.administrator.state.grants)

    def put_off_until(self, tool: str) -> EpochMs | None:
        """Return when to look again whether a stop still holds for a call (`tool` empty: of a model), None when none does.

        The longer it holds, the more seldom, and at least four times a minute. Guests are not put off: they hear no.
        """
        agent, stop = self._session.agent, self._stop(tool)
        if stop is None or agent is None or agent.is_guest:
            return None
        now = self._session.shared.clock.now()
        return EpochMs(now + min(max(now - stop.at, _LOOK_MS_MIN), _LOOK_MS_MAX))

    def _stop(self, tool: str) -> Stop | None:
        session = self._session
        state, agent = session.shared.administrator.state, session.agent
        if not state.stops or agent is None:
            return None
        return stop_for(state, session.state.request().tenant, agent.name, agent.version, tool)

    def call(self, tool: str, args: Json, undoes: Undone | None) -> tuple[Decision, tuple[str, ...]]:
        """Return what the gate says, and which data of the call nobody vouches for."""
        session = self._session
        assert session.agent is not None, session.state.run
        flow = self._provenance.verdict(tool, args) if undoes is None else None
        request, by = session.state.request(), session.state.requested_by
        known = self._known(tool, args, flow)
        decision = session.shared.gate.decide_call(request, by, session.agent, tool, args, undoes, flow, known)
        stop = self._stop(tool)
        if stop is not None and session.agent.is_guest:
            reason = f"{stop.by} stopped {shown_stop(stop.kind, stop.name)}: {stop.reason}"
            decision = replace(decision, answer=Answer.DENY, reason=reason)
        return decision, tuple(concern.key for concern in flow.concerns) if flow is not None else ()

    def is_of_now(self, decision: Decision) -> bool:
        """Tell whether a decision was taken under the policy set that is in force."""
        return self._session.shared.gate.is_of_now(decision)

    def against_retry(self, name: StepName, step: Step) -> Decision | None:
        """Return what forbids a further attempt of an action, None when nothing does.

        What was decided stands while its policy set is in force. Under another one policy is asked again as if the action were not
        counted yet; a yes that a person gave counts on where the same people are asked for.
        """
        session, was = self._session, step.gate
        assert session.agent is not None, session.state.run
        assert was is not None, name
        if self.is_of_now(was):
            return None
        flow = self._provenance.verdict(step.what, step.args) if step.undoes is None else None
        known = self._known(step.what, step.args, flow, name)
        request, by = session.state.request(), session.state.requested_by
        now = session.shared.gate.decide_call(
            request, by, session.agent, step.what, step.args, step.undoes, known=known
        )
        is_given = now.answer is Answer.ASK is was.answer and now.requires == was.requires
        return None if now.answer is Answer.ALLOW or is_given else now

    def model(self, question: AskModel) -> Decision:
        """Return what the gate says about a model call."""
        session = self._session
        assert session.agent is not None, session.state.run
        request, by = session.state.request(), session.state.requested_by
        known = self._known(MODEL_TOOL, question.args, None)
        return session.shared.gate.decide_model(
            request, by, session.agent, question.model, question.request.task, known
        )

    def opened_to_model(self, question: AskModel) -> frozenset[str]:
        """Return the labels whose values the model may see."""
        session = self._session
        assert session.agent is not None, session.state.run
        request, by = session.state.request(), session.state.requested_by
        known = self._known(MODEL_TOOL, question.args, None)
        return session.shared.gate.opened_to_model(
            request, by, session.agent, question.model, question.request.task, question.args, known
        )

    def handed(self, value: Json, intent: str = "") -> Heritage | None:
        """Return what another run must know of a value's origins; None where there is nothing to know."""
        return self._provenance.handed(value, intent)

    def _known(self, tool: str, args: Json, flow: Verdict | None, but: StepName | None = None) -> Known:
        return self._session.shared.circumstances.around(
            self._session.state, tool, args, flow, self._provenance.is_tainted, but
        )
