"""Run: a handle on one run for whoever started it or looks at it."""

from collections.abc import AsyncIterator
from dataclasses import is_dataclass
from typing import Any, Generic, TypeVar

from pydantic import BaseModel

from kernos.authoring.codec import codec_of
from kernos.control.assignment import migrated, version_of
from kernos.control.authority import Authority
from kernos.control.codec import decode_entry
from kernos.control.engine import Engine
from kernos.control.provenance import PRINCIPAL_TOPIC
from kernos.execution.seals import Seals
from kernos.kernel.state import RunState
from kernos.ports.vault import Opener
from kernos.vocabulary.administration import Scope
from kernos.vocabulary.commands import CancelRun, DeliverSignal
from kernos.vocabulary.contract import AgentContract
from kernos.vocabulary.errors import NotAllowed, RunDidNotComplete
from kernos.vocabulary.events import Event
from kernos.vocabulary.ids import PrincipalId, RunId
from kernos.vocabulary.outcome import Failure
from kernos.vocabulary.quantities import Json

Out = TypeVar("Out")


class Run(Generic[Out]):
    """One run of a store."""

    def __init__(
        self,
        engine: Engine,
        run: RunId,
        agent: AgentContract[Any, Out] | None,
        authority: Authority,
        vault: Opener,
    ) -> None:
        """Made by `Kernel.start` and `Kernel.run`."""
        self._vault = vault
        self._authority = authority
        self._engine = engine
        self._agent = agent
        self.id = run

    async def result(self) -> Out:
        """Wait for the end and return the output.

        Raises RunDidNotComplete with the failure mode when the run failed, was cancelled or expired; NotAllowed.
        """
        self._authority.check()
        outcome = await self._engine.end_of(self.id)
        self._authority.check()  # It may have taken days.
        if isinstance(outcome, Failure):
            message = f"run {self.id} ended without a result ({outcome.code}): {outcome.message}"
            raise RunDidNotComplete(message, mode=outcome.code, hint=f"See why with `kernos trace {self.id}`.")
        if self._agent is None:
            anything: Out = codec_of(Any).decode(outcome)
            return anything
        if self._agent.migrations:
            outcome = migrated(self._agent, version_of(await self._ended_by()), "output", outcome)
        result: Out = self._agent.output.decode(outcome)
        return result

    async def _ended_by(self) -> PrincipalId:
        """Return who ended the run: another version of its agent, perhaps, than the one that began it."""
        events = map(decode_entry, reversed(await self._engine.journal.read(self.id)))
        return next(event.by for event in events if type(event.data).__name__ in _ENDS)

    async def state(self) -> RunState:
        """Return where the run stands. Raises NotAllowed."""
        self._authority.check()
        return await self._engine.state(self.id)

    async def events(self, *, follow: bool = True) -> AsyncIterator[Event]:
        """Yield the run's durable events from the first on; with `follow`, go on as they come until the run has ended."""
        after = -1
        while True:
            self._authority.check()
            changed = self._engine.changed(self.id)
            ended = False
            for entry in await self._engine.journal.read(self.id, after):
                event = decode_entry(entry)
                after = event.n
                yield event
                ended = ended or type(event.data).__name__ in _ENDS
            if ended or not follow:
                return
            await changed

    async def signal(self, topic: str, data: Any = None, *, key: str = "", by: str = "") -> None:
        """Send a signal; a `key` makes it arrive once. What the principal says besides the intent only a person sends: raises NotAllowed."""
        who = self._authority.who(by, Scope.START)
        if topic == PRINCIPAL_TOPIC:
            await self._check_speaks(who)
        await self._engine.command(self.id, DeliverSignal(topic, await self._told(data), key), who)

    async def _check_speaks(self, who: PrincipalId) -> None:
        """Raise NotAllowed unless `who` speaks for the principal: is the person that the run acts for, or one who may answer for them."""
        if not who.startswith("person:"):
            message = f"{who} is no person, and only a person speaks for the principal (topic {PRINCIPAL_TOPIC})"
            raise NotAllowed(message, hint="Send it under a topic of your own: what it says is then nobody's word.")
        if Scope.ANSWER not in self._authority.caller.scopes and who != (await self.state()).requested_by:
            message = f"run {self.id} acts for somebody else than {who}, who does not speak for them (topic {PRINCIPAL_TOPIC})"
            raise NotAllowed(message, hint="Ask for a credential with the scope answer, or let them say it themselves.")

    async def _told(self, data: Any) -> Json:
        """Write what a signal says; where the run deals with labelled values, its own are sealed."""
        codec = codec_of(type(data) if isinstance(data, BaseModel) or is_dataclass(data) else Any)
        if codec.plan is None and (self._agent is None or self._agent.input.plan is None):
            return codec.encode(data)
        tenant = (await self.state()).request().tenant
        return Seals(self._vault, tenant).told(codec, data)

    async def cancel(self, reason: str, *, by: str = "") -> None:
        """Stop the run and everything below it."""
        await self._engine.command(self.id, CancelRun(reason), self._authority.who(by, Scope.OPERATE))


_ENDS = frozenset({"RunCompleted", "RunFailed", "RunCancelled", "RunExpired"})
