"""Family: what runs of one tree have to do with each other: a child begins, is cancelled, tells its parent, and takes back what its parent did.

Ordered: a child's request stands in the commit of the event that starts it; its end reaches the parent once it is durable. Survives a crash: what is owed,
in the table of deliveries, and that a run takes back, in its state.
"""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Protocol

import msgspec

from kernos.control.session import Prepared, Session
from kernos.control.sessions import Sessions
from kernos.control.surroundings import Surroundings
from kernos.kernel.state import RunState
from kernos.vocabulary.budget import Booking
from kernos.vocabulary.commands import BeginUndo, CancelRun, Command, EndChild, RequestRun, StartChild
from kernos.vocabulary.effects import TellParent
from kernos.vocabulary.errors import NotAllowed, StaleRunNumber
from kernos.vocabulary.events import CompensationBegun, RunRequested
from kernos.vocabulary.ids import KERNEL, EpochMs, PrincipalId, RunId, TenantId
from kernos.vocabulary.quantities import Json
from kernos.vocabulary.questions import AskChild
from kernos.vocabulary.undo import REVERT_AGENT, UNDO_STEP, UndoPlan


class Commanding(Protocol):
    """How a command reaches a run."""

    async def __call__(self, run: RunId, command: Command, by: PrincipalId, cause: str = "call") -> bool:
        """Apply a command and return, once it is durable, whether it changed anything."""
        ...


class Family:
    """The kinship of one kernel's runs."""

    def __init__(
        self,
        shared: Surroundings,
        sessions: Sessions,
        new_session: Callable[[RunState], Session],
        command: Commanding,
        plan_undo: Callable[[RunId, str], Awaitable[UndoPlan]],
    ) -> None:
        """Take what all sessions share, where they are kept and how one is made, how to command, and who plans what to take back."""
        self._shared = shared
        self._sessions = sessions
        self._new_session = new_session
        self._command = command
        self._plan_undo = plan_undo

    def prepare_child(self, parent: Session, command: StartChild, question: AskChild) -> Prepared:
        """Prepare the request of a child run under the authority of whoever its parent acts for."""
        above = parent.state.request()
        contract = self._shared.registry.agent(command.agent)
        now = self._shared.clock.now()
        deadline = min(now + contract.limits.wall_time_ms, above.deadline_at or now + contract.limits.wall_time_ms)
        requested = RunRequested(
            agent=contract.name,
            agent_version=contract.version,
            code_digest=contract.code_digest,
            intent=question.intent or above.intent,
            input=command.input,
            tenant=above.tenant,
            limits=contract.limits,
            deadline_at=EpochMs(deadline),
            profile=above.profile,
            parent=parent.run,
            parent_step=command.step,
            depth=above.depth + 1,
            detached=command.detached,
            root=above.root or parent.run,
            on_failure=contract.on_failure,
            grant=narrowed(above.grant, question.grant),
            heritage=command.heritage,
            workflow=above.workflow or above.agent,
            budget=above.budget,
        )
        return self._prepare_request(parent, command.child, requested, command.places)

    def _prepare_request(
        self, parent: Session, child: RunId, requested: RunRequested, places: tuple[Booking, ...] = ()
    ) -> Prepared:
        session = self._new_session(RunState(child))
        prepared = session.prepare(
            RequestRun(requested, places), parent.state.requested_by, f"{parent.run}/{parent.latest()}"
        )
        assert prepared is not None, child
        self._sessions.put(session)
        return prepared

    async def take_back(self, run: RunId, child: RunId) -> None:
        """Start the child run that takes back what a failed run did, unless it is started or not its time yet.

        It has the time that its own contract gives it: a run that passed its deadline is taken back all the same.
        """
        session = await self._sessions.borrow(run)
        try:
            failing = session.state.failing
            if not isinstance(failing, CompensationBegun) or session.state.ended or session.state.open_children():
                return  # It is asked for again when the last child has ended: only then is known what there is to take back.
            await session.durable()
            try:
                plan = Json(msgspec.json.encode(await self._plan_undo(run, failing.to)))
            except NotAllowed:
                return  # A run further down goes on; `open_above` finds this one when that has ended.
            above = session.state.request()
            begun = session.prepare(BeginUndo(child, plan), KERNEL, session.latest())
            if begun is not None:
                requested = replace(
                    self.undo_request(above.intent, plan, above.tenant, above.profile),
                    parent=run,
                    parent_step=UNDO_STEP,
                    depth=above.depth + 1,
                    root=above.root or run,
                )
                session.commit(begun, self._prepare_request(session, child, requested))
        except StaleRunNumber:
            return  # Somebody else changed the run; it is read anew, and this is seen to then.
        finally:
            self._sessions.release(run)

    def undo_request(self, intent: str, plan: Json, tenant: TenantId, profile: str = "standard") -> RunRequested:
        """Return the request of a run that takes actions back as `plan` says."""
        contract = self._shared.registry.agent(REVERT_AGENT)
        return RunRequested(
            agent=contract.name,
            agent_version=contract.version,
            code_digest=contract.code_digest,
            intent=f"take back: {intent}",
            input=plan,
            tenant=tenant,
            limits=contract.limits,
            deadline_at=EpochMs(self._shared.clock.now() + contract.limits.wall_time_ms),
            profile=profile,
        )

    async def cancel(self, child: RunId, reason: str, parent: Session) -> None:
        """Cancel a child for its parent, once what wants that is durable."""
        try:
            await parent.durable()
        except StaleRunNumber:
            return  # It did not come to that; what came instead is read anew.
        await self._command(child, CancelRun(reason), KERNEL, parent.run)

    async def tell_parent(self, session: Session, order: TellParent, undo: Callable[[RunId], Awaitable[None]]) -> None:
        """Tell the parent how its child ended, once that is durable; `undo` lets it, or a run above, take back what it waits to."""
        try:
            await session.durable()
        except StaleRunNumber:
            return  # It did not end like this.
        cause = f"{session.run}/{session.latest()}"
        end = EndChild(order.step, session.run, order.result, order.failure, order.heritage)
        await self._command(order.parent, end, KERNEL, cause)
        await undo(order.parent)

    async def open_above(self, run: RunId) -> RunId | None:
        """Return the run, or the next one above it that has not ended; None where nobody waits for what is below."""
        while True:
            session = await self._sessions.borrow(run)
            state = session.state
            self._sessions.release(run)
            if not state.ended:
                return run
            request = state.request()
            if not request.parent or request.detached:
                return None
            run = request.parent


def narrowed(grant: tuple[str, ...] | None, further: tuple[str, ...] | None) -> tuple[str, ...] | None:
    """Return a grant narrowed further: nobody passes on what they were not granted themselves."""
    if grant is None or further is None:
        return further if grant is None else grant
    return tuple(tool for tool in further if tool in grant)
